use leptos::{html::Input, prelude::*, wasm_bindgen::JsCast, web_sys};

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
            focus_row_later(&field);
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
            // Fails only for an element that is not in the document.
            let _ = input.focus();
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

/// Focuses the link of the row once it is shown again.
fn focus_row_later(field: &web_sys::HtmlInputElement) {
    let Ok(Some(row)) = field.closest("li") else { return };
    request_animation_frame(move || {
        if let Ok(Some(link)) = row.query_selector("a") {
            // A link is always focusable.
            let _ = link.unchecked_into::<web_sys::HtmlElement>().focus();
        }
    });
}
