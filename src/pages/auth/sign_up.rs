use leptos::{form::ActionForm, prelude::*};
use leptos_router::{components::Redirect, hooks::use_query_map};

use super::{column::AuthColumn, next::next, remember::RememberMe, sign_in_methods::SignInMethods};
use crate::{
    components::{Field, FormError, MessagePage, PageTitle},
    domain::{AuthPageData, InvitationStatus, Role, SignUpPolicy},
    pages::{
        shell::{LoadedStandalone, StandalonePage, page_resource, set_status},
        toolkit::{
            NewPasswordField, action_error, field_error, focus_error, form_action, form_error, input_value,
            password_rating,
        },
    },
    server_fns::account::{SignUp, load_entrance},
};

const FIELDS: &[&str] = &["name", "email", "password"];

/// `/sign-up`
#[component]
pub fn SignUpPage() -> impl IntoView {
    let token = use_query_map().with_untracked(|query| query.get("invitation")).filter(|token| !token.is_empty());
    let invitation_token = token.clone();
    let page_data = page_resource(|| (), move |()| load_entrance(invitation_token.clone()));
    view! {
        <PageTitle text=t!("auth.sign_up.page_title") />
        <LoadedStandalone
            data=page_data
            view=move |page_data| match page_data {
                AuthPageData { user: Some(_), .. } => view! { <Redirect path="/" /> }.into_any(),
                AuthPageData { invited: Some(InvitationStatus::Invalid), policy, .. } if policy != SignUpPolicy::First => {
                    view! { <InvalidInvitation policy /> }.into_any()
                }
                AuthPageData { policy: SignUpPolicy::Closed, invited: None, .. } => view! { <SignUpClosed /> }.into_any(),
                page_data => view! { <SignUpForm page_data token=token.clone() /> }.into_any(),
            }
        />
    }
    .into_any()
}

#[component]
fn SignUpClosed() -> impl IntoView {
    view! {
        <StandalonePage>
            <MessagePage
                title=t!("auth.sign_up.closed_title")
                sentence=t!("auth.sign_up.closed_sentence")
                href="/sign-in"
                action=t!("auth.sign_in.submit")
            />
        </StandalonePage>
    }
}

#[component]
fn InvalidInvitation(policy: SignUpPolicy) -> impl IntoView {
    set_status(410);
    let is_open = matches!(policy, SignUpPolicy::Open | SignUpPolicy::Domains);
    let (href, action) = if is_open {
        ("/sign-up", t!("auth.sign_up.without_invitation"))
    } else {
        ("/sign-in", t!("auth.sign_in.submit"))
    };
    view! {
        <StandalonePage>
            <MessagePage
                title=t!("auth.sign_up.invitation_ended_title")
                sentence=t!("auth.sign_up.invitation_ended_sentence")
                href
                action
            />
        </StandalonePage>
    }
}

/// The sentence below the heading.
fn sentence(policy: SignUpPolicy, invited: Option<&InvitationStatus>, mails: bool) -> String {
    match (policy, invited) {
        (SignUpPolicy::First, _) => t!("auth.sign_up.sentence_first").to_owned(),
        (_, Some(InvitationStatus::Valid { role: Role::Administrator, until, .. })) => {
            t!("auth.sign_up.sentence_invited_administrator", until = until)
        }
        (_, Some(InvitationStatus::Valid { until, .. })) => t!("auth.sign_up.sentence_invited", until = until),
        (SignUpPolicy::Domains, _) => t!("auth.sign_up.sentence_domains").to_owned(),
        (SignUpPolicy::Open, _) if mails => t!("auth.sign_up.sentence_mails").to_owned(),
        _ => t!("auth.sign_up.sentence").to_owned(),
    }
}

#[component]
fn SignUpForm(page_data: AuthPageData, token: Option<String>) -> impl IntoView {
    let AuthPageData { policy, providers, sign_up_providers, invited, mails, .. } = page_data;
    let action = form_action::<SignUp>();
    let error = action_error(action);
    focus_error(error, FIELDS, "sign-up-error");
    let (rating, rate) = password_rating(|| (input_value("email"), input_value("name")));
    let pending = action.pending();
    let first = policy == SignUpPolicy::First;
    let title = if first { t!("auth.sign_up.title_first") } else { t!("auth.sign_up.title") };
    let sentence = sentence(policy, invited.as_ref(), mails);
    let next = next();
    // The first account and invited users may use any provider.
    let providers = if first || invited.is_some() { providers } else { sign_up_providers };
    let token = token.filter(|_| invited.is_some());
    let invitation = token.clone();
    let email = match invited {
        Some(InvitationStatus::Valid { email, .. }) => email,
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
                    <NewPasswordField label=t!("auth.password") rating error />
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
                            {rich!("auth.sign_up.have_account", link = |text| {
                                view! { <a class="link" href="/sign-in">{text}</a> }
                            })}
                        </p>
                    }
                })}
        </AuthColumn>
    }
    .into_any()
}
