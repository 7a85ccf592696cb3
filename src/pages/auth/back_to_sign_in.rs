use leptos::prelude::*;

/// The link from a password page to the sign-in page.
#[component]
pub fn BackToSignIn() -> impl IntoView {
    view! {
        <p class="mt-8">
            <a class="link inline-flex min-h-11 items-center" href="/sign-in">
                {t!("auth.back_to_sign_in")}
            </a>
        </p>
    }
}
