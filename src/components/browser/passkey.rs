//! Passkeys: the browser side of WebAuthn (<https://www.w3.org/TR/webauthn-3/>). Options and credentials are exchanged
//! as JSON in the format of the specification; only the server interprets them.

use crate::i18n::Reason;

/// Why the browser returned no credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasskeyError {
    /// The user cancelled, the request timed out, or another request replaced it.
    Declined,
    /// This device already has a passkey for the account.
    AlreadyRegistered,
    /// The browser does not support it.
    Unsupported,
}

impl PasskeyError {
    /// The message to show; `None` if the user cancelled.
    pub fn reason(self) -> Option<Reason> {
        match self {
            Self::Declined => None,
            Self::AlreadyRegistered => Some(reason!("passkey_known")),
            Self::Unsupported => Some(reason!("passkeys_not_supported")),
        }
    }
}

/// Whether the browser supports passkeys on this page.
pub fn supports_passkeys() -> bool {
    #[cfg(feature = "hydrate")]
    {
        hydrated::interface().is_some()
    }
    #[cfg(not(feature = "hydrate"))]
    false
}

/// Creates a passkey. Takes the options for `navigator.credentials.create` and returns the registration.
///
/// # Errors
/// Fails if the browser returns no credential.
#[cfg_attr(not(feature = "hydrate"), expect(unused_variables, reason = "the server makes no passkeys"))]
pub async fn create_passkey(options: &str) -> Result<String, PasskeyError> {
    #[cfg(feature = "hydrate")]
    {
        hydrated::send_request("create", "parseCreationOptionsFromJSON", options, false).await
    }
    #[cfg(not(feature = "hydrate"))]
    Err(PasskeyError::Unsupported)
}

/// Requests a passkey. Takes the options for `navigator.credentials.get` and returns the assertion.
///
/// # Errors
/// Fails if the browser returns no credential.
#[cfg_attr(not(feature = "hydrate"), expect(unused_variables, reason = "the server has no passkeys"))]
pub async fn get_passkey(options: &str) -> Result<String, PasskeyError> {
    #[cfg(feature = "hydrate")]
    {
        hydrated::send_request("get", "parseRequestOptionsFromJSON", options, false).await
    }
    #[cfg(not(feature = "hydrate"))]
    Err(PasskeyError::Unsupported)
}

/// Offers passkeys in the autofill of a field (`autocomplete="… webauthn"`) until one is chosen or
/// [`abort_passkey_request`] is called.
///
/// # Errors
/// Fails if the browser returns no credential or does not support autofill of passkeys.
#[cfg_attr(not(feature = "hydrate"), expect(unused_variables, reason = "the server has no passkeys"))]
pub async fn autofill_passkey(options: &str) -> Result<String, PasskeyError> {
    #[cfg(feature = "hydrate")]
    {
        hydrated::send_request("get", "parseRequestOptionsFromJSON", options, true).await
    }
    #[cfg(not(feature = "hydrate"))]
    Err(PasskeyError::Unsupported)
}

/// Whether the browser can offer passkeys in a field. Check this before requesting options from the server.
pub async fn supports_passkey_autofill() -> bool {
    #[cfg(feature = "hydrate")]
    {
        hydrated::supports_autofill().await.unwrap_or(false)
    }
    #[cfg(not(feature = "hydrate"))]
    false
}

/// Aborts the pending request, if there is one.
pub fn abort_passkey_request() {
    #[cfg(feature = "hydrate")]
    hydrated::abort();
}

#[cfg(feature = "hydrate")]
mod hydrated {
    use std::cell::RefCell;

    use js_sys::{JSON, Object, Promise, Reflect};
    use leptos::prelude::window;
    use wasm_bindgen::{JsCast, JsValue};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::AbortController;

    use super::PasskeyError;
    use crate::components::browser::passkey_json::{call, parse_options, serialize_credential};

    thread_local! {
        // A browser allows only one pending request at a time.
        static PENDING_REQUEST: RefCell<Option<AbortController>> = const { RefCell::new(None) };
    }

    /// `PublicKeyCredential`; missing in old browsers and in insecure contexts.
    pub fn interface() -> Option<JsValue> {
        let interface = Reflect::get(&window(), &"PublicKeyCredential".into()).ok()?;
        interface.is_function().then_some(interface)
    }

    pub async fn supports_autofill() -> Result<bool, JsValue> {
        let Some(interface) = interface() else { return Ok(false) };
        let promise: Promise = call(&interface, "isConditionalMediationAvailable", &[])?.dyn_into()?;
        Ok(JsFuture::from(promise).await?.is_truthy())
    }

    pub fn abort() {
        if let Some(controller) = PENDING_REQUEST.take() {
            controller.abort();
        }
    }

    pub async fn send_request(
        method: &str,
        parse: &str,
        options: &str,
        autofill: bool,
    ) -> Result<String, PasskeyError> {
        abort();
        let interface = interface().ok_or(PasskeyError::Unsupported)?;
        try_request(&interface, method, parse, options, autofill).await.map_err(|error| {
            match error_name(&error).as_str() {
                "NotAllowedError" | "AbortError" => PasskeyError::Declined,
                "InvalidStateError" => PasskeyError::AlreadyRegistered,
                _ => PasskeyError::Unsupported,
            }
        })
    }

    async fn try_request(
        interface: &JsValue,
        method: &str,
        parse: &str,
        options: &str,
        autofill: bool,
    ) -> Result<String, JsValue> {
        let json = Reflect::get(&JSON::parse(options)?, &"publicKey".into())?;
        let parsed = parse_options(interface, parse, &json)?;
        let controller = AbortController::new()?;
        let request = Object::new();
        Reflect::set(&request, &"publicKey".into(), &parsed)?;
        Reflect::set(&request, &"signal".into(), &controller.signal())?;
        if autofill {
            Reflect::set(&request, &"mediation".into(), &"conditional".into())?;
        }
        PENDING_REQUEST.set(Some(controller));
        let credentials = Reflect::get(&window().navigator(), &"credentials".into())?;
        let promise: Promise = call(&credentials, method, &[&request])?.dyn_into()?;
        serialize_credential(&JsFuture::from(promise).await?)
    }

    fn error_name(error: &JsValue) -> String {
        Reflect::get(error, &"name".into()).ok().and_then(|name| name.as_string()).unwrap_or_default()
    }
}
