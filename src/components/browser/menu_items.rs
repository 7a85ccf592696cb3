use leptos::web_sys;

/// Moves the focus between the items of an open menu as the key says: an arrow key, Home or End. `false` if the focus is
/// outside the menu or in a field.
#[cfg_attr(not(feature = "hydrate"), expect(unused_variables, reason = "the server has no focus"))]
pub fn focus_menu_item(menu: &web_sys::Element, key: &str) -> bool {
    #[cfg(feature = "hydrate")]
    {
        move_focus(menu, key).is_some()
    }
    #[cfg(not(feature = "hydrate"))]
    false
}

#[cfg(feature = "hydrate")]
fn move_focus(menu: &web_sys::Element, key: &str) -> Option<()> {
    use leptos::{prelude::document, wasm_bindgen::JsCast};

    let active = document().active_element().filter(|active| menu.contains(Some(active)))?;
    if active.tag_name() == "INPUT" {
        return None;
    }
    let found = menu.query_selector_all(".menu-items :is(a, button, summary)").ok()?;
    let items = (0..found.length()).filter_map(|at| found.item(at)?.dyn_into::<web_sys::HtmlElement>().ok());
    // Some are hidden: those for use without scripts, and those in a closed part.
    let items: Vec<_> = items.filter(|item| item.offset_height() > 0).collect();
    match key {
        "Home" => super::focus(items.first()?),
        "End" => super::focus(items.last()?),
        _ => super::focus::focus_neighbour(&items, key == "ArrowDown"),
    }
    Some(())
}
