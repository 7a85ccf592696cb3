//! The actions behind forms, with and without scripts.

use leptos::{prelude::*, server_fn::error::ServerFnUrlError};
use leptos_router::hooks::use_query_map;
use server_fn::ServerFn;

use crate::{
    components::Kept,
    domain::{AppError, Typed},
};

/// Remembers what the request brought of a form that failed. Call it once, around all pages.
pub fn provide_typed() {
    #[cfg(feature = "ssr")]
    if let Some(parts) = use_context::<axum::http::request::Parts>()
        && let Some(typed) = parts.extensions.get::<Typed>()
    {
        provide_context(typed.clone());
    }
}

/// Gives the inputs that follow what was typed into this form, where it has failed without scripts.
fn provide_kept<F: ServerFn>() {
    let failed = url_error::<F>().is_some();
    let typed = use_context::<Typed>().filter(|typed| failed && typed.form == F::PATH);
    provide_context(Kept(typed.map(|typed| typed.fields).unwrap_or_default()));
}

/// The error that a plain form brought back in the URL, if it was sent to this server function.
pub fn url_error<F: ServerFn>() -> Option<AppError> {
    use_query_map().with_untracked(|query| {
        let sent_to = query.get_str("__path")?;
        let error = query.get_str("__err")?;
        (sent_to == F::PATH).then(|| ServerFnUrlError::<AppError>::decode_err(error))
    })
}

/// The action behind a form. Begins with the error in the URL, where there is one, and gives the inputs that are made
/// after it what was typed into them.
pub fn form_action<F>() -> ServerAction<F>
where
    F: ServerFn<Error = AppError> + Clone + Send + Sync,
    F::Output: Send + Sync,
{
    provide_kept::<F>();
    let action = ServerAction::<F>::new();
    // The framework remembers the error of an earlier page; only the one of this page counts.
    if url_error::<F>().is_none() {
        action.clear();
    }
    action
}

/// What went wrong with an action.
pub fn action_error<F>(action: ServerAction<F>) -> Signal<Option<AppError>>
where
    F: ServerFn<Error = AppError> + Clone + Send + Sync,
    F::Output: Clone + Send + Sync,
{
    Signal::derive(move || action.value().get().and_then(Result::err))
}

/// Whether an action was done: nothing where it was not tried on this page.
pub fn action_done<F>(action: ServerAction<F>) -> Signal<Option<bool>>
where
    F: ServerFn<Error = AppError> + Clone + Send + Sync,
    F::Output: Send + Sync,
{
    Signal::derive(move || action.value().with(|value| value.as_ref().map(Result::is_ok)))
}

/// Calls `then` with what came of an action whenever it was done.
pub fn on_success<F>(action: ServerAction<F>, then: impl Fn(F::Output) + 'static)
where
    F: ServerFn<Error = AppError> + Clone + Send + Sync,
    F::Output: Clone + Send + Sync,
{
    Effect::new(move || {
        if let Some(Ok(output)) = action.value().get() {
            then(output);
        }
    });
}

/// What is said once an action was done: here, or by a plain form, after which the address says `done`.
pub fn action_status<F>(
    action: ServerAction<F>,
    done: &'static str,
    result: &'static str,
) -> Signal<Option<&'static str>>
where
    F: ServerFn<Error = AppError> + Clone + Send + Sync,
    F::Output: Send + Sync,
{
    done_status(action.pending().into(), action_done(action), done, result)
}

/// The same for an action that is `saved` in a way of its own; nothing where it was not tried on this page.
pub fn done_status(
    pending: Signal<bool>,
    saved: Signal<Option<bool>>,
    done: &'static str,
    result: &'static str,
) -> Signal<Option<&'static str>> {
    let query = use_query_map();
    Signal::derive(move || {
        let named = || query.with(|query| query.get_str("done") == Some(done));
        (!pending.get() && saved.get().unwrap_or_else(named)).then_some(result)
    })
}
