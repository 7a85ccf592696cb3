use leptos::{form::ActionForm, prelude::*};
use leptos_router::components::Redirect;

use super::{
    fault::{Alone, Faulty},
    forms::{field_error, focus_error, form_action, form_error},
    password::{Strength, password_rating, value_of},
    sign_in::{EntranceColumn, Remember},
};
use crate::{
    components::{Dead, Field, FormError, PageTitle},
    domain::SignUpPolicy,
    server_fns::account::{Entrance, SignUp, load_entrance},
};

const FIELDS: &[&str] = &["name", "email", "password"];

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
    let (rating, rate) = password_rating(|| (value_of("email"), value_of("name")));
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
