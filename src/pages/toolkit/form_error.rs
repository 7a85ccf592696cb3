//! What is wrong with a form, and where.

use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys};

use crate::domain::AppError;

/// What is wrong with one input.
pub fn field_error(error: Signal<Option<AppError>>, field: &'static str) -> Signal<Option<String>> {
    Signal::derive(move || error.with(|e| e.as_ref().filter(|e| e.field() == Some(field)).map(AppError::text)))
}

/// What is wrong with a form as a whole: everything that belongs to none of its inputs.
pub fn form_error(error: Signal<Option<AppError>>, fields: &'static [&'static str]) -> Signal<Option<String>> {
    Signal::derive(move || {
        let of_form = |e: &&AppError| e.field().is_none_or(|field| !fields.contains(&field));
        error.with(|e| e.as_ref().filter(of_form).map(AppError::text))
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
