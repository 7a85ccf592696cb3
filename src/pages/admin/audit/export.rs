use leptos::prelude::*;

use crate::{domain::AuditQuery, pages::toolkit::ReauthLink};

/// The button that downloads the matching entries as a file.
#[component]
pub fn AuditExport(
    /// The filter of the list.
    filter: AuditQuery,
    /// Whether the administrator has authenticated recently.
    recently_authenticated: bool,
    /// The URL of this page, to return to after re-authentication.
    page_url: String,
) -> impl IntoView {
    if !recently_authenticated {
        return view! {
            <p class="mt-6">
                <ReauthLink next=page_url />
                <span class="hint block">{t!("admin.audit.export_confirm")}</span>
            </p>
        }
        .into_any();
    }
    let AuditQuery { action, outcome, person, from, to } = filter;
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
