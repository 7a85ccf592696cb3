use leptos::prelude::*;

use crate::domain::{AuditAction, AuditQuery};

/// The filter form. A GET form, so that it works without scripts.
#[component]
pub fn FilterForm(
    /// The current filter.
    filter: AuditQuery,
) -> impl IntoView {
    let is_set = filter != AuditQuery::default();
    let AuditQuery { action, outcome, person, from, to } = filter;
    let actions = AuditAction::ALL
        .iter()
        .map(|known| {
            let name = known.name();
            view! {
                <option value=name.clone() selected=name == action>
                    {known.label()}
                </option>
            }
        })
        .collect_view();
    let outcomes = [("done", t!("admin.outcome.done")), ("refused", t!("admin.outcome.refused"))]
        .map(|(name, label)| view! { <option value=name selected=name == outcome>{label}</option> })
        .collect_view();
    view! {
        <form class="audit-filter" method="get" action="/audit" role="search">
            <label>
                <span class="label">{t!("admin.audit.what")}</span>
                <select class="input" name="action">
                    <option value="">{t!("admin.audit.everything")}</option>
                    {actions}
                </select>
            </label>
            <label>
                <span class="label">{t!("admin.audit.result")}</span>
                <select class="input" name="outcome">
                    <option value="">{t!("admin.audit.any")}</option>
                    {outcomes}
                </select>
            </label>
            <label>
                <span class="label">{t!("admin.audit.who")}</span>
                <input class="input" name="person" autocomplete="off" spellcheck="false" maxlength="320" value=person />
            </label>
            <label>
                <span class="label">{t!("admin.audit.from")}</span>
                <input class="input" type="date" name="from" value=from />
            </label>
            <label>
                <span class="label">{t!("admin.audit.to")}</span>
                <input class="input" type="date" name="to" value=to />
            </label>
            <div class="flex gap-1">
                <button class="btn btn-line min-h-11" type="submit">
                    {t!("admin.audit.search")}
                </button>
                {is_set
                    .then(|| {
                        view! {
                            <a class="btn btn-quiet min-h-11" href="/audit">
                                {t!("admin.audit.clear")}
                            </a>
                        }
                    })}
            </div>
        </form>
    }
    .into_any()
}
