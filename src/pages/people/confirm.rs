use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_location;

use crate::{
    components::{Field, FormError},
    pages::forms::{field_error, focus_error, form_action, form_error},
    server_fns::security::ConfirmIdentity,
};

/// Asks an administrator to prove who they are, before they change anything.
#[component]
pub fn Confirm(
    /// Told when they did.
    on_change: Callback<()>,
) -> impl IntoView {
    const FIELDS: &[&str] = &["password"];
    let action = form_action::<ConfirmIdentity>();
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    focus_error(error, FIELDS, "confirm-error");
    Effect::new(move || {
        if let Some(Ok(())) = action.value().get() {
            on_change.run(());
        }
    });
    let here = use_location().pathname.get_untracked();
    view! {
        <section class="notice mb-6 block" aria-labelledby="confirm-title">
            <h2 class="font-semibold" id="confirm-title">
                "Confirm that it is you"
            </h2>
            <p class="mt-1 mb-4 text-ink-soft">
                "Changes need your password again, because you gave it more than 10 minutes ago. Without a password, sign out and in again."
            </p>
            <ActionForm action>
                <div class="grid max-w-[360px] gap-4">
                    <FormError error=form_error(error, FIELDS) id="confirm-error" />
                    <input type="hidden" name="next" value=here />
                    <Field
                        name="password"
                        label="Your password"
                        kind="password"
                        autocomplete="current-password"
                        error=field_error(error, "password")
                    />
                    <button class="btn btn-line justify-self-start" type="submit">
                        "Confirm"
                    </button>
                </div>
            </ActionForm>
        </section>
    }
    .into_any()
}
