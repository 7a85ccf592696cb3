//! Password strength, shown while the user types.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local, web_sys};

use super::{form_error::field_error, input::input_value};
use crate::{
    components::Field,
    domain::{AppError, PasswordRating},
    i18n,
    server_fns::account::rate_password,
};

const DEBOUNCE: Duration = Duration::from_millis(300);

/// The field `password` for a new password, with its strength.
#[component]
pub fn NewPasswordField(
    /// The visible label.
    label: &'static str,
    /// The rating of the current input.
    rating: RwSignal<Option<PasswordRating>>,
    /// The error of the form.
    error: Signal<Option<AppError>>,
) -> impl IntoView {
    let (error, edited) = (field_error(error, "password"), RwSignal::new(false));
    let shown_error = Signal::derive(move || error.get().filter(|_| !edited.get()));
    view! {
        <Field
            name="password"
            label
            kind="password"
            autocomplete="new-password"
            error
            edited
            described_by="password-hint"
        >
            <PasswordStrength rating error=shown_error />
        </Field>
    }
    .into_any()
}

/// The strength of a password: a meter with four bars, and advice in a live region.
#[component]
fn PasswordStrength(
    /// The rating of the current input.
    rating: RwSignal<Option<PasswordRating>>,
    /// The error that is shown above.
    error: Signal<Option<String>>,
) -> impl IntoView {
    // The meter must not show a rejected password as acceptable.
    let score =
        move || rating.with(|r| r.as_ref().map(|r| if r.acceptable { r.score.max(3) } else { r.score.clamp(1, 2) }));
    let word = move || match score() {
        None => "",
        Some(1) => t!("common.password_too_weak"),
        Some(2) => t!("common.password_weak"),
        Some(3) => t!("common.password_good"),
        Some(_) => t!("common.password_strong"),
    };
    let advice = move || {
        let rule = || t!("common.password_rule").to_owned();
        let advice = rating.with(|r| r.as_ref().map_or_else(rule, |r| r.advice.text_in(i18n::current())));
        // Do not repeat the error above.
        Some(advice).filter(|advice| error.with(|error| error.as_ref() != Some(advice)))
    };
    view! {
        <div class="meter js-only" aria-hidden="true" data-score=score>
            <span></span>
            <span></span>
            <span></span>
            <span></span>
            <b>{word}</b>
        </div>
        // The meter says the praise to those who see it.
        <p
            class="hint"
            class:opacity-0=move || rating.with(|rating| rating.as_ref().is_some_and(|rating| rating.acceptable))
            id="password-hint"
            aria-live="polite"
        >
            {advice}
        </p>
    }
}

/// Returns the rating of the password in the field `password`, and the callback for input events of the form. `about`
/// returns the e-mail address and the name, which the password must not be.
pub fn password_rating(
    about: impl Fn() -> (String, String) + Copy + Send + Sync + 'static,
) -> (RwSignal<Option<PasswordRating>>, Callback<web_sys::Event>) {
    let rating = RwSignal::new(None);
    let timer = StoredValue::new(None::<TimeoutHandle>);
    // Only the response to the latest request counts.
    let latest_request = StoredValue::new(0_u32);
    let request_rating = move |email: String, name: String, password: String| {
        // The page may be disposed before the delay is over.
        let Some(request) = latest_request.try_get_value().map(|last| last + 1) else { return };
        latest_request.set_value(request);
        if password.is_empty() {
            rating.set(None);
            return;
        }
        spawn_local(async move {
            let response = rate_password(email, name, password).await;
            if latest_request.try_get_value() == Some(request) {
                // If the request fails, the general rule is shown; submitting the form reports the error.
                rating.try_set(response.ok());
            }
        });
    };
    let on_input = Callback::new(move |_: web_sys::Event| {
        if let Some(handle) = timer.try_get_value().flatten() {
            handle.clear();
        }
        let rate_now = move || {
            let (email, name) = about();
            request_rating(email, name, input_value("password"));
        };
        timer.set_value(set_timeout_with_handle(rate_now, DEBOUNCE).ok());
    });
    (rating, on_input)
}
