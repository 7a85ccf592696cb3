//! Lists of rows, and the way through their pages.

use leptos::prelude::*;

/// Rows with lines between them.
#[component]
pub fn RowList(
    /// The rows.
    children: Children,
) -> impl IntoView {
    view! { <ul class="divide-y divide-line border-y border-line">{children()}</ul> }.into_any()
}

/// Rows with lines between them, or a sentence where there are none.
#[component]
pub fn RowsOrNone(
    /// The rows.
    rows: Vec<AnyView>,
    /// The sentence.
    none: &'static str,
) -> impl IntoView {
    if rows.is_empty() {
        view! { <p class="py-6 text-ink-soft">{none}</p> }.into_any()
    } else {
        view! { <RowList>{rows}</RowList> }.into_any()
    }
}

/// Where the pages of a list are.
pub struct PageLinks {
    /// The first page.
    pub first: String,
    /// The next one, where there is one.
    pub next: Option<String>,
}

impl PageLinks {
    /// The pages of the list at `path` for a query, whose pairs end with `&` each.
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
    /// Where the pages are.
    links: PageLinks,
    /// Whether this is another page than the first.
    is_later: bool,
    /// What the link to the first page says.
    to_first: &'static str,
    /// What the link to the next page says.
    to_next: &'static str,
    /// The classes around.
    #[prop(default = "mt-4 flex flex-wrap gap-3")]
    class: &'static str,
) -> impl IntoView {
    let PageLinks { first, next } = links;
    let link = |(href, words)| {
        view! {
            <a class="btn btn-line" href=href>
                {words}
            </a>
        }
    };
    view! {
        <p class=class>
            {is_later.then_some((first, to_first)).map(link)} {next.map(|next| (next, to_next)).map(link)}
        </p>
    }
    .into_any()
}
