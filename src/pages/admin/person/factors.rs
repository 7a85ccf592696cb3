use leptos::prelude::*;

use super::{
    change::{Change, status_of},
    state::PersonState,
};
use crate::{
    domain::{Person, PersonChange},
    pages::{
        shell::ReaderTime,
        toolkit::{Section, StatusMessage},
    },
};

/// Second factors that were lost.
#[component]
pub fn FactorsSection(
    /// The person.
    person: Person,
    /// What is done with them.
    state: PersonState,
) -> impl IntoView {
    const CHANGES: &[PersonChange] = &[PersonChange::RemoveFactors, PersonChange::KeepFactors];
    let clock = ReaderTime::expect().clock;
    let Person { summary, factors, factor_removal, removal_hours, is_self, .. } = person;
    let sentence = match (factors, is_self) {
        (0, _) => "They have none.".to_owned(),
        (_, true) => "You remove your own in your settings.".to_owned(),
        (count, false) => {
            let have = if count == 1 { "They have one.".to_owned() } else { format!("They have {count}.") };
            let wait = if removal_hours == 1 { "1 hour".to_owned() } else { format!("{removal_hours} hours") };
            format!("{have} Lost ones are removed {wait} after you asked; until then the person can refuse.")
        }
    };
    let due = factor_removal.map(|due| {
        view! {
            <p class="mb-3">"They will be removed on " {move || clock.get().exact(due)} "."</p>
        }
    });
    let change = match (factors, is_self, factor_removal) {
        (_, _, Some(_)) => Some((PersonChange::KeepFactors, "Keep them after all")),
        (1.., false, None) => Some((PersonChange::RemoveFactors, "Remove the lost factors")),
        _ => None,
    };
    view! {
        <Section ruled=true id="factors" title="Second factors" sentence>
            {due}
            <div class="flex flex-wrap items-end gap-3">
                {change.map(|(change, words)| view! { <Change person=summary.id change words state /> })}
                <StatusMessage words=status_of(state, CHANGES) />
            </div>
        </Section>
    }
    .into_any()
}
