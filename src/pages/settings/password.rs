use leptos::{form::ActionForm, prelude::*};

use super::state::SettingsState;
use crate::{
    components::Field,
    pages::{
        shell::CurrentPerson,
        toolkit::{
            ConfirmGate, FormErrorOrConfirm, PasswordStrength, Section, SubmitButton, action_error, action_status,
            field_error, focus_error, password_rating,
        },
    },
    server_fns::security::ChangePassword,
};

/// The person's password: another one, or the first.
#[component]
pub fn PasswordSection(
    /// What the page shows.
    state: SettingsState,
) -> impl IntoView {
    const FIELDS: &[&str] = &["current", "password"];
    let user = CurrentPerson::expect().user;
    let action = state.action::<ChangePassword>();
    let error = action_error(action);
    focus_error(error, FIELDS, "password-form-error");
    let about = move || user.with_untracked(|user| (user.email.clone(), user.name.clone()));
    let (rating, rate) = password_rating(about);
    let has_one = Memo::new(move |_| state.now.with(|settings| settings.proof.password));
    let form = move |words: &'static str, result: &'static str| {
        view! {
            <ActionForm action>
                <div class="grid max-w-[360px] gap-5" on:input=move |event| rate.run(event)>
                    <FormErrorOrConfirm
                        error
                        fields=FIELDS
                        id="password-form-error"
                        next="/settings#password-section"
                    />
                    // Tells password managers whose password this is.
                    <input
                        class="sr-only"
                        type="text"
                        autocomplete="username"
                        aria-hidden="true"
                        tabindex="-1"
                        readonly
                        value=user.with_untracked(|user| user.email.clone())
                    />
                    {has_one
                        .get_untracked()
                        .then(|| {
                            view! {
                                <Field
                                    name="current"
                                    label="Current password"
                                    kind="password"
                                    autocomplete="current-password"
                                    error=field_error(error, "current")
                                />
                            }
                        })}
                    <Field
                        name="password"
                        label="New password"
                        kind="password"
                        autocomplete="new-password"
                        error=field_error(error, "password")
                        described_by="password-hint"
                    >
                        <PasswordStrength rating wrong=field_error(error, "password") />
                    </Field>
                    <SubmitButton words pending=action.pending() status=action_status(action, "password", result) />
                </div>
            </ActionForm>
        }
        .into_any()
    };
    view! {
        <Section
            id="password-section"
            title="Password"
            sentence="A new password ends all your other sign-ins."
        >
            {move || {
                if has_one.get() {
                    form("Change the password", "Changed. Your other sign-ins have ended.")
                } else {
                    view! {
                        <ConfirmGate fresh=state.fresh() next="/settings#password-section" what="set a password">
                            {form("Set a password", "Set. Your other sign-ins have ended.")}
                        </ConfirmGate>
                    }
                    .into_any()
                }
            }}
        </Section>
    }
    .into_any()
}
