use leptos::{form::ActionForm, prelude::*};
use leptos_router::{components::Redirect, hooks::use_query_map};

use super::{
    column::AuthColumn,
    flash_message::FlashMessage,
    next::{next, with_next},
    passkey::{PasskeyFor, offer_in_field},
    remember::RememberMe,
    sign_in_methods::SignInMethods,
};
use crate::{
    components::{Field, FormError, PageTitle, browser::stop_asking},
    domain::SignUpPolicy,
    pages::{
        shell::LoadedAlone,
        toolkit::{action_error, field_error, focus_error, form_action, form_error},
    },
    server_fns::account::{Entrance, SignIn, load_entrance},
};

const FIELDS: &[&str] = &["email", "password"];

/// `/sign-in`
#[component]
pub fn SignInPage() -> impl IntoView {
    let entrance = Resource::new_blocking(|| (), |()| load_entrance(None));
    view! {
        <PageTitle text=t!("auth.sign_in.title") />
        <LoadedAlone
            data=entrance
            view=|entrance| match entrance {
                Entrance { user: Some(_), .. } => view! { <Redirect path="/" /> }.into_any(),
                Entrance { policy: SignUpPolicy::First, .. } => view! { <Redirect path="/sign-up" /> }.into_any(),
                entrance => view! { <SignInForm entrance /> }.into_any(),
            }
        />
    }
    .into_any()
}

/// What was done before somebody came here.
fn done_before() -> Option<&'static str> {
    use_query_map().with_untracked(|query| match query.get_str("done")? {
        "verify" => Some(t!("auth.sign_in.address_to_confirm")),
        "verified" => Some(t!("auth.sign_in.address_confirmed")),
        "reset" => Some(t!("auth.sign_in.password_changed")),
        "signed-out" => Some(t!("auth.sign_in.signed_out")),
        "deleted" => Some(t!("auth.sign_in.account_deleted")),
        _ => None,
    })
}

#[component]
fn SignInForm(entrance: Entrance) -> impl IntoView {
    let Entrance { policy, providers, passkeys, .. } = entrance;
    let action = form_action::<SignIn>();
    let error = action_error(action);
    focus_error(error, FIELDS, "sign-in-error");
    let next = next();
    let to_sign_up = with_next("/sign-up", next.as_deref());
    let (pending, after) = (action.pending(), next.clone());
    if passkeys {
        offer_in_field(next.clone());
    }
    view! {
        <AuthColumn title=t!("auth.sign_in.title") sentence=t!("auth.sign_in.sentence")>
            <FlashMessage words=done_before() />
            // An open question for a passkey would stand in the way of the answer.
            <div on:submit=move |_| stop_asking()>
                <ActionForm action>
                    <div class="grid gap-5">
                        <FormError error=form_error(error, FIELDS) id="sign-in-error" />
                        {next.map(|next| view! { <input type="hidden" name="next" value=next /> })}
                        <Field
                            name="email"
                            label=t!("auth.email")
                            kind="email"
                            autocomplete="username webauthn"
                            error=field_error(error, "email")
                        />
                        <Field
                            name="password"
                            label=t!("auth.password")
                            kind="password"
                            autocomplete="current-password"
                            error=field_error(error, "password")
                        />
                        <RememberMe />
                        <button
                            class="btn btn-primary min-h-11"
                            type="submit"
                            aria-busy=move || pending.get().to_string()
                        >
                            {move || if pending.get() { t!("auth.sign_in.pending") } else { t!("auth.sign_in.submit") }}
                        </button>
                    </div>
                </ActionForm>
            </div>
            <p class="mt-4">
                <a class="link inline-flex min-h-11 items-center" href="/forgot-password">
                    {t!("auth.sign_in.forgot_password")}
                </a>
            </p>
            <SignInMethods providers passkey=passkeys.then_some(PasskeyFor::SignIn) next=after />
            {matches!(policy, SignUpPolicy::Open | SignUpPolicy::Domains)
                .then(|| {
                    view! {
                        <p class="mt-8 text-ink-soft">
                            {rich!("auth.sign_in.no_account", link = |words| {
                                view! { <a class="link" href=to_sign_up.clone()>{words}</a> }
                            })}
                        </p>
                    }
                })}
        </AuthColumn>
    }
    .into_any()
}
