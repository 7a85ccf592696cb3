use leptos::prelude::*;

use super::{
    change::{PersonChangeForm, change_status},
    state::PersonState,
};
use crate::{
    domain::{Person, PersonChange, Role},
    pages::toolkit::{RowSection, StatusMessage},
};

/// Changes the role.
#[component]
pub fn RoleSection(
    /// The person.
    person: Person,
    /// The actions on the person.
    state: PersonState,
) -> impl IntoView {
    const CHANGES: &[PersonChange] = &[PersonChange::MakeAdministrator, PersonChange::MakeMember];
    let (id, is_self) = (person.summary.id, person.is_self);
    let (sentence, change, label) = match person.summary.role {
        Role::Member => {
            (t!("admin.person.member"), PersonChange::MakeAdministrator, t!("admin.person.make_administrator"))
        }
        Role::Administrator => {
            (t!("admin.person.administrator"), PersonChange::MakeMember, t!("admin.person.make_member"))
        }
    };
    view! {
        <RowSection id="role" title=t!("admin.person.role") sentence>
            <div class="person-control">
                <PersonChangeForm person=id change label confirm=is_self && change.needs_confirmation() state />
                <StatusMessage text=change_status(state, CHANGES) />
            </div>
        </RowSection>
    }
    .into_any()
}
