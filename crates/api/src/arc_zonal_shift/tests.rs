//! Every operation's requests and answers, as `transcript.txt` has them, on one control plane with the load balancers
//! `shop` and `news`, whose traffic may be shifted, and `blog`, whose traffic may not; and every member and every
//! route of the API's model.
//!
//! A request is a method, a path with a query, and for some a body, on a line of its own; what follows it up to an
//! empty line is the answer: a status and JSON, or a code, a status and the body of the error. `<shop>` stands for
//! an ARN, in paths in its encoded form. The ids of shifts are numbered in the order in which they first appear. The
//! line `(wait 60)` moves the clock by so many seconds. A request that begins with `read-only ` is signed with such a
//! key, and one that begins with `unsaved ` finds the disk full.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use control::elb::create_load_balancer::CreateLoadBalancer;
use control::elb::load_balancer_attributes::ModifyLoadBalancerAttributes;
use control::{Clock, Control, ManualClock, Settings};
use store::{Memory, ReadError, Revision, Store, TransactError, Transaction, Watch};

use super::unreachable::UNREACHABLE;
use super::{OPERATIONS, ROUTES};
use crate::golden::{self, Numbers};
use crate::rest_json;
use crate::service::Service;
use crate::signed::{NOW_MILLIS, control_plane_over, read_only};
use crate::{ApiError, json, query};

const TRANSCRIPT: &str = "arc_zonal_shift/transcript.txt";
/// What `tests/vectors/errors.py` wrote.
const ERRORS: &str = include_str!("../../tests/vectors/arc-zonal-shift_errors.txt");
/// What `tests/vectors/json_members.py` wrote.
const MEMBERS: &str = include_str!("../../tests/vectors/arc-zonal-shift_members.txt");
/// What `tests/vectors/routes.py` wrote.
const MODEL_ROUTES: &str = include_str!("../../tests/vectors/arc-zonal-shift_routes.txt");

/// What the requests go to, and the names in the transcript.
struct Desk {
    control: Control,
    clock: Arc<SharedClock>,
    disk: Arc<Disk>,
    /// Of the load balancers, by name.
    arns: Vec<(&'static str, String)>,
    /// Their ids.
    shifts: Numbers,
}

struct SharedClock(ManualClock);

impl Clock for SharedClock {
    fn now_millis(&self) -> u64 {
        self.0.now_millis()
    }
}

/// A store that can be full.
#[derive(Default)]
struct Disk {
    memory: Memory,
    is_full: AtomicBool,
}

impl Store for Disk {
    fn revision(&self) -> Result<Revision, ReadError> {
        self.memory.revision()
    }

    fn range(&self, prefix: &str, at: Option<Revision>) -> Result<store::Range, ReadError> {
        self.memory.range(prefix, at)
    }

    fn transact(&self, transaction: Transaction) -> Result<Revision, TransactError> {
        match self.is_full.load(Ordering::SeqCst) {
            true => Err(TransactError::Storage("the disk is full".into())),
            false => self.memory.transact(transaction),
        }
    }

    fn watch(&self, after: Revision) -> Result<Watch, store::Compacted> {
        self.memory.watch(after)
    }
}

#[tokio::test]
async fn requests_get_the_answers_of_the_transcript() {
    let mut desk = Desk::open().await;
    let answers = golden::answered(TRANSCRIPT, async |request| {
        let Some(seconds) = request.strip_prefix("(wait ") else {
            return desk.ask(request).await;
        };
        let seconds = seconds.trim_end_matches(')').parse();
        let seconds = Duration::from_secs(seconds.expect("a number of seconds"));
        desk.clock.0.advance(seconds);
        String::new()
    });
    golden::check(TRANSCRIPT, &answers.await);
}

#[test]
fn every_operation_has_an_answer_and_a_refusal_in_the_transcript() {
    let (mut answered, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for block in golden::transcript(TRANSCRIPT).split("\n\n") {
        let (request, answer) = block.trim().split_once('\n').unwrap_or_default();
        if let Ok((_, name, _)) = decode(request) {
            match answer.starts_with('2') {
                true => answered.insert(name),
                false => refused.insert(name),
            };
        }
    }
    let served = OPERATIONS.served.iter().map(|operation| operation.name);
    assert_eq!(answered, served.clone().collect());
    assert_eq!(
        refused,
        served.chain(OPERATIONS.refused.iter().copied()).collect()
    );
}

#[test]
fn every_error_of_the_model_is_told_or_cannot_be_reached() {
    let operation =
        |request: &str| decode(request).map_or_else(|_| String::new(), |it| it.1.to_owned());
    let served: Vec<_> = OPERATIONS.served.iter().map(|it| it.name).collect();
    let told = golden::errors(&[TRANSCRIPT], operation);
    golden::check_errors(ERRORS, &served, &told, &UNREACHABLE);
}

#[test]
fn every_route_is_that_of_the_model() {
    let routes = ROUTES.iter().map(|route| {
        let (name, method, path, status) = (route.name, route.method, route.path, route.status);
        let query = route.query.iter().map(|name| format!(" {name}"));
        format!(
            "{name} {method} {path} {status}{}",
            query.collect::<String>()
        )
    });
    assert_eq!(
        routes.collect::<Vec<_>>(),
        MODEL_ROUTES.lines().collect::<Vec<_>>()
    );
}

/// A member that nobody reads would be accepted and dropped.
#[test]
fn every_member_of_the_model_is_read() {
    for line in MEMBERS.lines() {
        let (name, input) = line.split_once(' ').expect(line);
        let input = json::decode(input.as_bytes()).expect(line);
        let mut served = OPERATIONS.served.iter();
        if let Some(operation) = served.find(|operation| operation.name == name) {
            assert_eq!((operation.ignored)(&input), [""; 0], "{name} reads these");
        }
    }
}

/// What stands before the request on a line, the operation that it names, and its input.
fn decode(line: &str) -> Result<(&str, &'static str, query::Node), ApiError> {
    let (before, request) = match line.split_once(' ') {
        Some((before @ ("read-only" | "unsaved"), request)) => (before, request),
        _ => ("", line),
    };
    let (address, body) = match request.find(" {") {
        Some(at) => (&request[..at], &request[at + 1..]),
        None => (request, ""),
    };
    let (method, target) = address.split_once(' ').unwrap_or((address, ""));
    let (path, form) = target.split_once('?').unwrap_or((target, ""));
    let query = query::decode(form.as_bytes())?;
    let (route, input) = rest_json::decode(ROUTES, (method, path), &query, body.as_bytes())?;
    Ok((before, route.name, input))
}

impl Desk {
    async fn open() -> Self {
        let clock = Arc::new(SharedClock(ManualClock::at(NOW_MILLIS)));
        let disk = Arc::<Disk>::default();
        let store = Arc::clone(&disk) as Arc<dyn Store>;
        let control = control_plane_over(store, Arc::clone(&clock) as _, Settings::default()).await;
        let subnets = control.ec2(control::ec2::Run::Wet);
        let subnets = subnets
            .describe_subnets(&Default::default())
            .expect("no filter");
        let subnets: Vec<_> = subnets
            .items
            .iter()
            .map(|it| it.subnet.id.to_string())
            .collect();
        let mut arns = Vec::new();
        for (name, is_managed) in [("shop", "true"), ("news", "true"), ("blog", "false")] {
            let input = CreateLoadBalancer {
                name: name.to_owned(),
                subnets: subnets.clone(),
                ..CreateLoadBalancer::default()
            };
            let created = control.create_load_balancer(input).await.expect(name);
            let arn = created.load_balancer.arn.to_string();
            let attribute = (
                "zonal_shift.config.enabled".to_owned(),
                is_managed.to_owned(),
            );
            let input = ModifyLoadBalancerAttributes {
                load_balancer_arn: arn.clone(),
                attributes: vec![attribute],
            };
            control
                .modify_load_balancer_attributes(input)
                .await
                .expect(name);
            arns.push((name, arn));
        }
        Self {
            control,
            clock,
            disk,
            arns,
            shifts: Numbers::of("([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"),
        }
    }

    async fn ask(&mut self, request: &str) -> String {
        let answer = match decode(&self.restore(request)) {
            Ok(("read-only", name, input)) => {
                let place = &self.control.settings().place;
                let is_read = OPERATIONS.reads.contains(&name);
                let service = Service::ArcZonalShift;
                let allowed = read_only().authorize(place, service, name, is_read, &input);
                Err(allowed.expect_err(request))
            }
            Ok((before, name, input)) => {
                let route = ROUTES.iter().find(|route| route.name == name).expect(name);
                self.disk
                    .is_full
                    .store(before == "unsaved", Ordering::SeqCst);
                let result = OPERATIONS.call(&self.control, name, &input).await;
                self.disk.is_full.store(false, Ordering::SeqCst);
                result.map(|value| (route.status, value))
            }
            Err(error) => Err(error),
        };
        let text = match answer {
            Ok((status, value)) => {
                let value = serde_json::to_string_pretty(&value).expect("JSON is text");
                format!("{status} {value}")
            }
            Err(error) => {
                let error = super::error::translate(error);
                format!(
                    "{} {} {}",
                    error.code,
                    error.status,
                    rest_json::error(&error)
                )
            }
        };
        self.name(&text)
    }

    fn restore(&self, request: &str) -> String {
        let (address, body) = request.split_at(request.find(" {").unwrap_or(request.len()));
        let (mut address, mut body) = (address.to_owned(), body.to_owned());
        for (name, arn) in &self.arns {
            let encoded = arn.replace(':', "%3A").replace('/', "%2F");
            address = address.replace(&format!("<{name}>"), &encoded);
            body = body.replace(&format!("<{name}>"), arn);
        }
        self.shifts.restore(&(address + &body))
    }

    fn name(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, arn) in &self.arns {
            text = text.replace(arn, &format!("<{name}>"));
        }
        self.shifts.name(&text)
    }
}
