use leptos::{form::ActionForm, prelude::*};
use leptos_router::{components::Redirect, hooks::use_query_map};

use super::{column::AuthColumn, next::next, remember::RememberMe, sign_in_methods::SignInMethods};
use crate::{
    components::{Dead, Field, FormError, PageTitle},
    domain::{Invited, Role, SignUpPolicy},
    pages::{
        shell::{Alone, LoadedAlone, set_status},
        toolkit::{
            PasswordStrength, action_error, field_error, focus_error, form_action, form_error, input_value,
            password_rating,
        },
    },
    server_fns::account::{Entrance, SignUp, load_entrance},
};

const FIELDS: &[&str] = &["name", "email", "password"];

/// `/sign-up`
#[component]
pub fn SignUpPage() -> impl IntoView {
    let token = use_query_map().with_untracked(|query| query.get("invitation")).filter(|token| !token.is_empty());
    let asked = token.clone();
    let entrance = Resource::new_blocking(|| (), move |()| load_entrance(asked.clone()));
    view! {
        <PageTitle text=t!("auth.sign_up.page_title") />
        <LoadedAlone
            data=entrance
            view=move |entrance| match entrance {
                Entrance { user: Some(_), .. } => view! { <Redirect path="/" /> }.into_any(),
                Entrance { invited: Some(Invited::Dead), policy, .. } if policy != SignUpPolicy::First => {
                    view! { <DeadInvitation policy /> }.into_any()
                }
                Entrance { policy: SignUpPolicy::Closed, invited: None, .. } => view! { <Closed /> }.into_any(),
                entrance => view! { <SignUpForm entrance token=token.clone() /> }.into_any(),
            }
        />
    }
    .into_any()
}

#[component]
fn Closed() -> impl IntoView {
    view! {
        <Alone>
            <Dead
                title=t!("auth.sign_up.closed_title")
                sentence=t!("auth.sign_up.closed_sentence")
                href="/sign-in"
                action=t!("auth.sign_in.submit")
            />
        </Alone>
    }
}

#[component]
fn DeadInvitation(policy: SignUpPolicy) -> impl IntoView {
    set_status(410);
    let is_open = matches!(policy, SignUpPolicy::Open | SignUpPolicy::Domains);
    let (href, action) = if is_open {
        ("/sign-up", t!("auth.sign_up.without_invitation"))
    } else {
        ("/sign-in", t!("auth.sign_in.submit"))
    };
    view! {
        <Alone>
            <Dead
                title=t!("auth.sign_up.invitation_ended_title")
                sentence=t!("auth.sign_up.invitation_ended_sentence")
                href
                action
            />
        </Alone>
    }
}

/// The sentence below the heading.
fn sentence(policy: SignUpPolicy, invited: Option<&Invited>, mails: bool) -> String {
    match (policy, invited) {
        (SignUpPolicy::First, _) => t!("auth.sign_up.sentence_first").to_owned(),
        (_, Some(Invited::Holds { role: Role::Administrator, until, .. })) => {
            t!("auth.sign_up.sentence_invited_administrator", until = until)
        }
        (_, Some(Invited::Holds { until, .. })) => t!("auth.sign_up.sentence_invited", until = until),
        (SignUpPolicy::Domains, _) => t!("auth.sign_up.sentence_domains").to_owned(),
        (SignUpPolicy::Open, _) if mails => t!("auth.sign_up.sentence_mails").to_owned(),
        _ => t!("auth.sign_up.sentence").to_owned(),
    }
}

#[component]
fn SignUpForm(entrance: Entrance, token: Option<String>) -> impl IntoView {
    let Entrance { policy, providers, sign_up_providers, invited, mails, .. } = entrance;
    let action = form_action::<SignUp>();
    let error = action_error(action);
    focus_error(error, FIELDS, "sign-up-error");
    let (rating, rate) = password_rating(|| (input_value("email"), input_value("name")));
    let pending = action.pending();
    let first = policy == SignUpPolicy::First;
    let title = if first { t!("auth.sign_up.title_first") } else { t!("auth.sign_up.title") };
    let sentence = sentence(policy, invited.as_ref(), mails);
    let next = next();
    // The first one may come by any, and so may who is invited.
    let providers = if first || invited.is_some() { providers } else { sign_up_providers };
    let token = token.filter(|_| invited.is_some());
    let invitation = token.clone();
    let email = match invited {
        Some(Invited::Holds { email, .. }) => email,
        _ => None,
    };
    let is_fixed = email.is_some();
    view! {
        <AuthColumn title sentence>
            <ActionForm action>
                <div class="grid gap-5" on:input=move |event| rate.run(event)>
                    <FormError error=form_error(error, FIELDS) id="sign-up-error" />
                    {token.map(|token| view! { <input type="hidden" name="invitation" value=token /> })}
                    <Field
                        name="name"
                        label=t!("auth.sign_up.name")
                        autocomplete="name"
                        error=field_error(error, "name")
                    />
                    <Field
                        name="email"
                        label=t!("auth.email")
                        kind="email"
                        autocomplete="username"
                        value=email.unwrap_or_default()
                        readonly=is_fixed
                        error=field_error(error, "email")
                    />
                    <Field
                        name="password"
                        label=t!("auth.password")
                        kind="password"
                        autocomplete="new-password"
                        error=field_error(error, "password")
                        described_by="password-hint"
                    >
                        <PasswordStrength rating wrong=field_error(error, "password") />
                    </Field>
                    <RememberMe />
                    <button class="btn btn-primary min-h-11" type="submit" aria-busy=move || pending.get().to_string()>
                        {move || if pending.get() { t!("auth.sign_up.pending") } else { t!("auth.sign_up.submit") }}
                    </button>
                </div>
            </ActionForm>
            <SignInMethods providers next invitation />
            {(!first)
                .then(|| {
                    view! {
                        <p class="mt-8 text-ink-soft">
                            {rich!("auth.sign_up.have_account", link = |words| {
                                view! { <a class="link" href="/sign-in">{words}</a> }
                            })}
                        </p>
                    }
                })}
        </AuthColumn>
    }
    .into_any()
}
