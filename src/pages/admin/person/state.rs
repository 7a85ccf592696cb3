use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::{
    domain::{AppError, PasswordReset, PersonChange},
    pages::toolkit::form_action,
    server_fns::people::{ChangePerson, EndSignInOf, StartReset},
};

/// The actions on a person. They outlive the data, which is reloaded after each change.
#[derive(Clone, Copy)]
pub struct PersonState {
    /// Changes the account.
    pub change: ServerAction<ChangePerson>,
    /// Resets the password.
    pub reset: ServerAction<StartReset>,
    /// Ends one session.
    pub end: ServerAction<EndSignInOf>,
    /// The last action, as in the URL parameter `done`.
    pub done: RwSignal<Option<String>>,
    /// The link of a reset that was just started.
    pub link: RwSignal<Option<String>>,
    /// The last error.
    pub error: RwSignal<Option<AppError>>,
}

impl PersonState {
    /// Calls `on_change` whenever the person must be reloaded.
    pub fn new(on_change: Callback<()>) -> Self {
        let state = Self {
            change: form_action(),
            reset: form_action(),
            end: form_action(),
            done: RwSignal::new(use_query_map().with_untracked(|query| query.get("done"))),
            link: RwSignal::new(None),
            error: RwSignal::new(None),
        };
        // The actions start with the error of a submission without scripts, if there is one.
        let url_error = state.change.value().get_untracked().and_then(Result::err);
        let url_error = url_error.or_else(|| state.reset.value().get_untracked().and_then(Result::err));
        state.error.set(url_error.or_else(|| state.end.value().get_untracked().and_then(Result::err)));
        let handle_result = move |result: Result<String, AppError>| {
            // Reload after most errors too: the person may have changed, or re-authentication may be required.
            let reload = !matches!(&result, Err(AppError::Invalid { .. } | AppError::Transport | AppError::Unreadable));
            state.done.set(result.as_ref().ok().cloned());
            state.error.set(result.err());
            if reload {
                on_change.run(());
            }
        };
        Effect::new(move || {
            if let Some(result) = state.change.value().get() {
                handle_result(result.map(|change: PersonChange| change.name().to_owned()));
            }
        });
        Effect::new(move || match state.reset.value().get() {
            Some(Ok(PasswordReset::Link(link))) => {
                state.link.set(Some(link));
                handle_result(Ok("reset".to_owned()));
            }
            Some(Ok(PasswordReset::Mailed)) => handle_result(Ok("mailed".to_owned())),
            Some(Err(error)) => handle_result(Err(error)),
            None => {}
        });
        Effect::new(move || {
            if let Some(result) = state.end.value().get() {
                handle_result(result.map(|()| "ended".to_owned()));
            }
        });
        state
    }
}
