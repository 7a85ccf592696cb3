use leptos::prelude::*;

use super::page_bar::PageBar;
use crate::components::PageTitle;

/// A page with its own heading, in one column.
#[component]
pub fn Page(
    /// The title, in the bar and in the document title.
    title: &'static str,
    /// The classes of the column.
    #[prop(default = "column")]
    class: &'static str,
    /// The content.
    children: Children,
) -> impl IntoView {
    view! {
        <PageTitle text=title />
        <PageBar title heading=false />
        <div class="page">
            <div class=class>{children()}</div>
        </div>
    }
    .into_any()
}
