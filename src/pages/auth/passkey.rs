//! Signing in with a passkey.

use leptos::{prelude::*, task::spawn_local, wasm_bindgen::JsCast, web_sys};

use crate::{
    components::{
        FormError,
        browser::{abort_passkey_request, autofill_passkey, get_passkey, supports_passkey_autofill},
    },
    i18n,
    server_fns::factors::{begin_passkey_check, begin_passkey_sign_in, finish_passkey_check, finish_passkey_sign_in},
};

/// What a passkey is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasskeyPurpose {
    /// Signing in with only a passkey.
    SignIn,
    /// The second factor of a sign-in.
    SecondStep,
}

/// A button that requests a passkey, with an error message.
#[component]
pub fn PasskeyButton(
    /// What the passkey is used for.
    purpose: PasskeyPurpose,
    /// The path to return to afterwards.
    next: Option<String>,
) -> impl IntoView {
    let error = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let on_click = move |_| {
        let next = next.clone();
        error.set(None);
        busy.set(true);
        spawn_local(async move {
            // The page may be disposed by now.
            if let Err(message) = sign_in_with_passkey(purpose, next, false).await {
                error.try_set(message);
            }
            busy.try_set(false);
        });
    };
    let label = match purpose {
        PasskeyPurpose::SignIn => t!("auth.methods.passkey"),
        PasskeyPurpose::SecondStep => t!("auth.second_step.passkey"),
    };
    view! {
        <FormError error=error id="passkey-error" />
        <button
            class="btn btn-line min-h-11 w-full"
            type="button"
            aria-busy=move || busy.get().to_string()
            on:click=on_click
        >
            {label}
        </button>
    }
    .into_any()
}

/// Offers passkeys in the autofill of the e-mail field until the user leaves the page.
pub fn start_passkey_autofill(next: Option<String>) {
    let page_alive = StoredValue::new(());
    Effect::new(move || {
        let next = next.clone();
        spawn_local(async move {
            // A press that waits for the scripts asks for the passkey itself.
            let is_pressed = document().document_element().is_some_and(|root| root.has_attribute("data-pressed"));
            if !is_pressed && supports_passkey_autofill().await && page_alive.try_get_value().is_some() {
                // The user did not start this, so errors are not shown.
                let _ = sign_in_with_passkey(PasskeyPurpose::SignIn, next, true).await;
            }
        });
    });
    on_cleanup(abort_passkey_request);
}

/// Requests a passkey and signs in with it; the server redirects. The error is the message to show, `None` if the user
/// cancelled.
async fn sign_in_with_passkey(
    purpose: PasskeyPurpose,
    next: Option<String>,
    autofill: bool,
) -> Result<(), Option<String>> {
    let response = match purpose {
        PasskeyPurpose::SignIn => begin_passkey_sign_in().await,
        PasskeyPurpose::SecondStep => begin_passkey_check().await,
    };
    let options = response.map_err(|error| Some(error.text()))?;
    let credential = if autofill { autofill_passkey(&options).await } else { get_passkey(&options).await };
    let credential = credential.map_err(|error| error.reason().map(|reason| reason.text_in(i18n::current())))?;
    let done = match purpose {
        PasskeyPurpose::SignIn => finish_passkey_sign_in(credential, is_remember_me_checked(), next).await,
        PasskeyPurpose::SecondStep => finish_passkey_check(credential, next).await,
    };
    done.map_err(|error| Some(error.text()))
}

/// Whether the checkbox "remember me" is checked.
fn is_remember_me_checked() -> bool {
    let input = document().get_element_by_id("remember");
    input.and_then(|input| input.dyn_into::<web_sys::HtmlInputElement>().ok()).is_some_and(|input| input.checked())
}
