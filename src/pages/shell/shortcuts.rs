//! Keyboard shortcuts of all pages with a sidebar, and the dialog that lists them.

use leptos::{ev, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::sidebar_state::SidebarState;
use crate::components::{Glyph, Icon, Modal, browser};

/// The dialogs that shortcuts open.
#[derive(Clone, Copy)]
pub struct Dialogs {
    /// The search.
    pub search: RwSignal<bool>,
    /// The list of shortcuts.
    pub shortcuts: RwSignal<bool>,
}

impl Dialogs {
    /// Closed dialogs.
    pub fn new() -> Self {
        Self { search: RwSignal::new(false), shortcuts: RwSignal::new(false) }
    }
}

impl Dialogs {
    /// Opens one of them, or closes it if it is open. The other one closes.
    fn toggle(self, dialog: RwSignal<bool>) {
        let is_open = dialog.get_untracked();
        self.close();
        dialog.set(!is_open);
    }

    fn close(self) {
        self.search.set(false);
        self.shortcuts.set(false);
    }
}

/// Listens for the shortcuts as long as the frame is on the page.
pub fn watch_shortcuts(dialogs: Dialogs, sidebar: SidebarState) {
    let navigate = use_navigate();
    let listener = window_event_listener(ev::keydown, move |event| {
        if event.is_composing() || event.default_prevented() {
            return;
        }
        // On systems of Apple, Ctrl is for editing text.
        let command = if browser::is_apple() { event.meta_key() } else { event.ctrl_key() };
        match (command, event.shift_key(), event.alt_key(), event.key().to_lowercase().as_str()) {
            (true, false, false, "k") => dialogs.toggle(dialogs.search),
            // On some keyboards it is typed with Shift.
            (true, _, false, "/") => dialogs.toggle(dialogs.shortcuts),
            (true, true, false, "o") => {
                dialogs.close();
                navigate("/", NavigateOptions::default());
            }
            (true, true, false, "s") => sidebar.toggle_folded(),
            (false, _, false, "/") if !is_typing() => browser::focus_first("#message"),
            (false, false, true, "arrowup") if move_between_messages(false) => {}
            (false, false, true, "arrowdown") if move_between_messages(true) => {}
            _ => return,
        }
        event.prevent_default();
    });
    on_cleanup(move || listener.remove());
}

/// The dialog that lists the shortcuts.
#[component]
pub fn ShortcutsDialog(
    /// Whether it is open.
    open: RwSignal<bool>,
) -> impl IntoView {
    let row = move |label: &'static str, keys: &[&'static str]| {
        // The name of the command key comes from the style sheet.
        let keys = keys.iter().map(|key| match *key {
            "Ctrl" => view! { <kbd class="command-key"></kbd> }.into_any(),
            key => view! { <kbd>{key}</kbd> }.into_any(),
        });
        view! {
            <div>
                <dt>{label}</dt>
                <dd>{keys.collect_view()}</dd>
            </div>
        }
        .into_any()
    };
    view! {
        <Modal open label=t!("chat.shortcuts.title")>
            <div class="modal-head">
                <h2 class="modal-title">{t!("chat.shortcuts.title")}</h2>
                <button class="icon-btn" type="button" data-closes="" aria-label=t!("common.close")>
                    <Icon glyph=Glyph::X />
                </button>
            </div>
            <dl class="shortcuts">
                {row(t!("chat.sidebar.search"), &["Ctrl", "K"])}
                {row(t!("chat.new_chat"), &["Ctrl", "⇧", "O"])}
                {row(t!("chat.shortcuts.sidebar"), &["Ctrl", "⇧", "S"])}
                {row(t!("chat.shortcuts.composer"), &["/"])}
                {row(t!("chat.shortcuts.send"), &["Ctrl", "↵"])}
                {row(t!("chat.shortcuts.edit"), &["↑"])}
                {row(t!("chat.shortcuts.messages"), &["Alt", "↑", "↓"])}
                {row(t!("chat.shortcuts.stop"), &["Esc"])}
                {row(t!("chat.shortcuts.title"), &["Ctrl", "/"])}
            </dl>
        </Modal>
    }
    .into_any()
}

fn is_typing() -> bool {
    let active = document().active_element();
    active.is_some_and(|active| {
        active.closest("input, textarea, select, [contenteditable]").is_ok_and(|found| found.is_some())
    })
}

/// Focuses the message after or before the focused one; the last message if none is focused. `false` if there is none, or
/// if the key means something where the focus is.
fn move_between_messages(forward: bool) -> bool {
    let typing =
        document().active_element().and_then(|active| active.closest("input, select, textarea").ok().flatten());
    // The message field has lines only once something is typed.
    if typing.is_some_and(|field| field.id() != "message" || field.matches(":not(:placeholder-shown)").unwrap_or(false))
    {
        return false;
    }
    let current = document().active_element().and_then(|active| active.closest(".message").ok().flatten());
    let next = match current {
        Some(message) if forward => message.next_element_sibling(),
        Some(message) => message.previous_element_sibling(),
        None => document().query_selector(".message:last-of-type").ok().flatten(),
    };
    let Some(message) = next.filter(|next| next.class_list().contains("message")) else { return false };
    // A valid name and value are accepted.
    let _ = message.set_attribute("tabindex", "-1");
    browser::focus(&message);
    true
}
