//! What every request can reach.

use std::sync::Arc;

use axum::extract::FromRef;
use leptos::prelude::LeptosOptions;
use tokio_util::sync::CancellationToken;

use super::{clock::Clock, config::Config};

/// The parts of the running server, shared by cloning.
#[derive(Clone, Debug)]
pub struct AppState {
    /// What the operator decided.
    pub config: Arc<Config>,
    /// The time and new ids.
    pub clock: Clock,
    /// Where the page's scripts and styles are.
    pub leptos_options: LeptosOptions,
    /// Cancelled when the server begins to stop.
    pub stopping: CancellationToken,
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos_options.clone()
    }
}
