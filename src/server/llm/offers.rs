//! What an endpoint offers, remembered for a while, so that no page waits for a provider for long.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, timeout};

use super::openai::Endpoint;

/// The most names that are kept of one provider.
const NAMES: usize = 1_000;

/// How long lists of models last, and how long one waits for them.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// How long a list is taken as it is.
    pub fresh: Duration,
    /// How long a provider that did not answer is left in peace.
    pub pause: Duration,
    /// The longest that anybody waits for a provider.
    pub patience: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self { fresh: Duration::from_secs(60), pause: Duration::from_secs(10), patience: Duration::from_secs(3) }
    }
}

/// The last list of one endpoint.
#[derive(Debug, Clone)]
pub struct Offers(Arc<Known>);

#[derive(Debug)]
struct Known {
    times: Times,
    state: Mutex<State>,
    /// Held by whoever asks the endpoint: one at a time.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default, Clone)]
struct State {
    /// Empty where the endpoint did not answer.
    names: Arc<[String]>,
    /// When the list was asked for last, and whether it came.
    asked: Option<(Instant, bool)>,
}

impl Offers {
    /// Nothing is known yet.
    pub fn new(times: Times) -> Self {
        Self(Arc::new(Known { times, state: Mutex::default(), asking: tokio::sync::Mutex::default() }))
    }

    /// The names of the endpoint's models, in its order; none where it does not answer. Only the first asker waits, and
    /// and not for long: afterwards there is a last list, which is renewed behind the back of whoever reads it.
    pub async fn of(&self, endpoint: &Arc<Endpoint>) -> Arc<[String]> {
        let state = self.state();
        let Some((at, came)) = state.asked else {
            self.renew(endpoint, None).await;
            return self.state().names;
        };
        if at.elapsed() >= if came { self.0.times.fresh } else { self.0.times.pause } {
            let (offers, endpoint) = (self.clone(), Arc::clone(endpoint));
            tokio::spawn(async move { offers.renew(&endpoint, Some(at)).await });
        }
        state.names
    }

    fn state(&self) -> State {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks, unless another has done so since `last`.
    async fn renew(&self, endpoint: &Endpoint, last: Option<Instant>) {
        let _asking = self.0.asking.lock().await;
        if self.state().asked.map(|(at, _)| at) != last {
            return;
        }
        let answer = timeout(self.0.times.patience, endpoint.models()).await;
        let names = match answer {
            Ok(Ok(names)) => Some(names.into_iter().take(NAMES).collect()),
            Ok(Err(fault)) => {
                tracing::debug!(%fault, "a provider did not list its models");
                None
            }
            Err(_) => None,
        };
        let asked = Some((Instant::now(), names.is_some()));
        let state = State { names: names.unwrap_or_default(), asked };
        *self.0.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}
