//! Errors of forms, with and without scripts.

use leptos::{prelude::*, server_fn::error::ServerFnUrlError, wasm_bindgen::JsCast, web_sys};
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
