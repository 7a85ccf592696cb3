//! Lists of rows and their pagination.

use leptos::prelude::*;

/// A list of rows with separator lines.
#[component]
pub fn RowList(
    /// The rows.
    children: Children,
) -> impl IntoView {
    view! { <ul class="divide-y divide-line border-t border-line">{children()}</ul> }.into_any()
}

/// A list of rows with separator lines, or a sentence if it is empty.
#[component]
pub fn RowListOrEmpty(
    /// The rows.
    rows: Vec<AnyView>,
    /// The sentence for an empty list.
    empty_text: &'static str,
) -> impl IntoView {
    if rows.is_empty() {
        view! { <p class="py-6 text-ink-soft">{empty_text}</p> }.into_any()
    } else {
        view! { <RowList>{rows}</RowList> }.into_any()
    }
}

/// The URLs of the pages of a list.
pub struct PageLinks {
    /// The first page.
    pub first: String,
    /// The next page, if there is one.
    pub next: Option<String>,
}

impl PageLinks {
    /// The links of the list at `path` for a query string, each pair of which ends with `&`. `cursor` is the start of
    /// the next page.
    pub fn new(path: &str, query: &str, cursor: Option<String>) -> Self {
        Self {
            first: format!("{path}?{query}").trim_end_matches(['?', '&']).to_owned(),
            next: cursor.map(|cursor| format!("{path}?{query}after={cursor}")),
        }
    }
}

/// The links to the first and to the next page of a list.
#[component]
pub fn Pager(
    /// The URLs of the pages.
    links: PageLinks,
    /// Whether this is not the first page.
    is_later: bool,
    /// The text of the link to the first page.
    first_label: &'static str,
    /// The text of the link to the next page.
    next_label: &'static str,
    /// The classes of the element around the links.
    #[prop(default = "mt-4 flex flex-wrap gap-3")]
    class: &'static str,
) -> impl IntoView {
    let PageLinks { first, next } = links;
    let link = |(href, label)| {
        view! {
            <a class="btn btn-line" href=href>
                {label}
            </a>
        }
    };
    view! {
        <p class=class>
            {is_later.then_some((first, first_label)).map(link)} {next.map(|next| (next, next_label)).map(link)}
        </p>
    }
    .into_any()
}
