use leptos::{form::ActionForm, prelude::*};

use super::state::PersonState;
use crate::domain::{PersonChange, UserId};

/// A form with one button that applies a change to an account.
#[component]
pub fn PersonChangeForm(
    /// The person's id.
    person: UserId,
    /// The change.
    change: PersonChange,
    /// The label of the button.
    label: &'static str,
    /// Whether to show a checkbox that confirms a change of the administrator's own account.
    #[prop(default = false)]
    confirm: bool,
    /// The actions on the person.
    state: PersonState,
) -> impl IntoView {
    let class = if matches!(change, PersonChange::Disable | PersonChange::DeleteAccount) {
        "btn btn-line btn-danger"
    } else {
        "btn btn-line"
    };
    let box_id = format!("confirm-{}", change.name());
    view! {
        <ActionForm action=state.change>
            <input type="hidden" name="user" value=person.to_string() />
            <input type="hidden" name="change" value=change.name() />
            {confirm
                .then(|| {
                    view! {
                        <label class="mb-3 flex min-h-11 items-center gap-2.5 text-ink-soft" for=box_id.clone()>
                            <input class="checkbox" id=box_id.clone() type="checkbox" name="confirmed" value="on" required />
                            {t!("admin.person.own_account")}
                        </label>
                    }
                })}
            <button class=class type="submit">
                {label}
            </button>
        </ActionForm>
    }
    .into_any()
}

/// The status message of a section after one of its changes was made.
pub fn change_status(state: PersonState, changes: &'static [PersonChange]) -> Signal<Option<&'static str>> {
    Signal::derive(move || {
        let done = state.done.get()?;
        changes.iter().find(|change| change.name() == done).map(|change| change.result())
    })
}
