//! A circuit breaker for each host: one that does not answer is left alone for a while, so that nobody waits in vain.
//!
//! By hand, because `failsafe` lets everybody through at once after a pause, and because it and
//! `tower-resilience-circuitbreaker` read the system's clock, which no test can hold.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::error::EgressError;

/// So many failures in a row open a breaker.
const FAILURES: u32 = 5;
/// How long it stays open at first, and at most: each probe that fails doubles it.
const PAUSES: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(60)];
/// How long the others wait for a probe before the next one is let through.
const PROBE: Duration = Duration::from_secs(10);
/// Of how many hosts failures are kept. Where there are more, all are forgotten.
const HOSTS: usize = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed {
        failures: u32,
    },
    /// Nobody is let through before `until`. Whoever comes first then is the probe, and moves it on for the others.
    Open {
        until: Instant,
        pause: Duration,
    },
}

/// The breakers, by scheme, host and port. A host without failures has none.
#[derive(Debug, Default)]
pub(super) struct Breakers(Mutex<HashMap<String, State>>);

/// Leave to ask a host, until it is said how that went. A probe that ends without a word makes way for another one.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    breakers: &'a Breakers,
    host: String,
    /// Until when the others wait for it, where it is a probe.
    probe: Option<Instant>,
}

impl Breakers {
    /// Leave to ask a host now.
    pub fn admit(&self, host: String, now: Instant) -> Result<Permit<'_>, EgressError> {
        let mut probe = None;
        if let Some(State::Open { until, .. }) = self.lock().get_mut(&host) {
            if now < *until {
                return Err(EgressError::LeftAlone(host));
            }
            *until = now + PROBE;
            probe = Some(*until);
        }
        Ok(Permit { breakers: self, host, probe })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    pub fn is_probe(&self) -> bool {
        self.probe.is_some()
    }

    /// The host has answered.
    pub fn succeed(mut self) {
        self.probe = None;
        if let Some(State::Open { .. }) = self.breakers.lock().remove(&self.host) {
            tracing::info!(host = self.host, "a host answers again");
        }
    }

    /// It has not.
    pub fn fail(mut self, now: Instant) {
        let probe = self.probe.take();
        let mut states = self.breakers.lock();
        if states.len() >= HOSTS && !states.contains_key(&self.host) {
            states.clear();
        }
        let [first, longest] = PAUSES;
        let state = states.entry(self.host.clone()).or_insert(State::Closed { failures: 0 });
        match state {
            State::Closed { failures } if *failures + 1 < FAILURES => *failures += 1,
            State::Closed { .. } => {
                *state = State::Open { until: now + first, pause: first };
                tracing::warn!(
                    host = self.host,
                    "a host did not answer {FAILURES} times in a row: it is left alone for a while"
                );
            }
            State::Open { until, pause } if probe == Some(*until) => {
                *pause = longest.min(*pause * 2);
                *until = now + *pause;
            }
            // It was asked before the breaker opened, or so long ago that another probe is out.
            State::Open { .. } => {}
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let Some(probe) = self.probe else { return };
        if let Some(State::Open { until, .. }) = self.breakers.lock().get_mut(&self.host)
            && *until == probe
        {
            *until -= PROBE;
        }
    }
}

#[cfg(test)]
mod tests;
