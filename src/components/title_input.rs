use leptos::{html::Input, prelude::*, web_sys};

use super::browser;
use crate::domain::limits;

/// A field in place of the title of a chat. Enter saves, and so does leaving it; Escape does not.
#[component]
pub fn TitleInput(
    /// The title.
    title: String,
    /// Called once, with the new title, or with `None` if it stays.
    on_done: Callback<Option<String>>,
) -> impl IntoView {
    let input = NodeRef::<Input>::new();
    // The field loses the focus when it is removed, which must not save again.
    let is_done = StoredValue::new(false);
    let old = title.clone();
    let finish = move |save: bool| {
        if is_done.try_update_value(|done| std::mem::replace(done, true)).unwrap_or(true) {
            return;
        }
        let Some(field) = input.get_untracked() else { return };
        let text = field.value();
        if is_focused(&field) {
            focus_later(&field);
        }
        on_done.run(Some(text.trim().to_owned()).filter(|text| save && !text.is_empty() && *text != old));
    };
    let leave = finish.clone();
    let on_key = move |event: web_sys::KeyboardEvent| {
        let save = match event.key().as_str() {
            _ if event.is_composing() => return,
            "Enter" => true,
            "Escape" => false,
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        finish(save);
    };
    Effect::new(move || {
        if let Some(input) = input.get() {
            browser::focus(&input);
            input.select();
        }
    });
    view! {
        <input
            class="title-input"
            aria-label=t!("chat.menu.title")
            maxlength=limits::MAX_TITLE_CHARS
            dir="auto"
            value=title
            node_ref=input
            on:blur=move |_| leave(true)
            on:keydown=on_key
        />
    }
    .into_any()
}

fn is_focused(field: &web_sys::HtmlInputElement) -> bool {
    document().active_element().is_some_and(|active| active.is_same_node(Some(field)))
}

/// Focuses the link of the row once it is shown again, or the menu of the header.
fn focus_later(field: &web_sys::HtmlInputElement) {
    let Ok(Some(place)) = field.closest("li, header") else { return };
    request_animation_frame(move || {
        if let Ok(Some(target)) = place.query_selector("li > a, header .menu > summary") {
            browser::focus(&target);
        }
    });
}
