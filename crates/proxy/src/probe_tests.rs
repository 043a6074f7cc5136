//! When checks are sent and when health changes, to the millisecond, under a clock that only the test moves.
//!
//! The clock of the event loop stands still and is moved by hand, and the loop is never without work, so that it
//! does not move the clock by itself. Whether everything that was due has been done is known from counts: checks
//! under way, and checks that the target is told to keep waiting.

#[path = "probe_tests/target.rs"]
mod target;

use engine::{PoolSettings, Reach};
use model::health_check::Matcher;
use tokio::runtime::{Builder, LocalOptions};
use tokio::task::yield_now;
use tokio::time::advance;

use super::*;
use target::Target;

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Longest wait for what must happen, in the time of the machine; only a failing test ever waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// The settings of the target group of SuperTokens' guide to load balancers.
fn guide() -> HealthCheck {
    HealthCheck {
        path: "/hello".to_owned(),
        interval: Duration::from_secs(30),
        timeout: Duration::from_secs(10),
        healthy_threshold: 5,
        unhealthy_threshold: 2,
        matcher: Matcher::Http("200".parse().unwrap()),
        ..HealthCheck::default()
    }
}

/// The prober with targets of one pool.
struct Scene {
    prober: Prober,
    targets: Vec<Rc<Target>>,
    /// That of all targets.
    reach: Reach,
}

impl Scene {
    async fn start(check: HealthCheck, scripts: &[&str]) -> Self {
        let tls = HealthCheckTls::new().expect("the TLS library is the expected one");
        let mut targets = Vec::new();
        for script in scripts {
            targets.push(Target::listen(script).await);
        }
        let mut scene = Self {
            prober: Prober::new(tls, Arc::default()),
            targets,
            reach: Reach::FULL,
        };
        scene.publish(check);
        scene.settle().await;
        scene
    }

    fn publish(&mut self, check: HealthCheck) {
        let endpoints = self.targets.iter().map(|it| {
            Arc::new(Endpoint {
                reach: self.reach,
                ..Endpoint::clone(&it.endpoint)
            })
        });
        let pool = Pool::new(
            PoolId(1),
            PoolSettings::new(check),
            endpoints.collect(),
            None,
        );
        self.prober.follow(&Snapshot {
            pools: vec![Arc::new(pool)],
            ..Snapshot::default()
        });
    }

    /// Returns when everything that is due at this moment has been done.
    async fn settle(&self) {
        // A check is under way within one turn of the event loop after it is due.
        for _ in 0..4 {
            yield_now().await;
        }
        let start = std::time::Instant::now();
        // Nothing holds a check up but its target.
        while self.under_way() != self.kept_waiting() {
            assert!(
                start.elapsed() < PATIENCE,
                "{} checks are under way, of which the targets keep {} waiting",
                self.under_way(),
                self.kept_waiting()
            );
            yield_now().await;
        }
        for target in &self.targets {
            target.note_health();
        }
    }

    fn under_way(&self) -> usize {
        CHECKS_MAX - self.prober.shared.permits.available_permits()
    }

    fn kept_waiting(&self) -> usize {
        self.targets.iter().map(|it| it.kept_waiting.get()).sum()
    }

    /// Moves the clock on, and looks at each full second and in the last millisecond before it.
    async fn advance(&self, seconds: u64) {
        for _ in 0..seconds {
            for step in [SECOND - MILLISECOND, MILLISECOND] {
                advance(step).await;
                self.settle().await;
            }
        }
    }
}

fn run(test: impl Future<Output = ()>) {
    Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build_local(LocalOptions::default())
        .expect("an event loop")
        .block_on(test);
}

/// What happens to a target that answers its checks like this, up to the check behind the last one.
fn check(config: HealthCheck, answers: &str, expected: &[&str]) {
    run(async {
        let seconds = config.interval.as_secs() * answers.split_whitespace().count() as u64;
        let scene = Scene::start(config, &[answers]).await;
        scene.advance(seconds - 1).await;
        assert_eq!(scene.targets[0].history(), expected, "{answers}");
    });
}

#[test]
fn a_fresh_target_is_healthy_after_one_pass() {
    check(guide(), "200 200", &["0 check healthy", "30 check"]);
    check(guide(), "500 200", &["0 check", "30 check healthy"]);
}

#[test]
fn two_failures_in_a_row_take_a_target_out_and_five_passes_bring_it_back() {
    check(
        guide(),
        "200 500 200 500 500 200 200 200 200 500 200 200 200 200 200 500 200",
        &[
            "0 check healthy",
            "30 check",
            "60 check",
            "90 check",
            "120 check unhealthy:ResponseCodeMismatch(500)",
            "150 check",
            "180 check",
            "210 check",
            "240 check",
            // Four were not enough, and the count starts again.
            "270 check",
            "300 check",
            "330 check",
            "360 check",
            "390 check",
            "420 check healthy",
            "450 check",
            "480 check",
        ],
    );
}

#[test]
fn a_fresh_target_is_unhealthy_after_two_failures() {
    check(
        guide(),
        "500 500",
        &["0 check", "30 check unhealthy:ResponseCodeMismatch(500)"],
    );
}

#[test]
fn a_check_is_given_up_after_its_timeout() {
    check(
        guide(),
        "200 silent silent 200",
        &[
            "0 check healthy",
            "30 check",
            "40 given-up",
            "60 check",
            "70 given-up unhealthy:Timeout",
            "90 check",
        ],
    );
}

#[test]
fn a_check_that_does_not_get_through_is_given_up_after_its_timeout_and_no_packet_is_sent() {
    run(async {
        let mut scene = Scene::start(guide(), &["200 200"]).await;
        scene.advance(10).await;
        scene.reach.admits_checks = false;
        scene.publish(guide());
        scene.advance(25).await;
        assert_eq!(scene.under_way(), 0, "others may be checked meanwhile");
        scene.advance(45).await;
        let checks = &scene.prober.shared.counters.health_checks;
        assert_eq!(checks.value(), 1, "the one before");
        scene.reach = Reach {
            admits_requests: false,
            admits_checks: true,
        };
        scene.publish(guide());
        scene.advance(15).await;
        assert_eq!(
            scene.targets[0].history(),
            ["0 check healthy", "70 unhealthy:Timeout", "90 check"],
            "not a check at 30 and at 60; that at 90 is due as before"
        );
    });
}

#[test]
fn a_slow_answer_in_time_passes_and_shifts_no_check() {
    check(
        guide(),
        "9.999s 9.999s",
        &["0 check", "9.999 healthy", "30 check"],
    );
}

#[test]
fn only_the_success_codes_pass() {
    check(
        guide(),
        "200 204 204",
        &[
            "0 check healthy",
            "30 check",
            "60 check unhealthy:ResponseCodeMismatch(204)",
        ],
    );
    let range = HealthCheck {
        matcher: Matcher::Http("200-204".parse().unwrap()),
        ..guide()
    };
    check(range, "204", &["0 check healthy"]);
}

#[test]
fn each_target_is_checked_once_in_each_interval_whatever_the_others_do() {
    run(async {
        let scene = Scene::start(guide(), &["200 200 200", "silent 9s 200"]).await;
        scene.advance(89).await;
        let [quick, slow] = [0, 1].map(|at| scene.targets[at].history());
        assert_eq!(quick, ["0 check healthy", "30 check", "60 check"]);
        let slow_ones = [
            "0 check",
            "10 given-up",
            "30 check",
            "39 healthy",
            "60 check",
        ];
        assert_eq!(slow, slow_ones);
    });
}

#[test]
fn a_change_elsewhere_leaves_the_next_check_where_it_was_and_new_settings_begin_at_once() {
    run(async {
        let mut scene = Scene::start(guide(), &["200 200 200 200 200"]).await;
        scene.advance(10).await;
        scene.publish(guide());
        scene.advance(30).await;
        let every_ten = HealthCheck {
            interval: Duration::from_secs(10),
            timeout: Duration::from_secs(5),
            ..guide()
        };
        scene.publish(every_ten);
        scene.settle().await;
        scene.advance(29).await;
        assert_eq!(
            scene.targets[0].history(),
            [
                "0 check healthy",
                "30 check",
                "40 check",
                "50 check",
                "60 check"
            ]
        );
    });
}

#[test]
fn a_check_that_has_to_wait_is_counted_once() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let shared = Shared {
            permits: Semaphore::new(1),
            counters: Arc::default(),
            start: Instant::now(),
        };
        let waited = || shared.counters.health_checks_over_limit.value();
        let first = shared.permit().await;
        assert_eq!(waited(), 0);
        let (_second, ()) = tokio::join!(shared.permit(), async {
            assert_eq!(waited(), 1);
            drop(first);
        });
        assert_eq!(waited(), 1);
    });
}
