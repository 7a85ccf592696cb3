use leptos::prelude::*;

use crate::domain::{AppError, ChatAction, ChatId};

/// The content of the toasts above every page.
#[derive(Clone, Copy)]
pub struct Toasts {
    /// The last action that made chats disappear, and these chats, so that it can be undone.
    pub undo: RwSignal<Option<(ChatAction, Vec<ChatId>)>>,
    /// Why the last chat action failed.
    pub error: RwSignal<Option<AppError>>,
}

impl Toasts {
    /// Creates the state without toasts.
    pub fn new() -> Self {
        Self { undo: RwSignal::new(None), error: RwSignal::new(None) }
    }

    /// Shows an error. The end of the session is not shown here: there is a notice above the page.
    pub fn show_error(self, error: AppError) {
        if error != AppError::Unauthenticated {
            self.error.try_set(Some(error));
        }
    }
}
