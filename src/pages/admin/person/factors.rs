use leptos::prelude::*;

use super::{
    change::{PersonChangeForm, change_status},
    state::PersonState,
};
use crate::{
    domain::{Person, PersonChange},
    pages::{
        shell::ReaderTime,
        toolkit::{RowSection, StatusMessage},
    },
};

/// Removes second factors that were lost.
#[component]
pub fn FactorsSection(
    /// The person.
    person: Person,
    /// The actions on the person.
    state: PersonState,
) -> impl IntoView {
    const CHANGES: &[PersonChange] = &[PersonChange::RemoveFactors, PersonChange::KeepFactors];
    let clock = ReaderTime::expect().clock;
    let Person { summary, factors, factor_removal, removal_hours, is_self, .. } = person;
    let sentence = match (factors, is_self) {
        (0, _) => t!("admin.factors.none").to_owned(),
        (_, true) => t!("admin.factors.own").to_owned(),
        (count, false) => {
            let (have, wait) =
                (t!("admin.factors.have", count = count), t!("admin.factors.wait", count = removal_hours));
            format!("{have} {wait}")
        }
    };
    let due = factor_removal.map(|due| {
        view! { <p class="mt-1 text-label text-warn">{move || t!("admin.factors.due", when = clock.get().exact(due))}</p> }
    });
    let change = match (factors, is_self, factor_removal) {
        (_, _, Some(_)) => Some((PersonChange::KeepFactors, t!("admin.factors.keep"))),
        (1.., false, None) => Some((PersonChange::RemoveFactors, t!("admin.factors.remove"))),
        _ => None,
    };
    view! {
        <RowSection id="factors" title=t!("admin.factors.title") sentence value=due.into_any()>
            <div class="person-control">
                {change.map(|(change, label)| view! { <PersonChangeForm person=summary.id change label state /> })}
                <StatusMessage text=change_status(state, CHANGES) />
            </div>
        </RowSection>
    }
    .into_any()
}
