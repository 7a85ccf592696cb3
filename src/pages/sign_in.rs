use leptos::{form::ActionForm, prelude::*};
use leptos_router::{components::Redirect, hooks::use_query_map, location::Url};

use super::{
    fault::{Alone, Faulty},
    forms::{field_error, focus_error, form_action, form_error},
};
use crate::{
    components::{Field, FormError, PageTitle},
    domain::SignUpPolicy,
    server_fns::account::{Entrance, SignIn, load_entrance},
};

const FIELDS: &[&str] = &["email", "password"];

/// `/sign-in`
#[component]
pub fn SignInPage() -> impl IntoView {
    let entrance = Resource::new_blocking(|| (), |()| load_entrance());
    view! {
        <PageTitle text="Sign in" />
        <Suspense>
            {move || Suspend::new(async move {
                match entrance.await {
                    Ok(Entrance { user: Some(_), .. }) => view! { <Redirect path="/" /> }.into_any(),
                    Ok(Entrance { policy: SignUpPolicy::First, .. }) => {
                        view! { <Redirect path="/sign-up" /> }.into_any()
                    }
                    Ok(Entrance { policy, .. }) => view! { <SignInForm policy /> }.into_any(),
                    Err(error) => view! { <Alone><Faulty error /></Alone> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

/// The column in which strangers are met.
#[component]
pub fn EntranceColumn(
    /// The page's heading.
    title: &'static str,
    /// One sentence.
    #[prop(into)]
    sentence: String,
    /// The form, then other ways in.
    children: Children,
) -> impl IntoView {
    view! {
        <main id="main" class="flex min-h-dvh justify-center px-4 pt-[14vh] pb-12">
            <div class="w-full max-w-[360px]">
                <p class="mb-6 font-semibold text-accent">"Colloquy"</p>
                <h1 class="text-display font-semibold tracking-tight">{title}</h1>
                <p class="mt-1 mb-8 text-ink-soft">{sentence}</p>
                {children()}
            </div>
        </main>
    }
    .into_any()
}

#[component]
fn SignInForm(policy: SignUpPolicy) -> impl IntoView {
    let action = form_action::<SignIn>();
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    focus_error(error, FIELDS, "sign-in-error");
    let next = use_query_map().with_untracked(|query| query.get("next"));
    let to_sign_up = next.as_ref().map(|next| format!("/sign-up?next={}", Url::escape(next)));
    let to_sign_up = to_sign_up.unwrap_or_else(|| "/sign-up".to_owned());
    let pending = action.pending();
    view! {
        <EntranceColumn title="Sign in" sentence="A private place to think with a model.">
            <ActionForm action>
                <div class="grid gap-5">
                    <FormError error=form_error(error, FIELDS) id="sign-in-error" />
                    {next.map(|next| view! { <input type="hidden" name="next" value=next /> })}
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
                        autocomplete="current-password"
                        error=field_error(error, "password")
                    />
                    <Remember />
                    <button class="btn btn-primary min-h-11" type="submit" aria-busy=move || pending.get().to_string()>
                        {move || if pending.get() { "Signing in…" } else { "Sign in" }}
                    </button>
                </div>
            </ActionForm>
            {matches!(policy, SignUpPolicy::Open | SignUpPolicy::Domains)
                .then(|| {
                    view! {
                        <p class="mt-8 text-ink-soft">
                            "No account yet? " <a class="link" href=to_sign_up>
                                "Sign up"
                            </a>
                        </p>
                    }
                })}
        </EntranceColumn>
    }
    .into_any()
}

/// Whether to stay signed in on this device.
#[component]
pub fn Remember() -> impl IntoView {
    view! {
        <label class="flex min-h-8 cursor-pointer items-center gap-2.5 text-ink-soft" for="remember">
            <input class="checkbox" id="remember" type="checkbox" name="remember" value="on" />
            "Remember me on this device"
        </label>
    }
}
