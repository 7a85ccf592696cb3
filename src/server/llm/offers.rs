//! What an endpoint offers, remembered for a while, so that no page waits for a provider for long.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

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
    /// The provider, for the log.
    name: String,
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
    /// What the log was told of it last: once is enough.
    logged: String,
}

impl Offers {
    /// Nothing is known yet of what this provider offers.
    pub fn new(name: &str, times: Times) -> Self {
        Self(Arc::new(Known {
            name: name.to_owned(),
            times,
            state: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        }))
    }

    /// The names of the endpoint's models, in its order; none where it does not answer. Only the first asker waits, and
    /// not for long: afterwards there is a last list, which is renewed behind the back of whoever reads it.
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
        let (names, complaint) = match endpoint.models(self.0.times.patience).await {
            Ok(listed) => (Some(listed.names.iter().take(NAMES).cloned().collect()), listed.complaint()),
            Err(fault) => (None, format!("{}; check `base_url`, or name its models with `models`", fault.detail)),
        };
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        if complaint != state.logged {
            let (provider, came) = (&self.0.name, names.is_some());
            match (complaint.as_str(), came) {
                ("", _) => tracing::info!(provider, "the provider lists its models again"),
                (complaint, true) => tracing::warn!(provider, complaint, "not all of the provider's list is of use"),
                (complaint, false) => tracing::warn!(provider, complaint, "the provider does not list its models"),
            }
        }
        let asked = Some((Instant::now(), names.is_some()));
        *state = State { names: names.unwrap_or_default(), asked, logged: complaint };
    }
}
