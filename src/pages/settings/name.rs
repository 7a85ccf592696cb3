use leptos::{form::ActionForm, prelude::*};

use super::state::SettingsState;
use crate::{
    components::Field,
    pages::{
        shell::CurrentPerson,
        toolkit::{
            FormErrorOrReauth, Section, SubmitButton, action_error, action_status, field_error, focus_error,
            input_value, on_success,
        },
    },
    server_fns::security::ChangeName,
};

/// The user's name.
#[component]
pub fn NameSection(
    /// The state of the page.
    state: SettingsState,
) -> impl IntoView {
    const FIELDS: &[&str] = &["name"];
    let user = CurrentPerson::expect().user;
    let action = state.action::<ChangeName>();
    let error = action_error(action);
    focus_error(error, FIELDS, "name-form-error");
    let name = user.with_untracked(|user| user.name.clone());
    on_success(action, move |()| {
        let name = input_value("name");
        user.update(|user| name.trim().clone_into(&mut user.name));
    });
    view! {
        <Section id="profile" title=t!("settings.name.title") sentence=t!("settings.name.sentence")>
            <ActionForm action>
                <div class="grid max-w-[360px] gap-5">
                    <FormErrorOrReauth error fields=FIELDS id="name-form-error" next="/settings#profile" />
                    <Field
                        name="name"
                        label=t!("settings.name.label")
                        autocomplete="name"
                        value=name
                        error=field_error(error, "name")
                    />
                    <SubmitButton
                        label=t!("settings.name.save")
                        pending=action.pending()
                        status=action_status(action, "name", t!("settings.saved"))
                    />
                </div>
            </ActionForm>
        </Section>
    }
    .into_any()
}
