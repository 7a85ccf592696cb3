use std::cmp::Reverse;

use leptos::{prelude::*, task::spawn_local};

use super::query::SessionsQuery;
use crate::{
    domain::{ChatAction, ChatFilter, ChatId, ChatPage, ChatSummary},
    pages::shell::ChatList,
    server_fns::chats::list_chats,
};

/// The list in the browser.
#[derive(Clone, Copy)]
pub struct ListState {
    /// The list around, in which things are done.
    pub list: ChatList,
    /// Which part of the list this is.
    pub shown: StoredValue<SessionsQuery>,
    /// The chats that are there.
    pub chats: RwSignal<Vec<ChatSummary>>,
    /// Where the next page begins.
    pub next: RwSignal<Option<String>>,
    /// The chats that are ticked.
    pub selected: RwSignal<Vec<ChatId>>,
    /// Whether the next page is on its way.
    pub loading: RwSignal<bool>,
}

impl ListState {
    /// The first page of a part of the list.
    pub fn new(list: ChatList, shown: SessionsQuery, page: ChatPage) -> Self {
        Self {
            list,
            shown: StoredValue::new(shown),
            chats: RwSignal::new(page.chats),
            next: RwSignal::new(page.next),
            selected: RwSignal::new(Vec::new()),
            loading: RwSignal::new(false),
        }
    }

    /// Shows what an action has changed, without reading the list again.
    pub fn changed(self, ids: &[ChatId], action: ChatAction) {
        let filter = self.shown.with_value(|shown| shown.filter);
        self.chats.try_update(|chats| apply(chats, ids, action, filter));
        self.selected.try_set(Vec::new());
    }

    /// Shows another title.
    pub fn renamed(self, id: ChatId, title: &str) {
        self.chats.try_update(|chats| {
            if let Some(chat) = chats.iter_mut().find(|chat| chat.id == id) {
                title.clone_into(&mut chat.title);
            }
        });
    }

    /// Does one thing with the chats that are ticked.
    pub fn change_selected(self, action: ChatAction) {
        let ids = self.selected.get_untracked();
        self.list.change(ids.clone(), action, move || self.changed(&ids, action));
    }

    /// Reads the next page and puts it at the end.
    pub fn load_more(self) {
        let Some(cursor) = self.next.get_untracked().filter(|_| !self.loading.get_untracked()) else { return };
        self.loading.set(true);
        let shown = self.shown.get_value();
        spawn_local(async move {
            if let Ok(page) = list_chats(shown.filter, shown.search, Some(cursor)).await {
                self.chats.try_update(|chats| chats.extend(page.chats));
                self.next.try_set(page.next);
            }
            self.loading.try_set(false);
        });
    }
}

/// What a list shows after an action.
fn apply(chats: &mut Vec<ChatSummary>, ids: &[ChatId], action: ChatAction, filter: ChatFilter) {
    for chat in chats.iter_mut().filter(|chat| ids.contains(&chat.id)) {
        match action {
            ChatAction::Pin => chat.pinned = true,
            ChatAction::Unpin => chat.pinned = false,
            ChatAction::Archive => chat.archived = true,
            ChatAction::Unarchive => chat.archived = false,
            ChatAction::Delete | ChatAction::Restore => {}
        }
    }
    let stays = |chat: &ChatSummary| match filter {
        ChatFilter::All => !chat.archived,
        ChatFilter::Pinned => chat.pinned && !chat.archived,
        ChatFilter::Archived => chat.archived,
    };
    chats.retain(|chat| stays(chat) && !(action == ChatAction::Delete && ids.contains(&chat.id)));
    chats.sort_by_key(|chat| Reverse((chat.pinned, chat.active_at, chat.id)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn chat(last: u8, micros: i64) -> ChatSummary {
        ChatSummary {
            id: format!("0190e2a4-7b1c-7def-8123-4567890000{last:02x}").parse().expect("an id"),
            title: String::new(),
            last_words: String::new(),
            model: String::new(),
            active_at: Timestamp::from_micros(micros),
            pinned: false,
            archived: false,
            running: false,
        }
    }

    #[test]
    fn actions_show_at_once() {
        let list = [chat(1, 30), chat(2, 20), chat(3, 10)];
        let after = |ids: &[usize], action, filter| {
            let mut chats = list.to_vec();
            let ids: Vec<_> = ids.iter().map(|i| list[*i].id).collect();
            apply(&mut chats, &ids, action, filter);
            chats.iter().map(|chat| chat.active_at.micros()).collect::<Vec<_>>()
        };
        assert_eq!(after(&[2], ChatAction::Pin, ChatFilter::All), [10, 30, 20]);
        assert_eq!(after(&[0, 1], ChatAction::Delete, ChatFilter::All), [10]);
        assert_eq!(after(&[1], ChatAction::Archive, ChatFilter::All), [30, 10]);
        assert_eq!(after(&[1], ChatAction::Archive, ChatFilter::Archived), [20]);
    }
}
