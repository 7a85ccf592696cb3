//! The JSON forms of WebAuthn, made by hand where a browser or a password manager does not.
//!
//! Options become what `navigator.credentials` takes, and credentials become what the server reads. Both are the browser's own
//! work (`parseCreationOptionsFromJSON`, `toJSON`), but older browsers have neither, and password managers give
//! objects of their own whose `toJSON` is missing, fails, or gives something else.

use js_sys::{Array, ArrayBuffer, Function, JSON, JsString, Object, Reflect, Uint8Array};
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};

/// Options as `navigator.credentials` takes them: by the browser's own function where there is one and it works.
pub(super) fn parse_options(interface: &JsValue, parse: &str, json: &JsValue) -> Result<JsValue, JsValue> {
    call(interface, parse, &[json]).or_else(|_| parse_by_hand(json))
}

/// What the server reads of a credential: the browser's own form where there is one and it is whole.
pub(super) fn write_credential(credential: &JsValue) -> Result<String, JsValue> {
    let own = call(credential, "toJSON", &[]).ok().filter(is_whole);
    let form = own.map_or_else(|| write_by_hand(credential), Ok)?;
    Ok(JSON::stringify(&form)?.into())
}

fn is_whole(form: &JsValue) -> bool {
    let data = get(form, "response").and_then(|response| get(&response, "clientDataJSON"));
    data.is_some_and(|data| data.is_string()) && get(form, "rawId").is_some_and(|id| id.is_string())
}

/// Calls a method. Fails where there is none, as where it fails itself.
pub(super) fn call(on: &JsValue, name: &str, with: &[&JsValue]) -> Result<JsValue, JsValue> {
    let function: Function = Reflect::get(on, &name.into())?.dyn_into()?;
    match with {
        [argument] => function.call1(on, argument),
        _ => function.call0(on),
    }
}

/// A property that is there and neither null nor undefined.
fn get(of: &JsValue, name: &str) -> Option<JsValue> {
    let value = Reflect::get(of, &name.into()).ok()?;
    (!value.is_null() && !value.is_undefined()).then_some(value)
}

fn set(on: &Object, name: &str, value: &JsValue) -> Result<(), JsValue> {
    Reflect::set(on, &name.into(), value).map(drop)
}

fn copy(of: &JsValue) -> Object {
    Object::assign(&Object::new(), of.unchecked_ref())
}

/// An object with the bytes of one of its texts in place of it.
fn with_bytes(of: &JsValue, name: &str) -> Result<Object, JsValue> {
    let copied = copy(of);
    if let Some(text) = get(of, name).and_then(|value| value.as_string()) {
        set(&copied, name, &decode(&text)?)?;
    }
    Ok(copied)
}

fn parse_by_hand(json: &JsValue) -> Result<JsValue, JsValue> {
    let options = with_bytes(json, "challenge")?;
    if let Some(user) = get(json, "user") {
        set(&options, "user", &with_bytes(&user, "id")?.into())?;
    }
    for name in ["allowCredentials", "excludeCredentials"] {
        if let Some(list) = get(json, name) {
            let parsed = Array::new();
            for credential in Array::from(&list) {
                parsed.push(&with_bytes(&credential, "id")?.into());
            }
            set(&options, name, &parsed)?;
        }
    }
    Ok(options.into())
}

fn write_by_hand(credential: &JsValue) -> Result<JsValue, JsValue> {
    let missing = || JsValue::from("a credential without what it is for");
    let raw_id = get(credential, "rawId").and_then(|id| encoded(&id)).ok_or_else(missing)?;
    let from = get(credential, "response").ok_or_else(missing)?;
    let response = Object::new();
    for name in ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"] {
        if let Some(bytes) = get(&from, name).and_then(|bytes| encoded(&bytes)) {
            set(&response, name, &bytes.into())?;
        }
    }
    // Only a new credential has them, and not with every manager.
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

/// Bytes as base64url, whether they come as a buffer, as a view of one, as a list of numbers, or as base64 already.
fn encoded(bytes: &JsValue) -> Option<String> {
    if let Some(text) = bytes.as_string() {
        return Some(for_url(&text));
    }
    if !bytes.is_object() {
        return None;
    }
    let bytes = match ArrayBuffer::is_view(bytes) {
        true => {
            let number = |name| get(bytes, name)?.as_f64();
            // No buffer is longer than 32 bits can say.
            let (from, length) = (number("byteOffset")? as u32, number("byteLength")? as u32);
            Uint8Array::new_with_byte_offset_and_length(&get(bytes, "buffer")?, from, length)
        }
        false => Uint8Array::new(bytes),
    };
    let text: String = bytes.to_vec().into_iter().map(char::from).collect();
    window().btoa(&text).ok().map(|text| for_url(&text))
}

fn for_url(base64: &str) -> String {
    base64.trim_end_matches('=').replace('+', "-").replace('/', "_")
}

fn decode(text: &str) -> Result<JsValue, JsValue> {
    let plain = window().atob(&text.replace('-', "+").replace('_', "/"))?;
    // One character for each byte.
    let bytes: Vec<u8> = JsString::from(plain).iter().map(|unit| unit.to_le_bytes()[0]).collect();
    Ok(Uint8Array::from(&bytes[..]).into())
}
