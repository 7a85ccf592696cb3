use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use leptos_router::location::Url;

use super::{chat_list::ChatListState, current_person::CurrentPerson};
use crate::{
    components::{Glyph, Modal, Palette, PaletteItem, browser},
    domain::{ChatFilter, ChatSummary, Role},
    server_fns::chats::list_chats,
};

/// How long typing must pause before the server is asked.
const PAUSE: Duration = Duration::from_millis(200);
/// The maximum number of chats in the list.
const MAX_CHATS: usize = 8;

/// The search over all pages: chats by their title, and the pages of the program.
#[component]
pub fn SearchDialog(
    /// Whether it is open.
    open: RwSignal<bool>,
) -> impl IntoView {
    let (chats, user) = (ChatListState::expect().chats, CurrentPerson::expect().user);
    let query = RwSignal::new(String::new());
    // What the server found, and for which query.
    let found = RwSignal::new((String::new(), Vec::new()));
    Effect::new(move || {
        if !open.get() {
            query.set(String::new());
        }
    });
    Effect::new(move || search_after_pause(query.get(), found));
    let results = Memo::new(move |_| {
        let typed = browser::lowercase(query.with(|query| query.trim().to_owned()));
        let is_answered = found.with(|(of, _)| query.with(|query| of == query));
        let known = if is_answered { found.with(|(_, found)| found.clone()) } else { Vec::new() };
        let matching = matching_chats(&typed, chats.get(), known);
        let nothing_found = !typed.is_empty() && is_answered && matching.is_empty();
        let is_administrator = user.with(|user| user.role == Role::Administrator);
        let chats = matching.into_iter().map(|chat| PaletteItem {
            href: format!("/chats/{}", chat.id),
            label: chat.title,
            glyph: Glyph::MessagesSquare,
        });
        let pages =
            pages(is_administrator).into_iter().filter(|page| browser::lowercase(page.label.clone()).contains(&typed));
        let all = query.with(|query| search_all(query.trim()));
        (chats.chain(pages).chain(all).collect::<Vec<_>>(), nothing_found)
    });
    view! {
        <Modal open label=t!("chat.sidebar.search")>
            <Palette query results />
        </Modal>
    }
    .into_any()
}

/// Asks the server for the chats of a query, unless another one is typed in the meantime.
fn search_after_pause(query: String, found: RwSignal<(String, Vec<ChatSummary>)>) {
    if query.trim().is_empty() {
        return;
    }
    let search = move || {
        spawn_local(async move {
            // Without an answer, the chats of the sidebar are still found.
            if let Ok(page) = list_chats(ChatFilter::All, query.clone(), None).await {
                found.try_set((query, page.chats));
            }
        });
    };
    if let Ok(timer) = set_timeout_with_handle(search, PAUSE) {
        on_cleanup(move || timer.clear());
    }
}

fn matching_chats(typed: &str, listed: Vec<ChatSummary>, found: Vec<ChatSummary>) -> Vec<ChatSummary> {
    let mut matching: Vec<ChatSummary> = Vec::new();
    for chat in listed.into_iter().filter(|chat| browser::lowercase(chat.title.clone()).contains(typed)).chain(found) {
        if matching.len() < MAX_CHATS && matching.iter().all(|other| other.id != chat.id) {
            matching.push(chat);
        }
    }
    matching
}

/// The page with all chats that match.
fn search_all(query: &str) -> Option<PaletteItem> {
    (!query.is_empty()).then(|| PaletteItem {
        label: t!("chat.palette.all", query = query),
        href: format!("/sessions?q={}", Url::escape(query)),
        glyph: Glyph::Search,
    })
}

fn pages(is_administrator: bool) -> Vec<PaletteItem> {
    let page = |label: &str, href: &str, glyph| PaletteItem { label: label.to_owned(), href: href.to_owned(), glyph };
    let mut pages = vec![
        page(t!("chat.new_chat"), "/", Glyph::SquarePen),
        page(t!("chat.topbar.all_chats"), "/sessions", Glyph::MessagesSquare),
        page(t!("chat.sidebar.settings"), "/settings", Glyph::Settings),
    ];
    if is_administrator {
        pages.extend([
            page(t!("chat.sidebar.people"), "/people", Glyph::Users),
            page(t!("chat.sidebar.audit"), "/audit", Glyph::ScrollText),
            page(t!("chat.sidebar.jobs"), "/jobs", Glyph::RotateCw),
            page(t!("chat.sidebar.models"), "/models", Glyph::Cpu),
        ]);
    }
    pages
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{ChatId, Timestamp};

    fn chat(id: u128, title: &str) -> ChatSummary {
        ChatSummary {
            id: ChatId::from_uuid(Uuid::from_u128(id)),
            title: title.to_owned(),
            preview: String::new(),
            model: String::new(),
            active_at: Timestamp::from_micros(0),
            pinned: false,
            archived: false,
            running: false,
            unread: false,
        }
    }

    #[test]
    fn chats_of_the_sidebar_come_first_and_none_comes_twice() {
        let listed = vec![chat(1, "Bread"), chat(2, "Rye bread"), chat(3, "Water")];
        let found = vec![chat(2, "Rye bread"), chat(4, "Breadboard")];
        let titles = |chats: Vec<ChatSummary>| chats.into_iter().map(|chat| chat.title).collect::<Vec<_>>();
        assert_eq!(titles(matching_chats("bread", listed, found)), ["Bread", "Rye bread", "Breadboard"]);
        let many = (0..20).map(|id| chat(id, "x")).collect();
        assert_eq!(matching_chats("x", many, Vec::new()).len(), MAX_CHATS);
    }
}
