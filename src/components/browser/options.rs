//! A list of options (`role="option"`) that is searched and operated with the keyboard.

use leptos::web_sys::Element;
#[cfg(feature = "hydrate")]
use leptos::web_sys::HtmlElement;
#[cfg(feature = "hydrate")]
use wasm_bindgen::JsCast;

/// The options in `list`, or only those that are not hidden.
#[cfg(feature = "hydrate")]
fn options(list: &Element, visible: bool) -> Vec<HtmlElement> {
    let selector = if visible { "[role=option]:not([hidden])" } else { "[role=option]" };
    let Ok(found) = list.query_selector_all(selector) else { return Vec::new() };
    (0..found.length()).filter_map(|at| found.get(at)).map(JsCast::unchecked_into).collect()
}

/// Focuses the field or the option that is marked with `autofocus`, otherwise the first option, unless something in the
/// list has the focus already.
#[cfg_attr(not(feature = "hydrate"), expect(unused_variables, reason = "nothing has the focus on the server"))]
pub fn focus_first_option(list: &Element) {
    #[cfg(feature = "hydrate")]
    if !list.matches(":focus-within").unwrap_or(false) {
        let marked = list.query_selector("[autofocus]").ok().flatten().map(JsCast::unchecked_into::<HtmlElement>);
        if let Some(first) = marked.or_else(|| options(list, true).into_iter().next()) {
            super::focus(&first);
        }
    }
}

/// Moves the focus to the next or the previous visible option; from the last one to the first.
#[cfg_attr(not(feature = "hydrate"), expect(unused_variables, reason = "nothing has the focus on the server"))]
pub fn focus_next_option(list: &Element, forward: bool) {
    #[cfg(feature = "hydrate")]
    super::focus::focus_neighbour(&options(list, true), forward);
}

/// Clicks the first visible option.
#[cfg_attr(not(feature = "hydrate"), expect(unused_variables, reason = "nothing is clicked on the server"))]
pub fn click_first_option(list: &Element) {
    #[cfg(feature = "hydrate")]
    if let Some(option) = options(list, true).first() {
        option.click();
    }
}

/// Hides the options whose text does not contain `query`.
#[cfg_attr(not(feature = "hydrate"), expect(unused_variables, reason = "nothing is searched on the server"))]
pub fn filter_options(list: &Element, query: &str) {
    #[cfg(feature = "hydrate")]
    {
        let query = super::lowercase::lowercase(query.trim().to_owned());
        for option in options(list, false) {
            let text = super::lowercase::lowercase(option.text_content().unwrap_or_default());
            option.set_hidden(!text.contains(&query));
        }
    }
}
