//! A new password for somebody who forgot theirs: asking for the link, and following it.

use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_query_map;

use super::{
    fault::{Alone, Faulty},
    forms::{field_error, focus_error, form_action, form_error},
    loaded::loaded,
    password::{Strength, password_rating},
    sign_in::EntranceColumn,
    ways::Told,
};
use crate::{
    components::{Dead, Field, FormError, PageTitle},
    server_fns::{
        account::load_entrance,
        recovery::{RequestPasswordReset, ResetPassword},
    },
};

/// `/forgot-password`
#[component]
pub fn ForgotPasswordPage() -> impl IntoView {
    let entrance = Resource::new_blocking(|| (), |()| load_entrance(None));
    view! {
        <PageTitle text="Forgot the password" />
        <Suspense>
            {loaded(move || async move {
                match entrance.await {
                    Ok(entrance) if entrance.mails => view! { <AskForm /> }.into_any(),
                    Ok(_) => view! { <WithoutMail /> }.into_any(),
                    Err(error) => view! { <Alone><Faulty error /></Alone> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn BackToSignIn() -> impl IntoView {
    view! {
        <p class="mt-8">
            <a class="link inline-flex min-h-11 items-center" href="/sign-in">
                "Back to sign-in"
            </a>
        </p>
    }
}

#[component]
fn WithoutMail() -> impl IntoView {
    let sentence = "This installation sends no mails. Ask an administrator: they can make a link for you, with which you \
                    choose a new password.";
    view! {
        <EntranceColumn title="New password" sentence>
            <BackToSignIn />
        </EntranceColumn>
    }
    .into_any()
}

#[component]
fn AskForm() -> impl IntoView {
    const FIELDS: &[&str] = &["email"];
    let action = form_action::<RequestPasswordReset>();
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    focus_error(error, FIELDS, "forgot-error");
    let pending = action.pending();
    let query = use_query_map();
    let named = move || query.with(|query| query.get_str("done") == Some("sent"));
    let sent = move || action.value().with(|value| value.as_ref().map(Result::is_ok)).unwrap_or_else(named);
    view! {
        <EntranceColumn title="New password" sentence="A link to choose one comes by mail and holds for 15 minutes.">
            {move || {
                let words = "If an account has this address, a link is on its way. Look into your mail.";
                sent().then(|| view! { <Told words=Some(words) /> })
            }}
            <ActionForm action>
                <div class="grid gap-5">
                    <FormError error=form_error(error, FIELDS) id="forgot-error" />
                    <Field
                        name="email"
                        label="E-mail"
                        kind="email"
                        autocomplete="username"
                        error=field_error(error, "email")
                    />
                    <button class="btn btn-primary min-h-11" type="submit" aria-busy=move || pending.get().to_string()>
                        "Send the link"
                    </button>
                </div>
            </ActionForm>
            <BackToSignIn />
        </EntranceColumn>
    }
    .into_any()
}

/// `/reset-password?token=…`
#[component]
pub fn ResetPasswordPage() -> impl IntoView {
    let token = use_query_map().with_untracked(|query| query.get("token")).filter(|token| !token.is_empty());
    view! {
        <PageTitle text="New password" />
        {match token {
            Some(token) => view! { <ResetForm token /> }.into_any(),
            None => view! { <NoToken /> }.into_any(),
        }}
    }
    .into_any()
}

/// A link that was cut off on its way.
#[component]
pub fn NoToken() -> impl IntoView {
    view! {
        <Alone>
            <Dead
                title="The link is not whole"
                sentence="Open the link from the mail again, or copy all of it."
                href="/sign-in"
                action="Sign in"
            />
        </Alone>
    }
}

#[component]
fn ResetForm(token: String) -> impl IntoView {
    const FIELDS: &[&str] = &["password"];
    let action = form_action::<ResetPassword>();
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    focus_error(error, FIELDS, "reset-error");
    let pending = action.pending();
    // Nothing of the account is told before the link has done its work.
    let (rating, rate) = password_rating(|| (String::new(), String::new()));
    let is_dead = move || error.with(|error| error.as_ref().is_some_and(|error| error.field() == Some("token")));
    view! {
        <EntranceColumn title="New password" sentence="It takes the old one's place and signs out all devices.">
            <ActionForm action>
                <div class="grid gap-5" on:input=move |event| rate.run(event)>
                    <FormError error=form_error(error, FIELDS) id="reset-error" />
                    {move || {
                        is_dead()
                            .then(|| {
                                view! {
                                    <p>
                                        <a class="link" href="/forgot-password">
                                            "Ask for a new link"
                                        </a>
                                    </p>
                                }
                            })
                    }}
                    <input type="hidden" name="token" value=token />
                    <Field
                        name="password"
                        label="New password"
                        kind="password"
                        autocomplete="new-password"
                        error=field_error(error, "password")
                        described_by="password-hint"
                    >
                        <Strength rating wrong=field_error(error, "password") />
                    </Field>
                    <button class="btn btn-primary min-h-11" type="submit" aria-busy=move || pending.get().to_string()>
                        "Change the password"
                    </button>
                </div>
            </ActionForm>
            <BackToSignIn />
        </EntranceColumn>
    }
    .into_any()
}
