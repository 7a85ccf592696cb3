use leptos::{form::ActionForm, prelude::*};

use super::{Save, Section, Sensitive, Shown, Wrong, done_by, error_of};
use crate::{
    components::Field,
    pages::{
        forms::{field_error, focus_error},
        frame::FrameState,
        password::{Strength, password_rating},
    },
    server_fns::security::ChangePassword,
};

/// The person's password: another one, or the first.
#[component]
pub fn PasswordSection(
    /// The frame around.
    frame: FrameState,
    /// What the page shows.
    shown: Shown,
) -> impl IntoView {
    const FIELDS: &[&str] = &["current", "password"];
    let action = shown.action::<ChangePassword>();
    let error = error_of(action);
    focus_error(error, FIELDS, "password-form-error");
    let about = move || frame.user.with_untracked(|user| (user.email.clone(), user.name.clone()));
    let (rating, rate) = password_rating(about);
    let has_one = Memo::new(move |_| shown.now.with(|settings| settings.proof.password));
    let form = move |words: &'static str, result: &'static str| {
        view! {
            <ActionForm action>
                <div class="grid max-w-[360px] gap-5" on:input=move |event| rate.run(event)>
                    <Wrong error fields=FIELDS id="password-form-error" section="password-section" />
                    // Tells password managers whose password this is.
                    <input
                        class="sr-only"
                        type="text"
                        autocomplete="username"
                        aria-hidden="true"
                        tabindex="-1"
                        readonly
                        value=frame.user.with_untracked(|user| user.email.clone())
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
                        <Strength rating wrong=field_error(error, "password") />
                    </Field>
                    <Save words done="password" result pending=action.pending() saved=done_by(action) />
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
                        <Sensitive shown section="password-section" what="set a password">
                            {form("Set a password", "Set. Your other sign-ins have ended.")}
                        </Sensitive>
                    }
                    .into_any()
                }
            }}
        </Section>
    }
    .into_any()
}
