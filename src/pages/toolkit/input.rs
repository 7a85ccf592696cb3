use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys};

use crate::components::browser;

/// The value of the input with this id; empty if there is none.
pub fn input_value(id: &str) -> String {
    find_input(id).map(|input| input.value()).unwrap_or_default()
}

/// The value of the input with this id, which the reset of its form returns to from now on.
pub fn keep_input_value(id: &str) -> String {
    let Some(input) = find_input(id) else { return String::new() };
    let value = input.value();
    input.set_default_value(&value);
    value
}

/// Empties the input with this id.
pub fn clear_input(id: &str) {
    if let Some(input) = find_input(id) {
        input.set_value("");
    }
}

fn find_input(id: &str) -> Option<web_sys::HtmlInputElement> {
    document().get_element_by_id(id).and_then(|element| element.dyn_into().ok())
}

/// Focuses the element with this id, and scrolls to it, once the page shows what has just changed.
pub fn focus_soon(id: String) {
    request_animation_frame(move || {
        if let Some(element) = document().get_element_by_id(&id) {
            browser::focus(&element);
        }
    });
}
