//! The way back for whoever is not signed in any more.

use leptos::prelude::*;
use leptos_router::{components::Redirect, hooks::use_location, location::Url};

/// Goes to the sign-in page, which leads back here.
#[component]
pub fn ToSignIn() -> impl IntoView {
    view! { <Redirect path=sign_in_path() /> }
}

/// The sign-in page's path, which leads back here.
pub fn sign_in_path() -> String {
    let here = use_location();
    let path = here.pathname.get_untracked();
    let search = here.search.get_untracked();
    // What a form without scripts brought back is over by then.
    let kept: Vec<_> = search.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("__")).collect();
    let next = if kept.is_empty() { path } else { format!("{path}?{}", kept.join("&")) };
    if next == "/" { "/sign-in".to_owned() } else { format!("/sign-in?next={}", Url::escape(&next)) }
}
