//! Server actions of forms, with and without scripts.

use leptos::{prelude::*, server_fn::error::ServerFnUrlError};
use leptos_router::hooks::use_query_map;
use server_fn::ServerFn;

use crate::{
    components::SubmittedValues,
    domain::{AppError, FormValues},
};

/// Provides the submitted values of a form that failed without scripts. Call it once, around all pages.
pub fn provide_form_values() {
    #[cfg(feature = "ssr")]
    if let Some(parts) = use_context::<axum::http::request::Parts>()
        && let Some(form_values) = parts.extensions.get::<FormValues>()
    {
        provide_context(form_values.clone());
    }
}

/// Provides the submitted values to the inputs that follow, if this form failed without scripts.
fn provide_submitted_values<F: ServerFn>() {
    let failed = url_error::<F>().is_some();
    let form_values = use_context::<FormValues>().filter(|form_values| failed && form_values.form == F::PATH);
    provide_context(SubmittedValues(form_values.map(|form_values| form_values.fields).unwrap_or_default()));
}

/// The error in the URL after a submission without scripts to this server function.
pub fn url_error<F: ServerFn>() -> Option<AppError> {
    use_query_map().with_untracked(|query| {
        let sent_to = query.get_str("__path")?;
        let error = query.get_str("__err")?;
        (sent_to == F::PATH).then(|| ServerFnUrlError::<AppError>::decode_err(error))
    })
}

/// The action of a form. It starts with the error in the URL, if there is one, and provides the submitted values to the
/// inputs that are created after it.
pub fn form_action<F>() -> ServerAction<F>
where
    F: ServerFn<Error = AppError> + Clone + Send + Sync,
    F::Output: Send + Sync,
{
    provide_submitted_values::<F>();
    let action = ServerAction::<F>::new();
    // The framework keeps the error of an earlier page; only the one of this page counts.
    if url_error::<F>().is_none() {
        action.clear();
    }
    action
}

/// The error of an action.
pub fn action_error<F>(action: ServerAction<F>) -> Signal<Option<AppError>>
where
    F: ServerFn<Error = AppError> + Clone + Send + Sync,
    F::Output: Clone + Send + Sync,
{
    Signal::derive(move || action.value().get().and_then(Result::err))
}

/// Whether an action succeeded; `None` if it was not run on this page.
pub fn action_done<F>(action: ServerAction<F>) -> Signal<Option<bool>>
where
    F: ServerFn<Error = AppError> + Clone + Send + Sync,
    F::Output: Send + Sync,
{
    Signal::derive(move || action.value().with(|value| value.as_ref().map(Result::is_ok)))
}

/// Calls `then` with the output of an action whenever it succeeds.
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

/// The status message after an action succeeded: here, or without scripts, where the URL has the parameter `done`.
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

/// Like [`action_status`], with a custom success signal, which is `None` if the action was not run on this page.
pub fn done_status(
    pending: Signal<bool>,
    succeeded: Signal<Option<bool>>,
    done: &'static str,
    result: &'static str,
) -> Signal<Option<&'static str>> {
    let query = use_query_map();
    Signal::derive(move || {
        let has_done_parameter = || query.with(|query| query.get_str("done") == Some(done));
        (!pending.get() && succeeded.get().unwrap_or_else(has_done_parameter)).then_some(result)
    })
}
