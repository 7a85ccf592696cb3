use leptos::prelude::*;

use super::{
    change::{PersonChangeForm, change_status},
    state::PersonState,
};
use crate::{
    components::Notice,
    domain::{Person, PersonChange},
    pages::{
        shell::ReaderTime,
        toolkit::{Section, StatusMessage},
    },
};

/// Deletes the account, or cancels the deletion.
#[component]
pub fn DeletionSection(
    /// The person.
    person: Person,
    /// The actions on the person.
    state: PersonState,
) -> impl IntoView {
    const CHANGES: &[PersonChange] = &[PersonChange::DeleteAccount, PersonChange::KeepAccount];
    let clock = ReaderTime::expect().clock;
    let Person { summary, deletion_at, is_self, .. } = person;
    let sentence = match is_self {
        true => t!("admin.deletion.own"),
        false => t!("admin.deletion.intro"),
    };
    let due = deletion_at.map(|due| {
        view! {
            <Notice class="notice notice-danger mb-3">
                <p>{move || t!("admin.deletion.due", when = clock.get().exact(due))}</p>
            </Notice>
        }
    });
    let change = match (is_self, deletion_at) {
        (_, Some(_)) => Some((PersonChange::KeepAccount, t!("admin.deletion.keep"))),
        (false, None) => Some((PersonChange::DeleteAccount, t!("admin.deletion.delete"))),
        (true, None) => None,
    };
    view! {
        <Section id="deletion" title=t!("admin.deletion.title") sentence danger=true>
            {due}
            <div class="flex flex-wrap items-end gap-3">
                {change.map(|(change, label)| view! { <PersonChangeForm person=summary.id change label state /> })}
                <StatusMessage text=change_status(state, CHANGES) />
            </div>
        </Section>
    }
    .into_any()
}
