use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, location::Url};

/// Where to go after the sign-in, as the address of this page says.
pub fn next() -> Option<String> {
    use_query_map().with_untracked(|query| query.get("next"))
}

/// The address of another page for people who are not signed in, which leads to the same place in the end.
pub fn with_next(path: &str, next: Option<&str>) -> String {
    next.map_or_else(|| path.to_owned(), |next| format!("{path}?next={}", Url::escape(next)))
}
