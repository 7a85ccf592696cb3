use leptos::{form::ActionForm, prelude::*};

use super::state::SettingsState;
use crate::{
    components::Field,
    domain::Timestamp,
    pages::{
        shell::{CurrentPerson, ReaderTime},
        toolkit::{
            ConfirmGate, FormErrorOrConfirm, Section, action_error, field_error, focus_error, form_action, on_success,
        },
    },
    server_fns::deletion::DeleteAccount,
};

/// The end of the account.
#[component]
pub fn DeleteSection(
    /// What the page shows.
    state: SettingsState,
) -> impl IntoView {
    const SENTENCE: &str =
        "Your chats, your sign-ins and all else that is yours are deleted a day later. Until then you can undo it.";
    let deletion = CurrentPerson::expect().deletion;
    let clock = ReaderTime::expect().clock;
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
                        <ConfirmGate fresh=state.fresh() next="/settings#delete" what="delete the account">
                            <Ask deletion />
                        </ConfirmGate>
                    }
                        .into_any()
                }
            }}
        </Section>
    }
    .into_any()
}

#[component]
fn Ask(deletion: RwSignal<Option<Timestamp>>) -> impl IntoView {
    const FIELDS: &[&str] = &["email"];
    let action = form_action::<DeleteAccount>();
    let error = action_error(action);
    focus_error(error, FIELDS, "delete-error");
    on_success(action, move |due| deletion.set(Some(due)));
    let pending = action.pending();
    view! {
        <ActionForm action>
            <div class="grid max-w-[360px] gap-5">
                <FormErrorOrConfirm error fields=FIELDS id="delete-error" next="/settings#delete" />
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
