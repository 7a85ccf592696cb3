/// Copies a text to the clipboard. Returns whether it succeeded.
#[cfg_attr(not(feature = "hydrate"), expect(unused_variables, reason = "the server has no clipboard"))]
pub async fn copy_text(text: String) -> bool {
    #[cfg(feature = "hydrate")]
    {
        // The Clipboard API is missing in insecure contexts, as on a page served over plain HTTP from another machine.
        let navigator = leptos::prelude::window().navigator();
        let clipboard = js_sys::Reflect::get(&navigator, &"clipboard".into());
        if clipboard.is_ok_and(|clipboard| clipboard.is_object()) {
            let promise = navigator.clipboard().write_text(&text);
            return wasm_bindgen_futures::JsFuture::from(promise).await.is_ok();
        }
        copy_by_selection(&text).unwrap_or(false)
    }
    #[cfg(not(feature = "hydrate"))]
    false
}

#[cfg(feature = "hydrate")]
fn copy_by_selection(text: &str) -> Result<bool, wasm_bindgen::JsValue> {
    use leptos::prelude::document;
    use wasm_bindgen::JsCast;

    let area: web_sys::HtmlTextAreaElement = document().create_element("textarea")?.unchecked_into();
    area.set_value(text);
    area.set_class_name("sr-only");
    let body = document().body().ok_or(wasm_bindgen::JsValue::NULL)?;
    body.append_child(&area)?;
    area.select();
    let copied = document().unchecked_into::<web_sys::HtmlDocument>().exec_command("copy");
    area.remove();
    copied
}
