use leptos::{form::ActionForm, prelude::*};

use super::state::SettingsState;
use crate::{
    components::Field,
    pages::{
        shell::CurrentPerson,
        toolkit::{
            FormErrorOrReauth, ReauthGate, Section, SubmitButton, action_error, action_status, field_error, focus_error,
        },
    },
    server_fns::recovery::{RequestAddressChange, RequestVerification},
};

/// The user's e-mail address.
#[component]
pub fn AddressSection(
    /// The state of the page.
    state: SettingsState,
) -> impl IntoView {
    let user = CurrentPerson::expect().user;
    let (mails, verified) = state.settings.with_untracked(|settings| (settings.mails, settings.address_verified));
    let chip = match (verified, mails) {
        (true, _) => Some(t!("settings.address.verified")),
        (false, true) => Some(t!("settings.address.not_verified")),
        (false, false) => None,
    };
    view! {
        <Section id="address" title=t!("settings.address.title") sentence=t!("settings.address.sentence")>
            <p class="mb-5 flex flex-wrap items-center gap-x-2 break-all font-medium">
                {move || user.with(|user| user.email.clone())}
                {chip.map(|label| view! { <span class="chip">{label}</span> })}
            </p>
            {(mails && !verified).then(|| view! { <VerificationForm state /> })}
            {if mails {
                view! {
                    <ReauthGate
                        recently_authenticated=state.recently_authenticated()
                        next="/settings#address"
                        hint=t!("settings.address.confirm_hint")
                    >
                        <AddressForm state />
                    </ReauthGate>
                }
                .into_any()
            } else {
                view! {
                    <p class="hint">{t!("settings.address.no_mails")}</p>
                }
                .into_any()
            }}
        </Section>
    }
    .into_any()
}

#[component]
fn VerificationForm(state: SettingsState) -> impl IntoView {
    let action = state.action::<RequestVerification>();
    let error = action_error(action);
    view! {
        <div class="mb-6">
            <ActionForm action>
                <div class="grid gap-3">
                    <FormErrorOrReauth error id="verification-error" next="/settings#address" />
                    <SubmitButton
                        label=t!("settings.address.verify")
                        pending=action.pending()
                        status=action_status(action, "verification", t!("settings.address.verify_sent"))
                    />
                </div>
            </ActionForm>
        </div>
    }
    .into_any()
}

#[component]
fn AddressForm(state: SettingsState) -> impl IntoView {
    const FIELDS: &[&str] = &["email"];
    let action = state.action::<RequestAddressChange>();
    let error = action_error(action);
    focus_error(error, FIELDS, "address-error");
    view! {
        <ActionForm action>
            <div class="grid max-w-[360px] gap-5">
                <FormErrorOrReauth error fields=FIELDS id="address-error" next="/settings#address" />
                <Field
                    name="email"
                    label=t!("settings.address.new")
                    kind="email"
                    autocomplete="email"
                    error=field_error(error, "email")
                />
                <SubmitButton
                    label=t!("settings.address.change")
                    pending=action.pending()
                    status=action_status(action, "address", t!("settings.address.change_sent"))
                />
            </div>
        </ActionForm>
    }
    .into_any()
}
