use leptos::{html::Div, prelude::*, wasm_bindgen::JsCast, web_sys};

use super::{Glyph, Icon};

/// A place that the palette leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaletteItem {
    /// The text.
    pub label: String,
    /// The path.
    pub href: String,
    /// The icon.
    pub glyph: Glyph,
}

/// A field, and the places whose names contain what is typed. The arrow keys choose, Enter opens.
#[component]
pub fn Palette(
    /// What is typed.
    query: RwSignal<String>,
    /// The places, best first, and whether no chat has what is typed in its title.
    results: Memo<(Vec<PaletteItem>, bool)>,
) -> impl IntoView {
    let list = NodeRef::<Div>::new();
    let chosen = RwSignal::new(0_usize);
    // The place that the reader moved to. It stays chosen when the server's chats are inserted before it.
    let place = StoredValue::new(None::<String>);
    Effect::new(move || {
        results.with(|(items, _)| {
            let at = place.with_value(|place| items.iter().position(|item| Some(&item.href) == place.as_ref()));
            chosen.set(at.unwrap_or(0));
        });
    });
    let step = move |forward: bool| {
        let count = results.with_untracked(|(items, _)| items.len()).max(1);
        chosen.update(|at| *at = if forward { *at + 1 } else { *at + count - 1 } % count);
        let at = chosen.get_untracked();
        place.set_value(results.with_untracked(|(items, _)| items.get(at).map(|item| item.href.clone())));
        if let Some(option) = chosen_option(list) {
            option.scroll_into_view_with_bool(false);
        }
    };
    let on_key = move |event: web_sys::KeyboardEvent| {
        match event.key().as_str() {
            _ if event.is_composing() => return,
            "ArrowDown" => step(true),
            "ArrowUp" => step(false),
            "Enter" => {
                if let Some(option) = chosen_option(list) {
                    option.unchecked_into::<web_sys::HtmlElement>().click();
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    let option = move |(at, item): (usize, PaletteItem)| {
        view! {
            <a
                class="palette-option"
                role="option"
                tabindex="-1"
                id=format!("palette-{at}")
                href=item.href
                aria-selected=move || if chosen.get() == at { "true" } else { "false" }
            >
                <Icon glyph=item.glyph />
                <span class="min-w-0 flex-1 truncate" dir="auto">{item.label}</span>
            </a>
        }
        .into_any()
    };
    view! {
        <label class="palette-field">
            <Icon glyph=Glyph::Search />
            <span class="sr-only">{t!("chat.sidebar.search")}</span>
            <input
                type="text"
                role="combobox"
                aria-expanded="true"
                aria-controls="palette"
                aria-activedescendant=move || format!("palette-{}", chosen.get())
                autocomplete="off"
                autofocus
                placeholder=t!("chat.palette.placeholder")
                prop:value=query
                on:input=move |event| {
                    place.set_value(None);
                    query.set(event_target_value(&event));
                }
                on:keydown=on_key
            />
        </label>
        <div class="palette-list" role="listbox" id="palette" aria-label=t!("chat.sidebar.search") node_ref=list>
            {move || results.get().0.into_iter().enumerate().map(option).collect_view()}
        </div>
        <p class="palette-note" role="status">
            {move || results.with(|(_, nothing_found)| *nothing_found).then(|| t!("chat.palette.nothing"))}
        </p>
    }
    .into_any()
}

fn chosen_option(list: NodeRef<Div>) -> Option<web_sys::Element> {
    list.get_untracked()?.query_selector("[aria-selected=true]").ok().flatten()
}
