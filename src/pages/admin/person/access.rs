use leptos::prelude::*;

use super::{
    change::{Change, status_of},
    state::PersonState,
};
use crate::{
    domain::{Person, PersonChange, Standing},
    pages::toolkit::{Section, StatusMessage},
};

/// Whether they can come in.
#[component]
pub fn AccessSection(
    /// The person.
    person: Person,
    /// What is done with them.
    state: PersonState,
) -> impl IntoView {
    const CHANGES: &[PersonChange] = &[PersonChange::Disable, PersonChange::Enable];
    let (id, is_self) = (person.summary.id, person.is_self);
    let (sentence, change, words) = match person.summary.standing {
        Standing::Disabled => (t!("admin.access.disabled"), PersonChange::Enable, t!("admin.access.enable")),
        _ => (t!("admin.access.enabled"), PersonChange::Disable, t!("admin.access.disable")),
    };
    view! {
        <Section ruled=true id="access" title=t!("admin.access.title") sentence>
            <div class="flex flex-wrap items-end gap-3">
                <Change person=id change words confirm=is_self && change.needs_confirmation() state />
                <StatusMessage words=status_of(state, CHANGES) />
            </div>
        </Section>
    }
    .into_any()
}
