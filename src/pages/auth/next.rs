use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, location::Url};

/// The path to return to after signing in, from the URL of this page.
pub fn next() -> Option<String> {
    use_query_map().with_untracked(|query| query.get("next"))
}

/// The URL of another page for signed-out visitors, with the same return path.
pub fn with_next(path: &str, next: Option<&str>) -> String {
    next.map_or_else(|| path.to_owned(), |next| format!("{path}?next={}", Url::escape(next)))
}
