use leptos::{form::ActionForm, prelude::*};

use super::state::SettingsState;
use crate::{
    components::Field,
    pages::{
        shell::CurrentPerson,
        toolkit::{
            ConfirmGate, FormErrorOrConfirm, Section, SubmitButton, action_error, action_status, field_error,
            focus_error,
        },
    },
    server_fns::recovery::{RequestAddressChange, RequestVerification},
};

/// The person's e-mail address.
#[component]
pub fn AddressSection(
    /// What the page shows.
    state: SettingsState,
) -> impl IntoView {
    let user = CurrentPerson::expect().user;
    let (mails, verified) = state.now.with_untracked(|settings| (settings.mails, settings.address_verified));
    let chip = match (verified, mails) {
        (true, _) => Some("Verified"),
        (false, true) => Some("Not verified"),
        (false, false) => None,
    };
    view! {
        <Section id="address" title="E-mail address" sentence="You sign in with it, and notices go there.">
            <p class="mb-5 flex flex-wrap items-center gap-x-2 break-all font-medium">
                {move || user.with(|user| user.email.clone())}
                {chip.map(|words| view! { <span class="chip">{words}</span> })}
            </p>
            {(mails && !verified).then(|| view! { <Verify state /> })}
            {if mails {
                view! {
                    <ConfirmGate fresh=state.fresh() next="/settings#address" what="change the address">
                        <Change state />
                    </ConfirmGate>
                }
                .into_any()
            } else {
                view! {
                    <p class="hint">
                        "This installation sends no mails, so that a new address could not be shown to be yours."
                    </p>
                }
                .into_any()
            }}
        </Section>
    }
    .into_any()
}

#[component]
fn Verify(state: SettingsState) -> impl IntoView {
    let action = state.action::<RequestVerification>();
    let error = action_error(action);
    view! {
        <div class="mb-6">
            <ActionForm action>
                <div class="grid gap-3">
                    <FormErrorOrConfirm error id="verification-error" next="/settings#address" />
                    <SubmitButton
                        words="Send me a link to verify it"
                        pending=action.pending()
                        status=action_status(action, "verification", "Sent. Follow the link in the mail.")
                    />
                </div>
            </ActionForm>
        </div>
    }
    .into_any()
}

#[component]
fn Change(state: SettingsState) -> impl IntoView {
    const FIELDS: &[&str] = &["email"];
    let action = state.action::<RequestAddressChange>();
    let error = action_error(action);
    focus_error(error, FIELDS, "address-error");
    view! {
        <ActionForm action>
            <div class="grid max-w-[360px] gap-5">
                <FormErrorOrConfirm error fields=FIELDS id="address-error" next="/settings#address" />
                <Field
                    name="email"
                    label="New address"
                    kind="email"
                    autocomplete="email"
                    error=field_error(error, "email")
                />
                <SubmitButton
                    words="Send a link to the new address"
                    pending=action.pending()
                    status=action_status(action, "address", "Sent. The address changes when the link is followed.")
                />
            </div>
        </ActionForm>
    }
    .into_any()
}
