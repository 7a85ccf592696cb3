use leptos::{form::ActionForm, prelude::*};

use super::state::PersonState;
use crate::domain::{PersonChange, UserId};

/// A form with one button, which does one thing.
#[component]
pub fn Change(
    /// With whom.
    person: UserId,
    /// What is done.
    change: PersonChange,
    /// What the button says.
    words: &'static str,
    /// Asks an administrator to confirm that it is about themself.
    #[prop(default = false)]
    confirm: bool,
    /// What is done with them.
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
                {words}
            </button>
        </ActionForm>
    }
    .into_any()
}

/// What is said in a section when one of its changes was done.
pub fn status_of(state: PersonState, changes: &'static [PersonChange]) -> Signal<Option<&'static str>> {
    Signal::derive(move || {
        let named = state.done.get()?;
        changes.iter().find(|change| change.name() == named).map(|change| change.result())
    })
}
