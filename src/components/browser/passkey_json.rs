//! The JSON formats of WebAuthn, with a fallback for browsers and password managers that do not implement them.
//!
//! Options are parsed for `navigator.credentials`, and credentials are serialised for the server. Browsers have
//! functions for both (`parseCreationOptionsFromJSON`, `toJSON`), but older browsers lack them, and password managers
//! return their own objects whose `toJSON` is missing, fails, or returns something else.

use js_sys::{Array, ArrayBuffer, Function, JSON, JsString, Object, Reflect, Uint8Array};
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};

/// Parses options for `navigator.credentials`: with the browser's function if it exists and succeeds.
pub(super) fn parse_options(interface: &JsValue, parse: &str, json: &JsValue) -> Result<JsValue, JsValue> {
    call(interface, parse, &[json]).or_else(|_| parse_manually(json))
}

/// Serialises a credential for the server: with the browser's `toJSON` if it exists and the result is complete.
pub(super) fn serialize_credential(credential: &JsValue) -> Result<String, JsValue> {
    let own = call(credential, "toJSON", &[]).ok().filter(is_complete);
    let form = own.map_or_else(|| serialize_manually(credential), Ok)?;
    Ok(JSON::stringify(&form)?.into())
}

fn is_complete(form: &JsValue) -> bool {
    let data = get(form, "response").and_then(|response| get(&response, "clientDataJSON"));
    data.is_some_and(|data| data.is_string()) && get(form, "rawId").is_some_and(|id| id.is_string())
}

/// Calls a method. Fails if the method is missing or throws.
pub(super) fn call(target: &JsValue, name: &str, arguments: &[&JsValue]) -> Result<JsValue, JsValue> {
    let function: Function = Reflect::get(target, &name.into())?.dyn_into()?;
    match arguments {
        [argument] => function.call1(target, argument),
        _ => function.call0(target),
    }
}

/// A property of an object; `None` if it is missing, null or undefined.
fn get(object: &JsValue, name: &str) -> Option<JsValue> {
    let value = Reflect::get(object, &name.into()).ok()?;
    (!value.is_null() && !value.is_undefined()).then_some(value)
}

fn set(target: &Object, name: &str, value: &JsValue) -> Result<(), JsValue> {
    Reflect::set(target, &name.into(), value).map(drop)
}

fn shallow_copy(object: &JsValue) -> Object {
    Object::assign(&Object::new(), object.unchecked_ref())
}

/// A copy of an object in which one base64url property is decoded to bytes.
fn decode_property(object: &JsValue, name: &str) -> Result<Object, JsValue> {
    let copied = shallow_copy(object);
    if let Some(text) = get(object, name).and_then(|value| value.as_string()) {
        set(&copied, name, &from_base64url(&text)?)?;
    }
    Ok(copied)
}

fn parse_manually(json: &JsValue) -> Result<JsValue, JsValue> {
    let options = decode_property(json, "challenge")?;
    if let Some(user) = get(json, "user") {
        set(&options, "user", &decode_property(&user, "id")?.into())?;
    }
    for name in ["allowCredentials", "excludeCredentials"] {
        if let Some(list) = get(json, name) {
            let parsed = Array::new();
            for credential in Array::from(&list) {
                parsed.push(&decode_property(&credential, "id")?.into());
            }
            set(&options, name, &parsed)?;
        }
    }
    Ok(options.into())
}

fn serialize_manually(credential: &JsValue) -> Result<JsValue, JsValue> {
    let missing = || JsValue::from("credential without id or response");
    let raw_id = get(credential, "rawId").and_then(|id| to_base64url(&id)).ok_or_else(missing)?;
    let from = get(credential, "response").ok_or_else(missing)?;
    let response = Object::new();
    for name in ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"] {
        if let Some(bytes) = get(&from, name).and_then(|bytes| to_base64url(&bytes)) {
            set(&response, name, &bytes.into())?;
        }
    }
    // Only new credentials have transports, and not with every password manager.
    if let Some(transports) = call(&from, "getTransports", &[]).ok().filter(Array::is_array) {
        set(&response, "transports", &transports)?;
    }
    let form = Object::new();
    set(&form, "id", &raw_id.clone().into())?;
    set(&form, "rawId", &raw_id.into())?;
    set(&form, "type", &"public-key".into())?;
    set(&form, "response", &response)?;
    let attachment = get(credential, "authenticatorAttachment").filter(JsValue::is_string);
    if let Some(attachment) = attachment {
        set(&form, "authenticatorAttachment", &attachment)?;
    }
    let extensions = call(credential, "getClientExtensionResults", &[]).ok().filter(JsValue::is_object);
    set(&form, "clientExtensionResults", &extensions.unwrap_or_else(|| Object::new().into()))?;
    Ok(form.into())
}

/// Encodes bytes as base64url. Accepts a buffer, a view of one, an array of numbers, or base64 text.
fn to_base64url(bytes: &JsValue) -> Option<String> {
    if let Some(text) = bytes.as_string() {
        return Some(base64_to_base64url(&text));
    }
    if !bytes.is_object() {
        return None;
    }
    let bytes = match ArrayBuffer::is_view(bytes) {
        true => {
            let number = |name| get(bytes, name)?.as_f64();
            // The length of a buffer fits into 32 bits.
            let (from, length) = (number("byteOffset")? as u32, number("byteLength")? as u32);
            Uint8Array::new_with_byte_offset_and_length(&get(bytes, "buffer")?, from, length)
        }
        false => Uint8Array::new(bytes),
    };
    let text: String = bytes.to_vec().into_iter().map(char::from).collect();
    window().btoa(&text).ok().map(|text| base64_to_base64url(&text))
}

fn base64_to_base64url(base64: &str) -> String {
    base64.trim_end_matches('=').replace('+', "-").replace('/', "_")
}

fn from_base64url(text: &str) -> Result<JsValue, JsValue> {
    let plain = window().atob(&text.replace('-', "+").replace('_', "/"))?;
    // One character per byte.
    let bytes: Vec<u8> = JsString::from(plain).iter().map(|unit| unit.to_le_bytes()[0]).collect();
    Ok(Uint8Array::from(&bytes[..]).into())
}
