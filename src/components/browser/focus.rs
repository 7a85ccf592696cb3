//! The keyboard focus.

use leptos::{
    prelude::{document, request_animation_frame},
    wasm_bindgen::JsCast,
    web_sys::{Element, HtmlElement},
};

/// Focuses an element. Does nothing if it cannot have the focus.
pub fn focus(element: &Element) {
    let _ = element.unchecked_ref::<HtmlElement>().focus();
}

/// Focuses the first element that matches and can have the focus: it is shown, and not behind a dialog.
#[cfg_attr(not(feature = "hydrate"), expect(unused_variables, reason = "nothing has the focus on the server"))]
pub fn focus_first(selector: &str) {
    #[cfg(feature = "hydrate")]
    {
        let Ok(found) = document().query_selector_all(selector) else { return };
        let elements = (0..found.length()).filter_map(|at| found.item(at)?.dyn_into::<HtmlElement>().ok());
        for element in elements.filter(|element| element.offset_height() > 0) {
            focus(&element);
            if document().active_element().as_ref() == Some(&*element) {
                return;
            }
        }
    }
}

/// Moves the focus to the next or the previous of these elements; from the last one to the first. Without the focus in
/// them, to the first or the last one.
#[cfg(feature = "hydrate")]
pub(super) fn focus_neighbour(elements: &[HtmlElement], forward: bool) {
    let active = document().active_element();
    let at = elements.iter().position(|element| active.as_ref() == Some(&**element));
    let next = match (at, forward) {
        (None, true) => 0,
        (None | Some(0), false) => elements.len().saturating_sub(1),
        (Some(at), true) => (at + 1) % elements.len(),
        (Some(at), false) => at - 1,
    };
    if let Some(next) = elements.get(next) {
        focus(next);
    }
}

/// Whether nothing has the focus: the element that had it was removed.
pub fn is_focus_lost() -> bool {
    document().active_element().is_none_or(|active| active.tag_name() == "BODY")
}

/// Applies a change after which rows of the lists of chats may be new elements. The row that had the focus keeps it; if
/// it is gone, the next one gets it, otherwise the one before.
pub fn keep_row_focus(change: impl FnOnce()) {
    let row = document().active_element().and_then(|active| active.closest("li").ok().flatten());
    let href = |row: Element| row.query_selector("a[href^='/chats/']").ok().flatten()?.get_attribute("href");
    let rows = row.map(|row| {
        let (next, previous) = (row.next_element_sibling(), row.previous_element_sibling());
        [Some(row), next, previous]
    });
    let hrefs: Vec<String> = rows.into_iter().flatten().flatten().filter_map(href).collect();
    change();
    request_animation_frame(move || {
        for href in hrefs {
            if is_focus_lost() {
                focus_first(&format!("li a[href='{href}']"));
            }
        }
    });
}
