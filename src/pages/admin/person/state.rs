use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::{
    domain::{AppError, PersonChange, Reset},
    pages::toolkit::form_action,
    server_fns::people::{ChangePerson, EndSignInOf, StartReset},
};

/// What is done with a person. It outlives what is shown of them, which is read anew after each change.
#[derive(Clone, Copy)]
pub struct PersonState {
    /// A change of the account.
    pub change: ServerAction<ChangePerson>,
    /// A reset of the password.
    pub reset: ServerAction<StartReset>,
    /// The end of one sign-in.
    pub end: ServerAction<EndSignInOf>,
    /// What was done last, as addresses name it.
    pub done: RwSignal<Option<String>>,
    /// The link of a reset that was just begun.
    pub link: RwSignal<Option<String>>,
    /// What went wrong last.
    pub error: RwSignal<Option<AppError>>,
}

impl PersonState {
    /// Tells `on_change` whenever the person must be read anew.
    pub fn new(on_change: Callback<()>) -> Self {
        let state = Self {
            change: form_action(),
            reset: form_action(),
            end: form_action(),
            done: RwSignal::new(use_query_map().with_untracked(|query| query.get("done"))),
            link: RwSignal::new(None),
            error: RwSignal::new(None),
        };
        // An error that a plain form brought back is there before anything is done.
        let brought = state.change.value().get_untracked().and_then(Result::err);
        let brought = brought.or_else(|| state.reset.value().get_untracked().and_then(Result::err));
        state.error.set(brought.or_else(|| state.end.value().get_untracked().and_then(Result::err)));
        let settle = move |result: Result<String, AppError>| {
            // What cannot be done any more is shown as it is now; what needs a proof is asked for.
            let reload = !matches!(&result, Err(AppError::Invalid { .. } | AppError::Transport));
            state.done.set(result.as_ref().ok().cloned());
            state.error.set(result.err());
            if reload {
                on_change.run(());
            }
        };
        Effect::new(move || {
            if let Some(result) = state.change.value().get() {
                settle(result.map(|change: PersonChange| change.name().to_owned()));
            }
        });
        Effect::new(move || match state.reset.value().get() {
            Some(Ok(Reset::Link(link))) => {
                state.link.set(Some(link));
                settle(Ok("reset".to_owned()));
            }
            Some(Ok(Reset::Mailed)) => settle(Ok("mailed".to_owned())),
            Some(Err(error)) => settle(Err(error)),
            None => {}
        });
        Effect::new(move || {
            if let Some(result) = state.end.value().get() {
                settle(result.map(|()| "ended".to_owned()));
            }
        });
        state
    }
}
