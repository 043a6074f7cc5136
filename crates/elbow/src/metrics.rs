//! What the data plane has counted and found, in Prometheus's text format.
//!
//! Source: Prometheus documentation, "Exposition formats", "Text-based format".

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use control::Accounts;
use engine::Snapshot;
use proxy::Counters;

/// The name of the gauge with the descriptors that are open. Source: Prometheus documentation, "Writing client
/// libraries", "Process metrics".
pub(crate) const OPEN_FILES: &str = "process_open_fds";
/// The name of the gauge with the most that may be. Source: the same.
pub(crate) const OPEN_FILES_MAX: &str = "process_max_fds";

const ZONE_IN_DNS: &str = "elbow_zone_in_dns";

/// Each counter with the sum over all threads of the data plane.
pub(crate) fn text(threads: &[Arc<Counters>]) -> String {
    let mut out = String::new();
    let Some(first) = threads.first() else {
        return out;
    };
    for (index, (name, help, _)) in first.each().enumerate() {
        let of_thread =
            |counters: &Arc<Counters>| counters.each().nth(index).map_or(0, |(.., value)| value);
        let sum: u64 = threads.iter().map(of_thread).sum();
        out += &counter(name, help, sum);
    }
    out + &desync_reasons(threads)
}

/// The requests that do not follow the RFCs, by the reason.
fn desync_reasons(threads: &[Arc<Counters>]) -> String {
    let mut out = "# HELP elbow_desync_requests_total Requests that do not follow the RFCs, by the reason as AWS names \
                   it.\n# TYPE elbow_desync_requests_total counter\n"
        .to_owned();
    let mut sums = BTreeMap::new();
    for (reason, value) in threads.iter().flat_map(|it| it.each_desync_reason()) {
        *sums.entry(reason).or_insert(0) += value;
    }
    for (reason, sum) in sums {
        let _ = writeln!(
            out,
            "elbow_desync_requests_total{{reason=\"{reason}\"}} {sum}"
        );
    }
    out
}

/// The file descriptors of this process; nothing where the system does not tell.
pub(crate) fn open_files() -> String {
    let mut out = String::new();
    let mut gauge = |name, help: &str, value: u64| {
        let _ = write!(
            out,
            "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n"
        );
    };
    if let Ok(entries) = std::fs::read_dir("/proc/self/fd") {
        // One of them is the directory itself.
        let open = entries.count().saturating_sub(1);
        gauge(OPEN_FILES, "Number of open file descriptors.", open as u64);
    }
    if let Ok((max, _)) = rlimit::Resource::NOFILE.get() {
        gauge(
            OPEN_FILES_MAX,
            "Maximum number of open file descriptors.",
            max,
        );
    }
    out
}

/// How long each account's last change took to compile.
pub(crate) fn compile_times(accounts: &Accounts) -> String {
    let mut out = "# HELP elbow_compile_seconds How long the last change took to compile; after the start, the whole \
                   state.\n# TYPE elbow_compile_seconds gauge\n"
        .to_owned();
    for control in accounts.all() {
        let account = &control.settings().place.account;
        let seconds = control.compile_time().as_secs_f64();
        let _ = writeln!(
            out,
            "elbow_compile_seconds{{account=\"{account}\"}} {seconds}"
        );
    }
    out
}

/// The value of a metric without labels in `text`.
pub(crate) fn value(text: &str, name: &str) -> Option<u64> {
    let of_line = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
    text.lines().find_map(of_line)
}

/// Whether each zone of each load balancer belongs into the DNS answer for its name: 1 or 0.
///
/// It is what zonal shifts and the attributes `target_group_health.dns_failover.*` decide, for whoever answers DNS
/// queries.
pub(crate) fn dns_zones(snapshot: &Snapshot) -> String {
    let mut zones = BTreeSet::new();
    for frontend in &snapshot.frontends {
        zones.extend(
            frontend
                .zones
                .iter()
                .map(|zone| (&*frontend.dns_name, zone)),
        );
    }
    let mut out = format!(
        "# HELP {ZONE_IN_DNS} Whether the zone belongs into the DNS answer: it has enough healthy targets and no \
         zonal shift.\n# TYPE {ZONE_IN_DNS} gauge\n"
    );
    for (name, zone) in zones {
        let is_in = !snapshot.zones_out_of_dns(name).contains(zone);
        // Names of load balancers and of zones have no character that would need an escape.
        let _ = writeln!(
            out,
            "{ZONE_IN_DNS}{{dns_name=\"{name}\",zone=\"{zone}\"}} {}",
            u8::from(is_in)
        );
    }
    out
}

/// What became of API calls: lines of the audit log that were written and that were lost, and calls that were
/// throttled.
pub(crate) fn api_calls(audited: u64, lost: u64, throttled: u64) -> String {
    let counters = [
        ("audit_lines", "Lines written to the audit log.", audited),
        (
            "audit_lines_lost",
            "Lines of the audit log that could not be written.",
            lost,
        ),
        (
            "api_requests_throttled",
            "API requests refused because their bucket had no token.",
            throttled,
        ),
    ];
    let counter = |(name, help, value)| counter(name, help, value);
    counters.map(counter).concat()
}

fn counter(name: &str, help: &str, value: u64) -> String {
    format!(
        "# HELP elbow_{name}_total {help}\n# TYPE elbow_{name}_total counter\nelbow_{name}_total {value}\n"
    )
}

/// The name of a load balancer and a zone for each that `text`, made by `dns_zones`, says does not belong into the
/// DNS answer.
pub(crate) fn zones_out_of_dns(text: &str) -> BTreeSet<(&str, &str)> {
    text.lines().filter_map(zone_out_of_dns).collect()
}

fn zone_out_of_dns(line: &str) -> Option<(&str, &str)> {
    let labels = line.strip_prefix(ZONE_IN_DNS)?.strip_suffix("\"} 0")?;
    let labels = labels.strip_prefix("{dns_name=\"")?;
    labels.split_once("\",zone=\"")
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use engine::health::Health;
    use engine::{
        Admission, Endpoint, EndpointState, Forward, Frontend, FrontendId, HttpOptions, Pool,
        PoolId, PoolSettings, Reach, Router, Routing,
    };
    use model::health_check::HealthCheck;

    use super::*;

    #[test]
    fn each_zone_of_a_load_balancer_is_in_the_dns_answer_or_out() {
        let in_zone = |id: u64, zone: &str| {
            let state = EndpointState::new(id);
            if zone == "us-east-1a" {
                state.set_health(Health::Healthy { failures: 0 }, None);
            }
            let address = SocketAddr::from(([127, 0, 0, 1], 80));
            Arc::new(Endpoint {
                address,
                check_address: address,
                reach: Reach::FULL,
                zone: Some(zone.into()),
                key: id,
                state: Arc::new(state),
            })
        };
        let zones = ["us-east-1a", "us-east-1b"];
        let settings = PoolSettings {
            is_cross_zone: false,
            ..PoolSettings::new(HealthCheck::default())
        };
        let endpoints = (1..).zip(zones).map(|(id, zone)| in_zone(id, zone));
        let pool = Arc::new(Pool::new(PoolId(1), settings, endpoints.collect(), None));
        let forward = Routing::Forward(Forward::new(vec![(pool, 1)]));
        let frontend = Frontend {
            id: FrontendId(1),
            addresses: vec![SocketAddr::from(([127, 0, 0, 1], 80)); 2],
            zones: zones.map(Arc::from).into(),
            shifted_zone: None,
            admission: Admission::Anyone,
            idle_timeout: Duration::from_secs(60),
            client_keep_alive: Duration::from_secs(3600),
            dns_name: "shop-1.elb.internal".into(),
            tls: None,
            http: HttpOptions::default(),
            router: Router::compile(Vec::new(), forward.into()).unwrap(),
        };
        let snapshot = Snapshot {
            frontends: vec![Arc::new(frontend)],
            ..Snapshot::default()
        };
        let text = dns_zones(&snapshot);
        let lines: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "elbow_zone_in_dns{dns_name=\"shop-1.elb.internal\",zone=\"us-east-1a\"} 1",
                "elbow_zone_in_dns{dns_name=\"shop-1.elb.internal\",zone=\"us-east-1b\"} 0",
            ]
        );
        let out = zones_out_of_dns(&text);
        assert_eq!(out, BTreeSet::from([("shop-1.elb.internal", "us-east-1b")]));
    }

    #[test]
    fn a_value_is_found_by_its_whole_name() {
        let text = "# HELP a_b x\na_b_c 1\na_b 2\n";
        assert_eq!(value(text, "a_b"), Some(2));
        assert_eq!(value(text, "a"), None);
        let own = open_files();
        assert!(value(&own, OPEN_FILES).unwrap() < value(&own, OPEN_FILES_MAX).unwrap());
    }

    #[test]
    fn a_counter_is_one_number_for_all_threads() {
        let text = text(&[Arc::default(), Arc::default()]);
        let lines: Vec<_> = text.lines().take(3).collect();
        assert_eq!(
            lines,
            [
                "# HELP elbow_connections_accepted_total Client connections accepted.",
                "# TYPE elbow_connections_accepted_total counter",
                "elbow_connections_accepted_total 0",
            ]
        );
        let reasons = text.lines().filter(|line| line.contains("reason="));
        let reasons: Vec<_> = reasons.collect();
        assert_eq!(
            reasons[0],
            "elbow_desync_requests_total{reason=\"AmbiguousUri\"} 0"
        );
        assert_eq!(reasons.len(), 26, "each reason of the access log, once");
    }
}
