use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys};

/// The value of the input with this id; empty if there is none.
pub fn input_value(id: &str) -> String {
    let input =
        document().get_element_by_id(id).and_then(|element| element.dyn_into::<web_sys::HtmlInputElement>().ok());
    input.map(|input| input.value()).unwrap_or_default()
}
