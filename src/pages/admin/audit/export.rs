use leptos::prelude::*;

use crate::{domain::AuditQuery, pages::toolkit::ConfirmLink};

/// What fits, as a file.
#[component]
pub fn AuditExport(
    /// What was asked for.
    asked: AuditQuery,
    /// Whether the administrator proved a short while ago who they are.
    fresh: bool,
    /// The address of this page, to come back to.
    here: String,
) -> impl IntoView {
    if !fresh {
        return view! {
            <p class="mt-6">
                <ConfirmLink next=here />
                <span class="hint block">{t!("admin.audit.export_confirm")}</span>
            </p>
        }
        .into_any();
    }
    let AuditQuery { action, outcome, person, from, to } = asked;
    let fields = [("action", action), ("outcome", outcome), ("person", person), ("from", from), ("to", to)];
    let fields = fields.map(|(name, value)| view! { <input type="hidden" name=name value=value /> }).collect_view();
    view! {
        <form class="mt-6" method="post" action="/audit/export">
            {fields}
            <button class="btn btn-line" type="submit">
                {t!("admin.audit.export")}
            </button>
        </form>
    }
    .into_any()
}
