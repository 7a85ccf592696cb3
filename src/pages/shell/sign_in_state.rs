use leptos::prelude::*;

use crate::domain;

/// Whether the person is still signed in while pages of theirs are open.
#[derive(Clone, Copy)]
pub struct SignInState {
    /// Whether the sign-in has ended. Nothing is asked for by itself then.
    pub ended: RwSignal<bool>,
}

impl SignInState {
    /// The state around this page.
    pub fn expect() -> Self {
        expect_context()
    }

    /// The state of somebody who is signed in.
    pub fn new() -> Self {
        Self { ended: RwSignal::new(false) }
    }

    /// Notices when the server answers whatever the open page asks with that nobody is signed in.
    pub fn watch(self) {
        Effect::new(move || {
            domain::on_signed_out(move || {
                // An answer may come after the page is gone.
                self.ended.try_set(true);
            });
        });
    }

    /// Whoever asked is signed in, perhaps again, in another tab.
    pub fn holds(self) {
        // What follows the signal begins anew with each change, so that it must change only where it has to.
        if self.ended.try_get_untracked() == Some(true) {
            self.ended.set(false);
        }
    }
}
