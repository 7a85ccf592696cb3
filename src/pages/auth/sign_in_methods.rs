//! Sign-in methods other than a password.

use leptos::prelude::*;

use super::passkey::{PasskeyButton, PasskeyPurpose};
use crate::{components::browser::supports_passkeys, domain::IdentityProvider};

/// The buttons below or above the form: a passkey, if browser and server support it, and identity providers. The
/// providers are forms that the browser submits without scripts.
#[component]
pub fn SignInMethods(
    /// The identity providers.
    providers: Vec<IdentityProvider>,
    /// What a passkey is used for; `None` if the server does not support passkeys.
    #[prop(default = None)]
    passkey: Option<PasskeyPurpose>,
    /// The path to return to afterwards.
    next: Option<String>,
    /// The token of the invitation, if the visitor has one.
    #[prop(default = None)]
    invitation: Option<String>,
    /// Whether the form is below.
    #[prop(default = false)]
    above: bool,
) -> impl IntoView {
    // The server does not know what the browser supports. Almost all browsers support passkeys, so the button is there from
    // the start, and hidden after hydration if it is of no use.
    let can_use_passkey = RwSignal::new(passkey.is_some());
    Effect::new(move || can_use_passkey.set(passkey.is_some() && supports_passkeys()));
    let has_providers = !providers.is_empty();
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
    let passkey = passkey.unwrap_or(PasskeyPurpose::SignIn);
    let separator =
        move || (has_providers || can_use_passkey.get()).then(|| view! { <Separator needs_scripts=!has_providers /> });
    view! {
        {(!above).then_some(separator)}
        <div class="grid gap-3">
            {move || {
                let next = after.clone();
                can_use_passkey
                    .get()
                    .then(|| {
                        view! {
                            <div class="js-only">
                                <PasskeyButton purpose=passkey next />
                            </div>
                        }
                    })
            }} {providers}
        </div>
        {above.then_some(separator)}
    }
    .into_any()
}

/// A separator between the form and the other methods.
#[component]
fn Separator(
    /// Whether what follows works with scripts only.
    needs_scripts: bool,
) -> impl IntoView {
    view! {
        <p class="my-6 flex items-center gap-3 text-label text-ink-faint" class:js-only=needs_scripts>
            <span class="h-px flex-1 bg-line"></span>
            {t!("auth.methods.separator")}
            <span class="h-px flex-1 bg-line"></span>
        </p>
    }
}
