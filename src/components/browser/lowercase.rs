/// The text in lower case. In the browser, the tables for it are the browser's.
pub fn lowercase(text: String) -> String {
    #[cfg(feature = "hydrate")]
    {
        js_sys::JsString::from(text).to_lower_case().into()
    }
    #[cfg(not(feature = "hydrate"))]
    text.to_lowercase()
}
