use leptos::{form::ActionForm, prelude::*};

use crate::{domain::FactorId, server_fns::factors::RemoveFactor};

/// Removes a factor, after a second click: with it, sign-in may lose its second step.
#[component]
pub fn RemoveFactorForm(
    /// The factor.
    factor: FactorId,
    /// The accessible name of the first button.
    #[prop(into)]
    name: String,
    /// The action that removes factors.
    action: ServerAction<RemoveFactor>,
) -> impl IntoView {
    view! {
        <details class="confirm">
            <summary class="btn btn-quiet btn-small btn-danger" aria-label=name>
                {t!("settings.factor.remove")}
            </summary>
            <ActionForm action>
                <input type="hidden" name="factor" value=factor.to_string() />
                <p class="text-label text-ink-soft">{t!("settings.factor.remove_question")}</p>
                <button class="btn btn-line btn-small btn-danger" type="submit">
                    {t!("settings.factor.remove_now")}
                </button>
            </ActionForm>
        </details>
    }
    .into_any()
}
