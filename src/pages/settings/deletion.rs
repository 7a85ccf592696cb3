use leptos::{form::ActionForm, prelude::*};

use super::state::SettingsState;
use crate::{
    components::Field,
    pages::{
        shell::{CurrentPerson, ReaderTime},
        toolkit::{
            FormErrorOrReauth, ReauthGate, Section, action_error, field_error, focus_error, form_action, on_success,
        },
    },
    server_fns::deletion::DeleteAccount,
};

/// Deletion of the account.
#[component]
pub fn DeletionSection(
    /// The state of the page.
    state: SettingsState,
) -> impl IntoView {
    let deletion = CurrentPerson::expect().deletion;
    let clock = ReaderTime::expect().clock;
    let action = form_action::<DeleteAccount>();
    let failed = action_error(action).get_untracked().is_some();
    on_success(action, move |due| deletion.set(Some(due)));
    view! {
        <Section id="delete" title=t!("settings.delete.title") sentence=t!("settings.delete.sentence") danger=true>
            {move || match deletion.get() {
                Some(due) => {
                    view! {
                        <p role="status">{move || t!("settings.delete.due", date = clock.get().exact(due))}</p>
                    }
                        .into_any()
                }
                None => {
                    view! {
                        <ReauthGate
                            recently_authenticated=state.recently_authenticated()
                            next="/settings/data#delete"
                            hint=t!("settings.delete.confirm_hint")
                        >
                            <details class="edit" open=failed>
                                <summary class="w-fit">
                                    <span class="btn btn-line btn-danger edit-open">{t!("settings.delete.title")}</span>
                                    <span class="btn btn-line edit-close">{t!("common.cancel")}</span>
                                </summary>
                                <div class="edit-form">
                                    <DeletionForm action />
                                </div>
                            </details>
                        </ReauthGate>
                    }
                        .into_any()
                }
            }}
        </Section>
    }
    .into_any()
}

#[component]
fn DeletionForm(action: ServerAction<DeleteAccount>) -> impl IntoView {
    const FIELDS: &[&str] = &["email"];
    let error = action_error(action);
    focus_error(error, FIELDS, "delete-error");
    let pending = action.pending();
    view! {
        <ActionForm action>
            <div class="grid max-w-[22.5rem] gap-5">
                <FormErrorOrReauth error fields=FIELDS id="delete-error" next="/settings/data#delete" />
                <Field
                    name="email"
                    id="delete-email"
                    label=t!("settings.delete.address")
                    kind="email"
                    autocomplete="off"
                    described_by="delete-hint"
                    error=field_error(error, "email")
                >
                    <p class="hint" id="delete-hint">
                        {t!("settings.delete.address_hint")}
                    </p>
                </Field>
                <button class="btn btn-line btn-danger w-fit" type="submit" aria-busy=move || pending.get().to_string()>
                    {t!("settings.delete.submit")}
                </button>
            </div>
        </ActionForm>
    }
    .into_any()
}
