use leptos::{form::ActionForm, prelude::*};

use super::{Section, Sensitive, Shown, Wrong, error_of};
use crate::{
    components::Field,
    pages::{
        forms::{field_error, focus_error, form_action},
        frame::FrameState,
    },
    server_fns::deletion::DeleteAccount,
};

/// The end of the account.
#[component]
pub fn DeleteSection(
    /// The frame around.
    frame: FrameState,
    /// What the page shows.
    shown: Shown,
) -> impl IntoView {
    const SENTENCE: &str =
        "Your chats, your sign-ins and all else that is yours are deleted a day later. Until then you can undo it.";
    let FrameState { deletion, clock, .. } = frame;
    view! {
        <Section id="delete" title="Delete account" sentence=SENTENCE>
            {move || match deletion.get() {
                Some(due) => {
                    view! {
                        <p role="status">
                            "Your account will be deleted on " {move || clock.get().exact(due)}
                            ". The button to keep it stands above every page."
                        </p>
                    }
                        .into_any()
                }
                None => {
                    view! {
                        <Sensitive shown section="delete" what="delete the account">
                            <Ask frame />
                        </Sensitive>
                    }
                        .into_any()
                }
            }}
        </Section>
    }
    .into_any()
}

#[component]
fn Ask(frame: FrameState) -> impl IntoView {
    const FIELDS: &[&str] = &["email"];
    let action = form_action::<DeleteAccount>();
    let error = error_of(action);
    focus_error(error, FIELDS, "delete-error");
    Effect::new(move || {
        if let Some(Ok(due)) = action.value().get() {
            frame.deletion.set(Some(due));
        }
    });
    let pending = action.pending();
    view! {
        <ActionForm action>
            <div class="grid max-w-[360px] gap-5">
                <Wrong error fields=FIELDS id="delete-error" section="delete" />
                <Field
                    name="email"
                    id="delete-email"
                    label="Your e-mail address"
                    kind="email"
                    autocomplete="off"
                    described_by="delete-hint"
                    error=field_error(error, "email")
                >
                    <p class="hint" id="delete-hint">
                        "Type it to confirm. All your other devices are signed out at once."
                    </p>
                </Field>
                <button class="btn btn-line btn-danger w-fit" type="submit" aria-busy=move || pending.get().to_string()>
                    "Delete my account"
                </button>
            </div>
        </ActionForm>
    }
    .into_any()
}
