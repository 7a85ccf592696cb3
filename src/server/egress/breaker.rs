//! A circuit breaker per host: no requests are sent for a while to a host that repeatedly failed to answer.
//!
//! Not a crate: `failsafe` lets all requests through at the same time after the pause, and both it and
//! `tower-resilience-circuitbreaker` read the system clock, which tests cannot control.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::error::EgressError;

/// The number of consecutive failures that opens a breaker.
const FAILURE_THRESHOLD: u32 = 5;
/// The first and the longest pause of an open breaker: each failed probe doubles the pause.
const BACKOFF: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(60)];
/// The timeout of a probe, after which the next one is allowed.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum number of hosts with failures. When it is reached, all are forgotten.
const MAX_HOSTS: usize = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed {
        failures: u32,
    },
    /// No request is allowed before `until`. The first one after that is the probe; it extends `until` for the others.
    Open {
        until: Instant,
        pause: Duration,
    },
}

/// The breakers by scheme, host and port. A host without failures has no entry.
#[derive(Debug, Default)]
pub(super) struct Breakers(Mutex<HashMap<String, State>>);

/// Permission to send a request to a host; its outcome must be reported. If a probe is dropped without an outcome,
/// another one may follow.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    breakers: &'a Breakers,
    host: String,
    /// The deadline of the probe; `None` if the request is not a probe.
    probe: Option<Instant>,
}

impl Breakers {
    /// Acquires permission to send a request to a host now.
    pub fn acquire(&self, host: String, now: Instant) -> Result<Permit<'_>, EgressError> {
        let mut probe = None;
        if let Some(State::Open { until, .. }) = self.lock().get_mut(&host) {
            if now < *until {
                return Err(EgressError::CircuitOpen(host));
            }
            *until = now + PROBE_TIMEOUT;
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

    /// Records that the host answered.
    pub fn succeed(mut self) {
        self.probe = None;
        if let Some(State::Open { .. }) = self.breakers.lock().remove(&self.host) {
            tracing::info!(host = self.host, "circuit breaker closed: the host answers again");
        }
    }

    /// Records that the host did not answer.
    pub fn fail(mut self, now: Instant) {
        let probe = self.probe.take();
        let mut states = self.breakers.lock();
        if states.len() >= MAX_HOSTS && !states.contains_key(&self.host) {
            states.clear();
        }
        let [first, longest] = BACKOFF;
        let state = states.entry(self.host.clone()).or_insert(State::Closed { failures: 0 });
        match state {
            State::Closed { failures } if *failures + 1 < FAILURE_THRESHOLD => *failures += 1,
            State::Closed { .. } => {
                *state = State::Open { until: now + first, pause: first };
                tracing::warn!(
                    host = self.host,
                    "circuit breaker opened: the host did not answer {FAILURE_THRESHOLD} times in a row"
                );
            }
            State::Open { until, pause } if probe == Some(*until) => {
                *pause = longest.min(*pause * 2);
                *until = now + *pause;
            }
            // The request was sent before the breaker opened, or so long ago that another probe is running.
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
            *until -= PROBE_TIMEOUT;
        }
    }
}

#[cfg(test)]
mod tests;
