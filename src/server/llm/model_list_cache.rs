//! A cache of a provider's model list, so that pages do not wait long for a provider.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::remote::{Interface, ModelList};

/// The maximum number of names cached per provider.
const MAX_NAMES: usize = 1_000;

/// How long model lists are cached, and how long callers wait for them.
#[derive(Debug, Clone, Copy)]
pub struct ModelListTimings {
    /// How long a list is fresh.
    pub ttl: Duration,
    /// How long to wait before a provider that did not respond is queried again.
    pub retry_delay: Duration,
    /// The maximum time to wait for a provider.
    pub timeout: Duration,
}

impl Default for ModelListTimings {
    fn default() -> Self {
        Self { ttl: Duration::from_secs(60), retry_delay: Duration::from_secs(10), timeout: Duration::from_secs(3) }
    }
}

/// The cached model list of one provider.
#[derive(Debug, Clone)]
pub struct ModelListCache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The provider's name, for the log.
    name: String,
    timings: ModelListTimings,
    state: Mutex<State>,
    /// Held while the provider is queried, so that there is one query at a time.
    refreshing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default, Clone)]
struct State {
    /// Empty if the provider did not respond.
    list: Arc<ModelList>,
    /// When the list was last requested, and whether the request succeeded.
    requested: Option<(Instant, bool)>,
    /// The problem that was logged last. Logged again only when it changes.
    logged: String,
}

impl ModelListCache {
    /// An empty cache for this provider.
    pub fn new(name: &str, timings: ModelListTimings) -> Self {
        Self(Arc::new(Inner {
            name: name.to_owned(),
            timings,
            state: Mutex::default(),
            refreshing: tokio::sync::Mutex::default(),
        }))
    }

    /// The provider's models in its order. Empty if it does not respond. Only the first caller waits, at most
    /// for the timeout. Later callers get the cached list, and a stale one is refreshed in the background.
    pub async fn get(&self, interface: &Arc<dyn Interface>) -> Arc<ModelList> {
        let state = self.state();
        let Some((at, succeeded)) = state.requested else {
            self.refresh(&**interface, None).await;
            return self.state().list;
        };
        if at.elapsed() >= if succeeded { self.0.timings.ttl } else { self.0.timings.retry_delay } {
            let (cache, interface) = (self.clone(), Arc::clone(interface));
            tokio::spawn(async move { cache.refresh(&*interface, Some(at)).await });
        }
        state.list
    }

    fn state(&self) -> State {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Queries the provider, unless another task has done so since `last`.
    async fn refresh(&self, interface: &dyn Interface, last: Option<Instant>) {
        let _guard = self.0.refreshing.lock().await;
        if self.state().requested.map(|(at, _)| at) != last {
            return;
        }
        let (list, problems) = match interface.list_models(self.0.timings.timeout).await {
            Ok(mut listed) => {
                let problems = listed.problems();
                listed.truncate(MAX_NAMES);
                (Some(Arc::new(listed)), problems)
            }
            Err(fault) => (None, format!("{}; check `base_url`, or name its models with `models`", fault.detail)),
        };
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        if problems != state.logged {
            let (provider, succeeded) = (&self.0.name, list.is_some());
            match (problems.as_str(), succeeded) {
                ("", _) => tracing::info!(provider, "the provider's model list is available again"),
                (problems, true) => tracing::warn!(provider, problems, "the provider's model list has invalid entries"),
                (problems, false) => tracing::warn!(provider, problems, "cannot list the provider's models"),
            }
        }
        let requested = Some((Instant::now(), list.is_some()));
        *state = State { list: list.unwrap_or_default(), requested, logged: problems };
    }
}
