//! Signing in with a passkey.

use leptos::{prelude::*, task::spawn_local, wasm_bindgen::JsCast, web_sys};

use crate::{
    components::{
        FormError,
        browser::{can_offer_passkeys, offer_passkey, stop_asking, use_passkey},
    },
    i18n,
    server_fns::factors::{begin_passkey_check, begin_passkey_sign_in, finish_passkey_check, finish_passkey_sign_in},
};

/// What a passkey is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasskeyFor {
    /// Signing in with nothing else.
    SignIn,
    /// The second step of a sign-in.
    SecondStep,
}

/// Asks for a passkey, and says what went wrong with it.
#[component]
pub fn PasskeyButton(
    /// What it is asked for.
    purpose: PasskeyFor,
    /// Where to go afterwards.
    next: Option<String>,
) -> impl IntoView {
    let problem = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let on_click = move |_| {
        let next = next.clone();
        problem.set(None);
        busy.set(true);
        spawn_local(async move {
            // The page may be gone by now.
            if let Err(words) = ask(purpose, next, false).await {
                problem.try_set(words);
            }
            busy.try_set(false);
        });
    };
    let words = match purpose {
        PasskeyFor::SignIn => t!("auth.methods.passkey"),
        PasskeyFor::SecondStep => t!("auth.second_step.passkey"),
    };
    view! {
        <FormError error=problem id="passkey-error" />
        <button
            class="btn btn-line min-h-11 w-full"
            type="button"
            aria-busy=move || busy.get().to_string()
            on:click=on_click
        >
            {words}
        </button>
    }
    .into_any()
}

/// Lets the browser offer passkeys in the field of the address, until the page is left.
pub fn offer_in_field(next: Option<String>) {
    let here = StoredValue::new(());
    Effect::new(move || {
        let next = next.clone();
        spawn_local(async move {
            if can_offer_passkeys().await && here.try_get_value().is_some() {
                // Nobody has asked for it, so nothing is said where it fails.
                let _ = ask(PasskeyFor::SignIn, next, true).await;
            }
        });
    });
    on_cleanup(stop_asking);
}

/// Asks for a passkey and signs in with it. The server leads on. An error is what there is to say of it.
async fn ask(purpose: PasskeyFor, next: Option<String>, in_field: bool) -> Result<(), Option<String>> {
    let begun = match purpose {
        PasskeyFor::SignIn => begin_passkey_sign_in().await,
        PasskeyFor::SecondStep => begin_passkey_check().await,
    };
    let options = begun.map_err(|error| Some(error.text()))?;
    let credential = if in_field { offer_passkey(&options).await } else { use_passkey(&options).await };
    let credential = credential.map_err(|none| none.reason().map(|reason| reason.text_in(i18n::current())))?;
    let done = match purpose {
        PasskeyFor::SignIn => finish_passkey_sign_in(credential, wants_to_stay(), next).await,
        PasskeyFor::SecondStep => finish_passkey_check(credential, next).await,
    };
    done.map_err(|error| Some(error.text()))
}

/// Whether the box for staying signed in is ticked.
fn wants_to_stay() -> bool {
    let input = document().get_element_by_id("remember");
    input.and_then(|input| input.dyn_into::<web_sys::HtmlInputElement>().ok()).is_some_and(|input| input.checked())
}
