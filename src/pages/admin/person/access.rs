use leptos::prelude::*;

use super::{
    change::{PersonChangeForm, change_status},
    state::PersonState,
};
use crate::{
    domain::{AccountStatus, Person, PersonChange},
    pages::toolkit::{RowSection, StatusMessage},
};

/// Disables or enables the account.
#[component]
pub fn AccessSection(
    /// The person.
    person: Person,
    /// The actions on the person.
    state: PersonState,
) -> impl IntoView {
    const CHANGES: &[PersonChange] = &[PersonChange::Disable, PersonChange::Enable];
    let (id, is_self) = (person.summary.id, person.is_self);
    let (sentence, change, label) = match person.summary.status {
        AccountStatus::Disabled => (t!("admin.access.disabled"), PersonChange::Enable, t!("admin.access.enable")),
        _ => (t!("admin.access.enabled"), PersonChange::Disable, t!("admin.access.disable")),
    };
    view! {
        <RowSection id="access" title=t!("admin.access.title") sentence>
            <div class="person-control">
                <PersonChangeForm person=id change label confirm=is_self && change.needs_confirmation() state />
                <StatusMessage text=change_status(state, CHANGES) />
            </div>
        </RowSection>
    }
    .into_any()
}
