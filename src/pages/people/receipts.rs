use leptos::prelude::*;

use super::sections::Part;
use crate::{components::TimeAgo, domain::Receipt, pages::frame::FrameState};

/// The receipts of deleted accounts. Nothing where none was.
#[component]
pub fn Receipts(
    /// The receipts, newest first.
    receipts: Vec<Receipt>,
) -> impl IntoView {
    if receipts.is_empty() {
        return ().into_any();
    }
    let rows = receipts.into_iter().map(|receipt| view! { <Row receipt /> }).collect_view();
    view! {
        <Part id="deleted" title="Deleted accounts" sentence="What was deleted when. Nothing says whose it was.">
            <ul class="divide-y divide-line border-y border-line">{rows}</ul>
        </Part>
    }
    .into_any()
}

#[component]
fn Row(receipt: Receipt) -> impl IntoView {
    let clock = FrameState::expect().clock;
    let Receipt { id, asked_at, done_at, counts } = receipt;
    view! {
        <li class="py-3">
            <p class="break-all font-medium">"Receipt " {id}</p>
            <p class="text-label text-ink-soft">
                "Asked for " <TimeAgo at=asked_at clock /> " · deleted " <TimeAgo at=done_at clock />
            </p>
            <p class="text-label text-ink-soft">{counts}</p>
        </li>
    }
    .into_any()
}
