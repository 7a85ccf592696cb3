use leptos::prelude::*;

use crate::domain::{AuditAction, AuditQuery};

/// The search: a plain form, so that it works without scripts.
#[component]
pub fn Filter(
    /// What was asked for.
    asked: AuditQuery,
) -> impl IntoView {
    let AuditQuery { action, outcome, person, from, to } = asked;
    let actions = AuditAction::ALL
        .iter()
        .map(|known| {
            let name = known.name();
            view! {
                <option value=name.clone() selected=name == action>
                    {known.words()}
                </option>
            }
        })
        .collect_view();
    let outcomes = [("done", "Done"), ("refused", "Refused")]
        .map(|(name, words)| view! { <option value=name selected=name == outcome>{words}</option> })
        .collect_view();
    view! {
        <form class="audit-filter" method="get" action="/audit" role="search">
            <label>
                <span class="label">"What"</span>
                <select class="input" name="action">
                    <option value="">"Everything"</option>
                    {actions}
                </select>
            </label>
            <label>
                <span class="label">"Result"</span>
                <select class="input" name="outcome">
                    <option value="">"Any"</option>
                    {outcomes}
                </select>
            </label>
            <label>
                <span class="label">"Who (address or id)"</span>
                <input class="input" name="person" autocomplete="off" spellcheck="false" maxlength="320" value=person />
            </label>
            <label>
                <span class="label">"From (UTC)"</span>
                <input class="input" type="date" name="from" value=from />
            </label>
            <label>
                <span class="label">"To (UTC)"</span>
                <input class="input" type="date" name="to" value=to />
            </label>
            <button class="btn btn-line min-h-11" type="submit">
                "Search"
            </button>
        </form>
    }
    .into_any()
}
