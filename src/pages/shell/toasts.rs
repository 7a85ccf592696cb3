use leptos::prelude::*;

use crate::domain::{AppError, ChatId};

/// What floats above every page for a while.
#[derive(Clone, Copy)]
pub struct Toasts {
    /// Chats that were just deleted and can be brought back.
    pub deleted: RwSignal<Vec<ChatId>>,
    /// Why something could not be done with a chat.
    pub problem: RwSignal<Option<AppError>>,
}

impl Toasts {
    /// No toasts.
    pub fn new() -> Self {
        Self { deleted: RwSignal::new(Vec::new()), problem: RwSignal::new(None) }
    }

    /// Says why something could not be done. That the sign-in has ended is said above the page.
    pub fn fail(self, error: AppError) {
        if error != AppError::Unauthenticated {
            self.problem.try_set(Some(error));
        }
    }
}
