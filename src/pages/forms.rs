//! Errors of forms, with and without scripts.

use leptos::{prelude::*, server_fn::error::ServerFnUrlError, wasm_bindgen::JsCast, web_sys};
use leptos_router::hooks::use_query_map;
use server_fn::ServerFn;

use crate::domain::AppError;

/// The error that a plain form brought back in the URL, if it was sent to this server function.
pub fn url_error<F: ServerFn>() -> Option<AppError> {
    use_query_map().with_untracked(|query| {
        let sent_to = query.get_str("__path")?;
        let error = query.get_str("__err")?;
        (sent_to == F::PATH).then(|| ServerFnUrlError::<AppError>::decode_err(error))
    })
}

/// The action behind a form. Begins with the error in the URL, where there is one.
pub fn form_action<F>() -> ServerAction<F>
where
    F: ServerFn<Error = AppError> + Clone + Send + Sync,
    F::Output: Send + Sync,
{
    let action = ServerAction::<F>::new();
    // The framework remembers the error of an earlier page; only the one of this page counts.
    if url_error::<F>().is_none() {
        action.clear();
    }
    action
}

/// What is wrong with one input.
pub fn field_error(error: Signal<Option<AppError>>, field: &'static str) -> Signal<Option<String>> {
    Signal::derive(move || error.with(|e| e.as_ref().filter(|e| e.field() == Some(field)).map(ToString::to_string)))
}

/// What is wrong with a form as a whole: everything that belongs to none of its inputs.
pub fn form_error(error: Signal<Option<AppError>>, fields: &'static [&'static str]) -> Signal<Option<String>> {
    Signal::derive(move || {
        let of_form = |e: &&AppError| e.field().is_none_or(|field| !fields.contains(&field));
        error.with(|e| e.as_ref().filter(of_form).map(ToString::to_string))
    })
}

/// Moves the focus to what is wrong: the input, or else the sentence with the id `form`.
pub fn focus_error(error: Signal<Option<AppError>>, fields: &'static [&'static str], form: &'static str) {
    Effect::new(move || {
        let Some(error) = error.get() else { return };
        let id = error.field().filter(|field| fields.contains(field)).unwrap_or(form).to_owned();
        // The sentence is put into the page after this effect.
        request_animation_frame(move || {
            if let Some(element) = document().get_element_by_id(&id) {
                // Focusing an element of the page does not fail.
                let _ = element.unchecked_into::<web_sys::HtmlElement>().focus();
            }
        });
    });
}
