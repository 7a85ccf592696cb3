//! The redirect to the sign-in page, for users who are not signed in any more.

use leptos::prelude::*;
use leptos_router::{components::Redirect, hooks::use_location, location::Url};

/// Redirects to the sign-in page, which returns to this page.
#[component]
pub fn RedirectToSignIn() -> impl IntoView {
    view! { <Redirect path=sign_in_path() /> }
}

/// The path of the sign-in page, with this page as the return path.
pub fn sign_in_path() -> String {
    let location = use_location();
    let path = location.pathname.get_untracked();
    let search = location.search.get_untracked();
    // Parameters with `__` are the result of a form without scripts, which is outdated by then.
    let pairs: Vec<_> = search.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("__")).collect();
    let next = if pairs.is_empty() { path } else { format!("{path}?{}", pairs.join("&")) };
    if next == "/" { "/sign-in".to_owned() } else { format!("/sign-in?next={}", Url::escape(&next)) }
}
