//! Ways to sign in besides a password.

use leptos::prelude::*;

use super::passkey::{PasskeyButton, PasskeyFor};
use crate::{components::browser::has_passkeys, domain::IdentityProvider};

/// The buttons below a form: a passkey, where the browser and the server can, and identity providers. They are plain
/// forms, which the browser sends itself.
#[component]
pub fn SignInMethods(
    /// Where one can go.
    providers: Vec<IdentityProvider>,
    /// What a passkey would be asked for, where the server can.
    #[prop(default = None)]
    passkey: Option<PasskeyFor>,
    /// Where to go afterwards.
    next: Option<String>,
    /// The token of the invitation with which somebody comes.
    #[prop(default = None)]
    invitation: Option<String>,
) -> impl IntoView {
    let can = RwSignal::new(false);
    // The server knows nothing of the browser, so the button comes when the scripts have taken over.
    Effect::new(move || can.set(passkey.is_some() && has_passkeys()));
    let any = !providers.is_empty();
    let after = next.clone();
    let providers = providers.into_iter().map(|provider| {
        view! {
            <form method="post" action=format!("/auth/{}/start", provider.name)>
                {next.clone().map(|next| view! { <input type="hidden" name="next" value=next /> })}
                {invitation
                    .clone()
                    .map(|token| view! { <input type="hidden" name="invitation" value=token /> })}
                <button class="btn btn-line min-h-11 w-full whitespace-normal" type="submit">
                    {t!("auth.methods.provider", provider = provider.label)}
                </button>
            </form>
        }
    });
    let providers = providers.collect_view();
    let passkey = passkey.unwrap_or(PasskeyFor::SignIn);
    view! {
        {move || (any || can.get()).then(|| view! { <Or /> })}
        <div class="grid gap-3">
            {move || {
                let next = after.clone();
                can.get().then(|| view! { <PasskeyButton purpose=passkey next /> })
            }} {providers}
        </div>
    }
    .into_any()
}

/// A line between the form and the other methods.
#[component]
fn Or() -> impl IntoView {
    view! {
        <p class="my-6 flex items-center gap-3 text-label text-ink-faint">
            <span class="h-px flex-1 bg-line"></span>
            {t!("auth.methods.separator")}
            <span class="h-px flex-1 bg-line"></span>
        </p>
    }
}
