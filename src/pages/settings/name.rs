use leptos::{form::ActionForm, prelude::*};

use super::state::SettingsState;
use crate::{
    components::Field,
    pages::{
        shell::CurrentPerson,
        toolkit::{
            FormErrorOrConfirm, Section, SubmitButton, action_error, action_status, field_error, focus_error,
            input_value, on_success,
        },
    },
    server_fns::security::ChangeName,
};

/// The person's name.
#[component]
pub fn NameSection(
    /// What the page shows.
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
        <Section id="profile" title="Name" sentence="What you are called here.">
            <ActionForm action>
                <div class="grid max-w-[360px] gap-5">
                    <FormErrorOrConfirm error fields=FIELDS id="name-form-error" next="/settings#profile" />
                    <Field name="name" label="Name" autocomplete="name" value=name error=field_error(error, "name") />
                    <SubmitButton
                        words="Save the name"
                        pending=action.pending()
                        status=action_status(action, "name", "Saved.")
                    />
                </div>
            </ActionForm>
        </Section>
    }
    .into_any()
}
