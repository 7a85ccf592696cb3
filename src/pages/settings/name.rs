use leptos::{form::ActionForm, prelude::*};

use super::state::SettingsState;
use crate::{
    components::Field,
    pages::{
        shell::CurrentPerson,
        toolkit::{
            EditSection, FormErrorOrReauth, action_error, action_status, field_error, focus_error, keep_input_value,
            on_success,
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
        // From now on, Cancel returns to it.
        let name = keep_input_value("name");
        user.update(|user| name.trim().clone_into(&mut user.name));
    });
    let pending = action.pending();
    view! {
        <EditSection
            id="profile"
            title=t!("settings.name.title")
            sentence=t!("settings.name.sentence")
            value=view! {
                <span class="setting-value" dir="auto">
                    {move || user.with(|user| user.name.clone())}
                </span>
            }
                .into_any()
            open=error.get_untracked().is_some()
            status=action_status(action, "name", t!("settings.saved"))
        >
            <ActionForm action>
                <div class="grid max-w-[22.5rem] gap-5">
                    <FormErrorOrReauth error fields=FIELDS id="name-form-error" next="/settings#profile" />
                    <Field
                        name="name"
                        label=t!("settings.name.label")
                        autocomplete="name"
                        value=name
                        error=field_error(error, "name")
                    />
                    <button class="btn btn-primary w-fit" type="submit" aria-busy=move || pending.get().to_string()>
                        {t!("common.save")}
                    </button>
                </div>
            </ActionForm>
        </EditSection>
    }
    .into_any()
}
