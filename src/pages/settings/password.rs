use leptos::{form::ActionForm, prelude::*};

use super::state::SettingsState;
use crate::{
    components::Field,
    pages::{
        shell::CurrentPerson,
        toolkit::{
            FormErrorOrReauth, PasswordStrength, ReauthGate, Section, SubmitButton, action_error, action_status,
            field_error, focus_error, password_rating,
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
    let form = move |label: &'static str, result: &'static str| {
        view! {
            <ActionForm action>
                <div class="grid max-w-[360px] gap-5" on:input=move |event| rate.run(event)>
                    <FormErrorOrReauth
                        error
                        fields=FIELDS
                        id="password-form-error"
                        next="/settings#password-section"
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
                    <Field
                        name="password"
                        label=t!("settings.password.new")
                        kind="password"
                        autocomplete="new-password"
                        error=field_error(error, "password")
                        described_by="password-hint"
                    >
                        <PasswordStrength rating error=field_error(error, "password") />
                    </Field>
                    <SubmitButton label pending=action.pending() status=action_status(action, "password", result) />
                </div>
            </ActionForm>
        }
        .into_any()
    };
    view! {
        <Section
            id="password-section"
            title=t!("settings.password.title")
            sentence=t!("settings.password.sentence")
        >
            {move || {
                if has_password.get() {
                    form(t!("settings.password.change"), t!("settings.password.changed"))
                } else {
                    view! {
                        <ReauthGate
                            recently_authenticated=state.recently_authenticated()
                            next="/settings#password-section"
                            hint=t!("settings.password.confirm_hint")
                        >
                            {form(t!("settings.password.set"), t!("settings.password.set_done"))}
                        </ReauthGate>
                    }
                    .into_any()
                }
            }}
        </Section>
    }
    .into_any()
}
