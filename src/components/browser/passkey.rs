//! Passkeys: the browser's half of WebAuthn (<https://www.w3.org/TR/webauthn-3/>). Options come and answers go as
//! JSON, in the form of the specification; the server alone looks into them.

use crate::i18n::Reason;

/// Why there is no passkey's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPasskey {
    /// The person turned away, it took too long, or another question took this one's place.
    Declined,
    /// This device holds a passkey of the account already.
    Known,
    /// The browser cannot do it.
    Unable,
}

impl NoPasskey {
    /// What to say; nothing where the person knows it themself.
    pub fn reason(self) -> Option<Reason> {
        match self {
            Self::Declined => None,
            Self::Known => Some(reason!("passkey_known")),
            Self::Unable => Some(reason!("passkeys_not_supported")),
        }
    }
}

/// Whether this browser can use passkeys on this page.
pub fn has_passkeys() -> bool {
    #[cfg(feature = "hydrate")]
    {
        hydrated::interface().is_some()
    }
    #[cfg(not(feature = "hydrate"))]
    false
}

/// Makes a passkey. Takes the options of `navigator.credentials.create`, gives the registration.
///
/// # Errors
/// Where there is none.
#[cfg_attr(not(feature = "hydrate"), expect(unused_variables, reason = "the server makes no passkeys"))]
pub async fn make_passkey(options: &str) -> Result<String, NoPasskey> {
    #[cfg(feature = "hydrate")]
    {
        hydrated::ask("create", "parseCreationOptionsFromJSON", options, false).await
    }
    #[cfg(not(feature = "hydrate"))]
    Err(NoPasskey::Unable)
}

/// Asks for a passkey. Takes the options of `navigator.credentials.get`, gives the assertion.
///
/// # Errors
/// Where there is none.
#[cfg_attr(not(feature = "hydrate"), expect(unused_variables, reason = "the server has no passkeys"))]
pub async fn use_passkey(options: &str) -> Result<String, NoPasskey> {
    #[cfg(feature = "hydrate")]
    {
        hydrated::ask("get", "parseRequestOptionsFromJSON", options, false).await
    }
    #[cfg(not(feature = "hydrate"))]
    Err(NoPasskey::Unable)
}

/// Offers passkeys among what the browser fills into a field (`autocomplete="… webauthn"`), until one is chosen or
/// [`stop_asking`] is called.
///
/// # Errors
/// Where there is none, or the browser has no such offer.
#[cfg_attr(not(feature = "hydrate"), expect(unused_variables, reason = "the server has no passkeys"))]
pub async fn offer_passkey(options: &str) -> Result<String, NoPasskey> {
    #[cfg(feature = "hydrate")]
    {
        hydrated::ask("get", "parseRequestOptionsFromJSON", options, true).await
    }
    #[cfg(not(feature = "hydrate"))]
    Err(NoPasskey::Unable)
}

/// Whether the browser can offer passkeys in a field. Ask it before the server is asked for options.
pub async fn can_offer_passkeys() -> bool {
    #[cfg(feature = "hydrate")]
    {
        hydrated::can_offer().await.unwrap_or(false)
    }
    #[cfg(not(feature = "hydrate"))]
    false
}

/// Takes the open question back, if there is one.
pub fn stop_asking() {
    #[cfg(feature = "hydrate")]
    hydrated::stop();
}

#[cfg(feature = "hydrate")]
mod hydrated {
    use std::cell::RefCell;

    use js_sys::{JSON, Object, Promise, Reflect};
    use leptos::prelude::window;
    use wasm_bindgen::{JsCast, JsValue};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::AbortController;

    use super::NoPasskey;
    use crate::components::browser::passkey_json::{call, parse_options, write_credential};

    thread_local! {
        // A browser has one open question at a time.
        static OPEN: RefCell<Option<AbortController>> = const { RefCell::new(None) };
    }

    /// `PublicKeyCredential`; missing in old browsers, and where the page is not secure.
    pub fn interface() -> Option<JsValue> {
        let interface = Reflect::get(&window(), &"PublicKeyCredential".into()).ok()?;
        interface.is_function().then_some(interface)
    }

    pub async fn can_offer() -> Result<bool, JsValue> {
        let Some(interface) = interface() else { return Ok(false) };
        let promise: Promise = call(&interface, "isConditionalMediationAvailable", &[])?.dyn_into()?;
        Ok(JsFuture::from(promise).await?.is_truthy())
    }

    pub fn stop() {
        if let Some(open) = OPEN.take() {
            open.abort();
        }
    }

    pub async fn ask(verb: &str, parse: &str, options: &str, in_field: bool) -> Result<String, NoPasskey> {
        stop();
        let interface = interface().ok_or(NoPasskey::Unable)?;
        try_ask(&interface, verb, parse, options, in_field).await.map_err(|error| match name_of(&error).as_str() {
            "NotAllowedError" | "AbortError" => NoPasskey::Declined,
            "InvalidStateError" => NoPasskey::Known,
            _ => NoPasskey::Unable,
        })
    }

    async fn try_ask(
        interface: &JsValue,
        verb: &str,
        parse: &str,
        options: &str,
        in_field: bool,
    ) -> Result<String, JsValue> {
        let json = Reflect::get(&JSON::parse(options)?, &"publicKey".into())?;
        let parsed = parse_options(interface, parse, &json)?;
        let open = AbortController::new()?;
        let request = Object::new();
        Reflect::set(&request, &"publicKey".into(), &parsed)?;
        Reflect::set(&request, &"signal".into(), &open.signal())?;
        if in_field {
            Reflect::set(&request, &"mediation".into(), &"conditional".into())?;
        }
        OPEN.set(Some(open));
        let credentials = Reflect::get(&window().navigator(), &"credentials".into())?;
        let promise: Promise = call(&credentials, verb, &[&request])?.dyn_into()?;
        write_credential(&JsFuture::from(promise).await?)
    }

    fn name_of(error: &JsValue) -> String {
        Reflect::get(error, &"name".into()).ok().and_then(|name| name.as_string()).unwrap_or_default()
    }
}
