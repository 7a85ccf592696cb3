use std::time::Duration;

use leptos::{form::ActionForm, prelude::*, task::spawn_local, wasm_bindgen::JsCast, web_sys};
use leptos_router::components::Redirect;

use super::{
    fault::{Alone, Faulty},
    forms::{field_error, focus_error, form_action, form_error},
    sign_in::{EntranceColumn, Remember},
};
use crate::{
    components::{Dead, Field, FormError, PageTitle},
    domain::{PasswordRating, SignUpPolicy},
    server_fns::account::{Entrance, SignUp, load_entrance, rate_password},
};

const FIELDS: &[&str] = &["name", "email", "password"];
const RULE: &str = "At least 12 characters, and hard to guess. A few unrelated words do well.";
const PAUSE: Duration = Duration::from_millis(300);

/// `/sign-up`
#[component]
pub fn SignUpPage() -> impl IntoView {
    let entrance = Resource::new_blocking(|| (), |()| load_entrance());
    view! {
        <PageTitle text="Sign up" />
        <Suspense>
            {move || Suspend::new(async move {
                match entrance.await {
                    Ok(Entrance { user: Some(_), .. }) => view! { <Redirect path="/" /> }.into_any(),
                    Ok(Entrance { policy: SignUpPolicy::Closed, .. }) => view! { <Closed /> }.into_any(),
                    Ok(Entrance { policy, .. }) => view! { <SignUpForm policy /> }.into_any(),
                    Err(error) => view! { <Alone><Faulty error /></Alone> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Closed() -> impl IntoView {
    view! {
        <Alone>
            <Dead
                title="Sign-up is closed"
                sentence="Nobody can make an account here now. Ask an administrator to open sign-up."
                href="/sign-in"
                action="Sign in"
            />
        </Alone>
    }
}

#[component]
fn SignUpForm(policy: SignUpPolicy) -> impl IntoView {
    let action = form_action::<SignUp>();
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    focus_error(error, FIELDS, "sign-up-error");
    let (rating, rate) = password_rating();
    let pending = action.pending();
    let first = policy == SignUpPolicy::First;
    let sentence = match policy {
        SignUpPolicy::First => "You are the first one here. This account will be the administrator's.",
        _ => "Your chats stay on this server, and only you can read them.",
    };
    view! {
        <EntranceColumn title=if first { "Set up Colloquy" } else { "Sign up" } sentence>
            <ActionForm action>
                <div class="grid gap-5" on:input=move |event| rate.run(event)>
                    <FormError error=form_error(error, FIELDS) id="sign-up-error" />
                    <Field name="name" label="Name" autocomplete="name" error=field_error(error, "name") />
                    <Field
                        name="email"
                        label="E-mail"
                        kind="email"
                        autocomplete="username"
                        error=field_error(error, "email")
                    />
                    <Field
                        name="password"
                        label="Password"
                        kind="password"
                        autocomplete="new-password"
                        error=field_error(error, "password")
                        described_by="password-hint"
                    >
                        <Strength rating wrong=field_error(error, "password") />
                    </Field>
                    <Remember />
                    <button class="btn btn-primary min-h-11" type="submit" aria-busy=move || pending.get().to_string()>
                        {move || if pending.get() { "Making the account…" } else { "Make the account" }}
                    </button>
                </div>
            </ActionForm>
            {(!first)
                .then(|| {
                    view! {
                        <p class="mt-8 text-ink-soft">
                            "Have an account? " <a class="link" href="/sign-in">
                                "Sign in"
                            </a>
                        </p>
                    }
                })}
        </EntranceColumn>
    }
    .into_any()
}

/// How good the password is, as four strokes and a sentence that is read out when it changes.
#[component]
fn Strength(rating: RwSignal<Option<PasswordRating>>, wrong: Signal<Option<String>>) -> impl IntoView {
    // A password that is not accepted never looks as if it were.
    let score =
        move || rating.with(|r| r.as_ref().map(|r| if r.acceptable { r.score.max(3) } else { r.score.clamp(1, 2) }));
    let advice = move || {
        let advice = rating.with(|r| r.as_ref().map_or_else(|| RULE.to_owned(), |r| r.advice.clone()));
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

/// The rating of the password, and what to call when something was typed into the form.
fn password_rating() -> (RwSignal<Option<PasswordRating>>, Callback<web_sys::Event>) {
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
        let later = move || ask(value_of("email"), value_of("name"), value_of("password"));
        waiting.set_value(set_timeout_with_handle(later, PAUSE).ok());
    });
    (rating, on_input)
}

fn value_of(id: &str) -> String {
    let input =
        document().get_element_by_id(id).and_then(|element| element.dyn_into::<web_sys::HtmlInputElement>().ok());
    input.map(|input| input.value()).unwrap_or_default()
}
