//! How good a password is, told while it is typed.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local, web_sys};

use super::input::input_value;
use crate::{domain::PasswordRating, i18n, server_fns::account::rate_password};

const PAUSE: Duration = Duration::from_millis(300);

/// How good the password is, as four strokes and a sentence that is read out when it changes.
#[component]
pub fn PasswordStrength(
    /// The rating of what is typed.
    rating: RwSignal<Option<PasswordRating>>,
    /// What the server said of it.
    wrong: Signal<Option<String>>,
) -> impl IntoView {
    // A password that is not accepted never looks as if it were.
    let score =
        move || rating.with(|r| r.as_ref().map(|r| if r.acceptable { r.score.max(3) } else { r.score.clamp(1, 2) }));
    let advice = move || {
        let rule = || t!("common.password_rule").to_owned();
        let advice = rating.with(|r| r.as_ref().map_or_else(rule, |r| r.advice.text_in(i18n::current())));
        // What stands above as an error is not said twice.
        Some(advice).filter(|advice| wrong.with(|wrong| wrong.as_ref() != Some(advice)))
    };
    view! {
        <div class="meter js-only" aria-hidden="true" data-score=score>
            <span></span>
            <span></span>
            <span></span>
            <span></span>
        </div>
        <p class="hint" id="password-hint" aria-live="polite">
            {advice}
        </p>
    }
}

/// The rating of the password in the field `password`, and what to call when something was typed into the form. `about`
/// gives the e-mail address and the name that the password may not be.
pub fn password_rating(
    about: impl Fn() -> (String, String) + Copy + Send + Sync + 'static,
) -> (RwSignal<Option<PasswordRating>>, Callback<web_sys::Event>) {
    let rating = RwSignal::new(None);
    let waiting = StoredValue::new(None::<TimeoutHandle>);
    // Only the answer to the newest question counts.
    let asked = StoredValue::new(0_u32);
    let ask = move |email: String, name: String, password: String| {
        // The page may be gone by the time the pause is over.
        let Some(question) = asked.try_get_value().map(|last| last + 1) else { return };
        asked.set_value(question);
        if password.is_empty() {
            rating.set(None);
            return;
        }
        spawn_local(async move {
            let answer = rate_password(email, name, password).await;
            if asked.try_get_value() == Some(question) {
                // Where the server cannot say, the rule stands there again; sending the form says more.
                rating.try_set(answer.ok());
            }
        });
    };
    let on_input = Callback::new(move |_: web_sys::Event| {
        if let Some(handle) = waiting.try_get_value().flatten() {
            handle.clear();
        }
        let later = move || {
            let (email, name) = about();
            ask(email, name, input_value("password"));
        };
        waiting.set_value(set_timeout_with_handle(later, PAUSE).ok());
    });
    (rating, on_input)
}
