use leptos::prelude::*;

use super::{
    change::{Change, status_of},
    state::PersonState,
};
use crate::{
    domain::{Person, PersonChange, Role},
    pages::toolkit::{Section, StatusMessage},
};

/// What they may do.
#[component]
pub fn RoleSection(
    /// The person.
    person: Person,
    /// What is done with them.
    state: PersonState,
) -> impl IntoView {
    const CHANGES: &[PersonChange] = &[PersonChange::MakeAdministrator, PersonChange::MakeMember];
    let (id, is_self) = (person.summary.id, person.is_self);
    let (sentence, change, words) = match person.summary.role {
        Role::Member => {
            (t!("admin.person.member"), PersonChange::MakeAdministrator, t!("admin.person.make_administrator"))
        }
        Role::Administrator => {
            (t!("admin.person.administrator"), PersonChange::MakeMember, t!("admin.person.make_member"))
        }
    };
    view! {
        <Section ruled=true id="role" title=t!("admin.person.role") sentence>
            <div class="flex flex-wrap items-end gap-3">
                <Change person=id change words confirm=is_self && change.needs_confirmation() state />
                <StatusMessage words=status_of(state, CHANGES) />
            </div>
        </Section>
    }
    .into_any()
}
