use leptos::prelude::*;

use crate::{
    components::TimeAgo,
    domain::Receipt,
    pages::{
        shell::ReaderTime,
        toolkit::{RowList, Section},
    },
};

/// The receipts of deleted accounts. Renders nothing if there are none.
#[component]
pub fn Receipts(
    /// The receipts, newest first.
    receipts: Vec<Receipt>,
) -> impl IntoView {
    if receipts.is_empty() {
        return ().into_any();
    }
    let rows = receipts.into_iter().map(|receipt| view! { <ReceiptRow receipt /> }).collect_view();
    view! {
        <Section
            id="deleted"
            title=t!("admin.receipts.title")
            sentence=t!("admin.receipts.intro")
        >
            <RowList>{rows}</RowList>
        </Section>
    }
    .into_any()
}

#[component]
fn ReceiptRow(receipt: Receipt) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    let Receipt { id, asked_at, done_at, counts } = receipt;
    view! {
        <li class="py-3">
            <p class="break-all font-medium">{t!("admin.receipts.receipt", id = id)}</p>
            <p class="text-label text-ink-soft">
                {rich!(
                    "admin.receipts.asked_deleted",
                    asked = |_| view! { <TimeAgo at=asked_at clock /> },
                    deleted = |_| view! { <TimeAgo at=done_at clock /> }
                )}
            </p>
            <p class="text-label text-ink-soft">{counts}</p>
        </li>
    }
    .into_any()
}
