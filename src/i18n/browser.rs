//! The texts in a browser: those of the page's language, loaded bundle by bundle.

use std::cell::{Cell, RefCell};

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::{Bundle, Key, Texts};

thread_local! {
    static TEXTS: Cell<Option<&'static Texts>> = const { Cell::new(None) };
    static LOADED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
    static RULES: RefCell<Option<js_sys::Intl::PluralRules>> = const { RefCell::new(None) };
}

/// The error when texts could not be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadError;

impl From<JsValue> for LoadError {
    fn from(_: JsValue) -> Self {
        Self
    }
}

pub(super) fn current() -> &'static Texts {
    TEXTS.get().unwrap_or_else(Texts::empty)
}

/// Loads a bundle of the page's language, unless it is already loaded.
///
/// # Errors
/// [`LoadError`] if the network or the server failed. The loaded texts are unchanged then.
pub async fn load(bundle: Bundle) -> Result<(), LoadError> {
    let is_loaded = || LOADED.with_borrow(|loaded| loaded.contains(&bundle.name));
    if is_loaded() {
        return Ok(());
    }
    let root = leptos::prelude::document().document_element().ok_or(LoadError)?;
    let folder = root.get_attribute("data-texts").ok_or(LoadError)?;
    let response = JsFuture::from(leptos::prelude::window().fetch_with_str(&format!("{folder}/{}.txt", bundle.name)));
    let response: web_sys::Response = response.await?.unchecked_into();
    if !response.ok() {
        return Err(LoadError);
    }
    let file = JsFuture::from(response.text()?).await?.as_string().ok_or(LoadError)?;
    // A concurrent call may have loaded it.
    if is_loaded() {
        return Ok(());
    }
    // Texts are used until the page is closed, so the file may leak.
    let file: &'static str = Box::leak(file.into_boxed_str());
    let tag: &'static str = match TEXTS.get() {
        Some(texts) => texts.tag(),
        None => Box::leak(root.get_attribute("lang").unwrap_or_default().into_boxed_str()),
    };
    let mut texts = Texts::new(tag);
    // The file is sorted by key, so that each text is appended.
    for (key, text) in file.lines().filter_map(|line| line.split_once(' ')) {
        if let Ok(hash) = u32::from_str_radix(key, 36) {
            texts.add(Key::from_hash(hash), text);
        }
    }
    if let Some(loaded) = TEXTS.get() {
        texts = texts.merge(loaded);
    }
    TEXTS.set(Some(Box::leak(Box::new(texts))));
    LOADED.with_borrow_mut(|loaded| loaded.push(bundle.name));
    Ok(())
}

pub(super) fn plural_category(tag: &str, count: u32) -> &'static str {
    let category = RULES.with_borrow_mut(|rules| {
        let rules = rules.get_or_insert_with(|| {
            let locales = js_sys::Array::of1(&JsValue::from_str(tag));
            js_sys::Intl::PluralRules::new(&locales, &js_sys::Object::new())
        });
        String::from(rules.select(f64::from(count)))
    });
    ["zero", "one", "two", "few", "many"].into_iter().find(|known| *known == category).unwrap_or("other")
}
