use leptos::{form::ActionForm, prelude::*};

use super::state::SettingsState;
use crate::{
    components::Field,
    pages::{
        shell::CurrentPerson,
        toolkit::{
            EditSection, FormErrorOrReauth, ReauthGate, RowSection, SubmitButton, action_error, action_status,
            field_error, focus_error,
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
    let value = view! {
        <span class="setting-value">
            {move || user.with(|user| user.email.clone())} " "
            {chip.map(|label| view! { <span class="chip">{label}</span> })}
        </span>
    }
    .into_any();
    if !mails {
        return view! {
            <RowSection id="address" title=t!("settings.address.title") sentence=t!("settings.address.no_mails") value />
        }
        .into_any();
    }
    let change = state.action::<RequestAddressChange>();
    let error = action_error(change);
    view! {
        <EditSection
            id="address"
            title=t!("settings.address.title")
            sentence=t!("settings.address.sentence")
            value
            extra=(!verified).then(|| view! { <VerificationForm state /> }.into_any())
            open=error.get_untracked().is_some()
            status=action_status(change, "address", t!("settings.address.change_sent"))
        >
            <ReauthGate
                recently_authenticated=state.recently_authenticated()
                next="/settings#address"
                hint=t!("settings.address.confirm_hint")
            >
                <AddressForm action=change />
            </ReauthGate>
        </EditSection>
    }
    .into_any()
}

#[component]
fn VerificationForm(state: SettingsState) -> impl IntoView {
    let action = state.action::<RequestVerification>();
    let error = action_error(action);
    view! {
        <div class="pb-3">
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
fn AddressForm(action: ServerAction<RequestAddressChange>) -> impl IntoView {
    const FIELDS: &[&str] = &["email"];
    let error = action_error(action);
    let pending = action.pending();
    focus_error(error, FIELDS, "address-error");
    view! {
        <ActionForm action>
            <div class="grid max-w-[22.5rem] gap-5">
                <FormErrorOrReauth error fields=FIELDS id="address-error" next="/settings#address" />
                <Field
                    name="email"
                    label=t!("settings.address.new")
                    kind="email"
                    autocomplete="email"
                    error=field_error(error, "email")
                />
                <button class="btn btn-primary w-fit" type="submit" aria-busy=move || pending.get().to_string()>
                    {t!("settings.address.change")}
                </button>
            </div>
        </ActionForm>
    }
    .into_any()
}
