use leptos::{form::ActionForm, prelude::*};

use super::{Save, Section};
use crate::{
    components::{Field, FormError},
    pages::{
        forms::{field_error, focus_error, form_action, form_error},
        frame::FrameState,
        password::{Strength, password_rating},
    },
    server_fns::security::ChangePassword,
};

/// The person's password.
#[component]
pub fn PasswordSection(
    /// The frame around.
    frame: FrameState,
    /// Told after a change.
    on_change: Callback<()>,
) -> impl IntoView {
    const FIELDS: &[&str] = &["current", "password"];
    let action = form_action::<ChangePassword>();
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    focus_error(error, FIELDS, "password-form-error");
    let about = move || frame.user.with_untracked(|user| (user.email.clone(), user.name.clone()));
    let (rating, rate) = password_rating(about);
    Effect::new(move || {
        if let Some(Ok(())) = action.value().get() {
            on_change.run(());
        }
    });
    view! {
        <Section
            id="password-section"
            title="Password"
            sentence="A new password ends all your other sign-ins."
        >
            <ActionForm action>
                <div class="grid max-w-[360px] gap-5" on:input=move |event| rate.run(event)>
                    <FormError error=form_error(error, FIELDS) id="password-form-error" />
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
                    <Field
                        name="current"
                        label="Current password"
                        kind="password"
                        autocomplete="current-password"
                        error=field_error(error, "current")
                    />
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
                    <Save
                        words="Change the password"
                        done="password"
                        result="Changed. Your other sign-ins have ended."
                        pending=action.pending()
                        saved=Signal::derive(move || action.value().with(|value| value.as_ref().map(Result::is_ok)))
                    />
                </div>
            </ActionForm>
        </Section>
    }
    .into_any()
}
