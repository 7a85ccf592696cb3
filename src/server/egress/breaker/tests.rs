use proptest::prelude::*;

use super::*;

const HOST: &str = "https://a.example";

impl Breakers {
    fn ask(&self, now: Instant) -> Option<Permit<'_>> {
        self.acquire(HOST.to_owned(), now).ok()
    }

    /// Fails until the breaker opens at this time.
    fn open(&self, now: Instant) {
        (0..FAILURE_THRESHOLD).for_each(|_| self.ask(now).expect("closed").fail(now));
        assert!(self.ask(now).is_none(), "open");
    }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn it_opens_after_five_failures_in_a_row() {
    let (breakers, now) = (Breakers::default(), Instant::now());
    for _ in 0..2 {
        (1..FAILURE_THRESHOLD).for_each(|_| breakers.ask(now).expect("closed").fail(now));
        breakers.ask(now).expect("closed").succeed();
    }
    breakers.open(now);
    assert!(breakers.ask(now + seconds(5) - Duration::from_nanos(1)).is_none());
    assert!(breakers.ask(now + seconds(5)).is_some_and(|permit| permit.is_probe()));
    assert!(breakers.acquire("https://b.example".to_owned(), now).is_ok(), "another host");
}

#[test]
fn each_probe_that_fails_doubles_the_pause_up_to_a_minute() {
    let (breakers, mut now) = (Breakers::default(), Instant::now());
    breakers.open(now);
    for pause in [5, 10, 20, 40, 60, 60] {
        assert!(breakers.ask(now + seconds(pause) - Duration::from_nanos(1)).is_none(), "{pause}");
        now += seconds(pause);
        breakers.ask(now).expect("a probe").fail(now);
    }
    now += seconds(60);
    breakers.ask(now).expect("a probe").succeed();
    breakers.open(now);
    assert!(breakers.ask(now + seconds(5)).is_some(), "it begins anew");
}

#[test]
fn there_is_one_probe_at_a_time() {
    let (breakers, now) = (Breakers::default(), Instant::now() + seconds(60));
    breakers.open(now - seconds(5));
    let probe = breakers.ask(now).expect("a probe");
    assert!(breakers.ask(now).is_none());
    // A dropped probe is replaced immediately, a hanging one after its timeout.
    drop(probe);
    let hanging = breakers.ask(now).expect("a probe");
    assert!(breakers.ask(now + PROBE_TIMEOUT - Duration::from_nanos(1)).is_none());
    let next = breakers.ask(now + PROBE_TIMEOUT).expect("the next probe");
    // The outcome of the timed-out probe does not affect the next one.
    hanging.fail(now + PROBE_TIMEOUT);
    assert!(breakers.ask(now + PROBE_TIMEOUT + seconds(6)).is_none());
    next.succeed();
    assert!(breakers.ask(now + PROBE_TIMEOUT).is_some_and(|permit| !permit.is_probe()), "closed");
}

#[test]
fn requests_sent_before_it_opened_can_close_but_not_extend_it() {
    let (breakers, now) = (Breakers::default(), Instant::now());
    let [early, late] = [0, 1].map(|_| breakers.ask(now).expect("closed"));
    breakers.open(now);
    early.fail(now + seconds(4));
    assert!(breakers.ask(now + seconds(5)).is_some(), "the pause is as long as it was");
    late.succeed();
    assert!(breakers.ask(now).is_some_and(|permit| !permit.is_probe()));
}

#[test]
fn the_number_of_hosts_is_limited() {
    let (breakers, now) = (Breakers::default(), Instant::now());
    for number in 0..=MAX_HOSTS {
        breakers.acquire(format!("https://{number}.example"), now).expect("closed").fail(now);
    }
    assert!(breakers.lock().len() <= MAX_HOSTS);
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Ask,
    Succeed(usize),
    Fail(usize),
    Drop(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Ask),
        1 => any::<usize>().prop_map(Step::Succeed),
        6 => any::<usize>().prop_map(Step::Fail),
        2 => any::<usize>().prop_map(Step::Drop),
        3 => (1_u64..20).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn probes_never_overlap_and_no_breaker_stays_open_forever(steps in prop::collection::vec(step(), 1..80)) {
        let (breakers, mut now) = (Breakers::default(), Instant::now());
        let mut out: Vec<(Permit<'_>, Instant)> = Vec::new();
        for step in steps {
            let one = |index: usize| index.checked_rem(out.len());
            match step {
                Step::Ask => {
                    let probes = out.iter().filter(|(permit, since)| permit.is_probe() && now < *since + PROBE_TIMEOUT).count();
                    if let Some(permit) = breakers.ask(now) {
                        prop_assert!(!permit.is_probe() || probes == 0, "two probes");
                        out.push((permit, now));
                    }
                }
                Step::Succeed(index) => if let Some(index) = one(index) {
                    out.swap_remove(index).0.succeed();
                    prop_assert!(breakers.lock().is_empty(), "an answer closes it");
                    // The other permits are not probes of a closed breaker any more.
                    out.clear();
                },
                Step::Fail(index) => if let Some(index) = one(index) {
                    out.swap_remove(index).0.fail(now);
                },
                Step::Drop(index) => if let Some(index) = one(index) {
                    drop(out.swap_remove(index));
                },
                Step::Wait(seconds) => now += Duration::from_secs(seconds),
            }
        }
        drop(out);
        prop_assert!(breakers.ask(now + BACKOFF[1]).is_some(), "at the latest after the longest pause");
    }
}
