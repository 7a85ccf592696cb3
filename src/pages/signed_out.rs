//! The way back for whoever is not signed in any more.

use leptos::prelude::*;
use leptos_router::{components::Redirect, hooks::use_location, location::Url};

use crate::domain;

/// Goes to the sign-in page, which leads back here.
#[component]
pub fn ToSignIn() -> impl IntoView {
    view! { <Redirect path=way_to_sign_in() /> }
}

/// The sign-in page's path, which leads back here.
fn way_to_sign_in() -> String {
    let here = use_location();
    let path = here.pathname.get_untracked();
    let search = here.search.get_untracked();
    // What a form without scripts brought back is over by then.
    let kept: Vec<_> = search.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("__")).collect();
    let next = if kept.is_empty() { path } else { format!("{path}?{}", kept.join("&")) };
    if next == "/" { "/sign-in".to_owned() } else { format!("/sign-in?next={}", Url::escape(&next)) }
}

/// Sets the signal once the server answers whatever the open page asks with that nobody is signed in.
pub fn watch_sign_in(signed_out: RwSignal<bool>) {
    Effect::new(move || {
        domain::on_signed_out(move || {
            // An answer may come after the page is gone.
            signed_out.try_set(true);
        });
    });
}

/// Takes the signal back where it is set: whoever asked is signed in, perhaps again, in another tab.
pub fn sign_in_holds(signed_out: RwSignal<bool>) {
    // What follows the signal begins anew with each change, so that it must change only where it has to.
    if signed_out.try_get_untracked() == Some(true) {
        signed_out.set(false);
    }
}

/// Says that the sign-in has ended while the page was open.
#[component]
pub fn SignedOut() -> impl IntoView {
    view! {
        <p class="bar" role="alert">
            "Please sign in again. "
            <a class="link" href=way_to_sign_in() rel="external">
                "Sign in"
            </a>
        </p>
    }
    .into_any()
}
