//! Errors of forms and their fields.

use leptos::prelude::*;

use super::input::focus_soon;
use crate::domain::AppError;

/// The error message of one field.
pub fn field_error(error: Signal<Option<AppError>>, field: &'static str) -> Signal<Option<String>> {
    Signal::derive(move || error.with(|e| e.as_ref().filter(|e| e.field() == Some(field)).map(AppError::text)))
}

/// The error message of a form as a whole: any error that does not belong to one of its `fields`.
pub fn form_error(error: Signal<Option<AppError>>, fields: &'static [&'static str]) -> Signal<Option<String>> {
    Signal::derive(move || {
        let of_form = |e: &&AppError| e.field().is_none_or(|field| !fields.contains(&field));
        error.with(|e| e.as_ref().filter(of_form).map(AppError::text))
    })
}

/// Focuses the invalid field, or else the error message with the id `form`.
pub fn focus_error(error: Signal<Option<AppError>>, fields: &'static [&'static str], form: &'static str) {
    Effect::new(move || {
        let Some(error) = error.get() else { return };
        let id = error.field().filter(|field| fields.contains(field)).unwrap_or(form).to_owned();
        focus_soon(id);
    });
}
