use leptos::prelude::*;

use crate::{
    components::browser,
    domain::{AppError, on_error},
};

/// Whether the user is still signed in while the page is open.
#[derive(Clone, Copy)]
pub struct SignInState {
    /// Whether the session has ended. Automatic requests pause then.
    pub ended: RwSignal<bool>,
}

impl SignInState {
    /// Gets the state from the context.
    pub fn expect() -> Self {
        expect_context()
    }

    /// The state of a signed-in user.
    pub fn new() -> Self {
        Self { ended: RwSignal::new(false) }
    }

    /// Sets [`Self::ended`] when any request of the page fails because the user is signed out. If one fails because
    /// of the connection, checks it.
    pub fn watch(self) {
        Effect::new(move || {
            on_error(move |error| match error {
                AppError::Unauthenticated => {
                    // A response may arrive after the page is disposed.
                    self.ended.try_set(true);
                }
                AppError::Transport | AppError::Unreadable => browser::check_connection(),
                _ => {}
            });
        });
    }

    /// Call it after a successful request: the user is signed in, perhaps again, in another tab.
    pub fn mark_signed_in(self) {
        // Every change reruns the effects that depend on the signal, so set it only if it differs.
        if self.ended.try_get_untracked() == Some(true) {
            self.ended.set(false);
        }
    }
}
