use leptos::{form::ActionForm, prelude::*};

use super::{Save, Section, Sensitive, Shown, Wrong, done_by, error_of};
use crate::{
    components::Field,
    pages::{
        forms::{field_error, focus_error},
        frame::FrameState,
    },
    server_fns::recovery::{RequestAddressChange, RequestVerification},
};

/// The person's e-mail address.
#[component]
pub fn AddressSection(
    /// The frame around.
    frame: FrameState,
    /// What the page shows.
    shown: Shown,
) -> impl IntoView {
    let (mails, verified) = shown.now.with_untracked(|settings| (settings.mails, settings.address_verified));
    let chip = match (verified, mails) {
        (true, _) => Some("Verified"),
        (false, true) => Some("Not verified"),
        (false, false) => None,
    };
    view! {
        <Section id="address" title="E-mail address" sentence="You sign in with it, and notices go there.">
            <p class="mb-5 flex flex-wrap items-center gap-x-2 break-all font-medium">
                {move || frame.user.with(|user| user.email.clone())}
                {chip.map(|words| view! { <span class="chip">{words}</span> })}
            </p>
            {(mails && !verified).then(|| view! { <Verify shown /> })}
            {if mails {
                view! {
                    <Sensitive shown section="address" what="change the address">
                        <Change shown />
                    </Sensitive>
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
fn Verify(shown: Shown) -> impl IntoView {
    let action = shown.action::<RequestVerification>();
    let error = error_of(action);
    view! {
        <div class="mb-6">
            <ActionForm action>
                <div class="grid gap-3">
                    <Wrong error id="verification-error" section="address" />
                    <Save
                        words="Send me a link to verify it"
                        done="verification"
                        result="Sent. Follow the link in the mail."
                        pending=action.pending()
                        saved=done_by(action)
                    />
                </div>
            </ActionForm>
        </div>
    }
    .into_any()
}

#[component]
fn Change(shown: Shown) -> impl IntoView {
    const FIELDS: &[&str] = &["email"];
    let action = shown.action::<RequestAddressChange>();
    let error = error_of(action);
    focus_error(error, FIELDS, "address-error");
    view! {
        <ActionForm action>
            <div class="grid max-w-[360px] gap-5">
                <Wrong error fields=FIELDS id="address-error" section="address" />
                <Field
                    name="email"
                    label="New address"
                    kind="email"
                    autocomplete="email"
                    error=field_error(error, "email")
                />
                <Save
                    words="Send a link to the new address"
                    done="address"
                    result="Sent. The address changes when the link is followed."
                    pending=action.pending()
                    saved=done_by(action)
                />
            </div>
        </ActionForm>
    }
    .into_any()
}
