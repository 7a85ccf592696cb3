use leptos::{form::ActionForm, prelude::*};

use super::state::SettingsState;
use crate::{
    components::Field,
    pages::{
        shell::CurrentPerson,
        toolkit::{
            EditSection, FormErrorOrReauth, NewPasswordField, ReauthGate, action_error, action_status, field_error,
            focus_error, password_rating,
        },
    },
    server_fns::security::ChangePassword,
};

/// Changes the user's password, or sets the first one.
#[component]
pub fn PasswordSection(
    /// The state of the page.
    state: SettingsState,
) -> impl IntoView {
    const FIELDS: &[&str] = &["current", "password"];
    let user = CurrentPerson::expect().user;
    let action = state.action::<ChangePassword>();
    let error = action_error(action);
    focus_error(error, FIELDS, "password-form-error");
    let about = move || user.with_untracked(|user| (user.email.clone(), user.name.clone()));
    let (rating, rate) = password_rating(about);
    let has_password = Memo::new(move |_| state.settings.with(|settings| settings.proof.password));
    let pending = action.pending();
    let form = move |label: &'static str| {
        view! {
            <ActionForm action>
                <div class="grid max-w-[22.5rem] gap-5" on:input=move |event| rate.run(event)>
                    <FormErrorOrReauth
                        error
                        fields=FIELDS
                        id="password-form-error"
                        next="/settings/security#password-section"
                    />
                    // For password managers: the account to which the password belongs.
                    <input
                        class="sr-only"
                        type="text"
                        autocomplete="username"
                        aria-hidden="true"
                        tabindex="-1"
                        readonly
                        value=user.with_untracked(|user| user.email.clone())
                    />
                    {has_password
                        .get_untracked()
                        .then(|| {
                            view! {
                                <Field
                                    name="current"
                                    label=t!("settings.password.current")
                                    kind="password"
                                    autocomplete="current-password"
                                    error=field_error(error, "current")
                                />
                            }
                        })}
                    <NewPasswordField label=t!("settings.password.new") rating error />
                    <button class="btn btn-primary w-fit" type="submit" aria-busy=move || pending.get().to_string()>
                        {label}
                    </button>
                </div>
            </ActionForm>
        }
        .into_any()
    };
    let result =
        if has_password.get_untracked() { t!("settings.password.changed") } else { t!("settings.password.set_done") };
    view! {
        <EditSection
            id="password-section"
            title=t!("settings.password.title")
            sentence=t!("settings.password.sentence")
            open=error.get_untracked().is_some()
            status=action_status(action, "password", result)
        >
            {move || {
                if has_password.get() {
                    form(t!("settings.password.change"))
                } else {
                    view! {
                        <ReauthGate
                            recently_authenticated=state.recently_authenticated()
                            next="/settings/security#password-section"
                            hint=t!("settings.password.confirm_hint")
                        >
                            {form(t!("settings.password.set"))}
                        </ReauthGate>
                    }
                    .into_any()
                }
            }}
        </EditSection>
    }
    .into_any()
}
