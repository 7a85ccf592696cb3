use std::cmp::Reverse;

use leptos::{prelude::*, task::spawn_local};

use super::{
    focus::{focus_row, neighbour},
    query::SessionsQuery,
};
use crate::{
    domain::{ChatAction, ChatFilter, ChatId, ChatPage, ChatSummary},
    pages::shell::ChatListState,
    server_fns::chats::list_chats,
};

/// The state of the list in the browser.
#[derive(Clone, Copy)]
pub struct SessionListState {
    /// The chat list, which runs the actions.
    pub list: ChatListState,
    /// The query of the list.
    pub list_query: StoredValue<SessionsQuery>,
    /// The loaded chats.
    pub chats: RwSignal<Vec<ChatSummary>>,
    /// The cursor of the next page; `None` if this is the last one.
    pub next: RwSignal<Option<String>>,
    /// The selected chats.
    pub selected: RwSignal<Vec<ChatId>>,
    /// Whether the next page is being loaded.
    pub loading: RwSignal<bool>,
    /// The chat whose check box was used last, where a range of chats begins.
    anchor: StoredValue<Option<ChatId>>,
    /// The chat that was deleted last. It outlives the list, which is loaded again when the chat is restored.
    deleted: StoredValue<Option<ChatId>>,
}

impl SessionListState {
    /// The state with the first page.
    pub fn new(
        list: ChatListState,
        list_query: SessionsQuery,
        page: ChatPage,
        deleted: StoredValue<Option<ChatId>>,
    ) -> Self {
        Self {
            list,
            list_query: StoredValue::new(list_query),
            chats: RwSignal::new(page.chats),
            next: RwSignal::new(page.next),
            selected: RwSignal::new(Vec::new()),
            loading: RwSignal::new(false),
            anchor: StoredValue::new(None),
            deleted,
        }
    }

    /// Focuses a chat that was deleted and is in the list again.
    pub fn focus_restored(self) {
        let is_listed = |id: &ChatId| self.chats.with_untracked(|chats| chats.iter().any(|chat| chat.id == *id));
        if let Some(restored) = self.deleted.get_value().filter(is_listed) {
            self.deleted.set_value(None);
            focus_row(Some(restored));
        }
    }

    /// Applies an action to chats.
    pub fn change(self, ids: Vec<ChatId>, action: ChatAction) {
        self.list.change(ids.clone(), action, move || self.apply_action(&ids, action));
    }

    /// Applies an action to the loaded chats, without reloading the list.
    fn apply_action(self, ids: &[ChatId], action: ChatAction) {
        // Nothing to update if the user has left the page.
        let filter = self.list_query.try_with_value(|list_query| list_query.filter);
        let Some((&first, filter)) = ids.first().zip(filter) else { return };
        let focused = self.chats.try_update(|chats| {
            let before = chats.clone();
            update_list(chats, ids, action, filter);
            neighbour(&before, chats, first)
        });
        self.selected.try_set(Vec::new());
        if action == ChatAction::Delete {
            self.deleted.try_set_value(Some(first));
        }
        focus_row(focused.flatten());
    }

    /// Selects a chat or removes it from the selection; with `range`, all chats from the last one to it.
    pub fn select(self, id: ChatId, checked: bool, range: bool) {
        let anchor = self.anchor.get_value().filter(|_| range).unwrap_or(id);
        self.anchor.set_value(Some(id));
        let changed = self.chats.with_untracked(|chats| ids_between(chats, anchor, id));
        self.selected.update(|selected| {
            selected.retain(|other| !changed.contains(other));
            if checked {
                selected.extend(changed);
            }
        });
    }

    /// Selects all loaded chats.
    pub fn select_all(self) {
        self.selected.set(self.chats.with_untracked(|chats| chats.iter().map(|chat| chat.id).collect()));
    }

    /// Whether a chat is selected.
    pub fn is_selected(self, id: ChatId) -> bool {
        self.selected.with(|selected| selected.contains(&id))
    }

    /// Applies a new title to a loaded chat.
    pub fn apply_rename(self, id: ChatId, title: &str) {
        self.chats.try_update(|chats| {
            if let Some(chat) = chats.iter_mut().find(|chat| chat.id == id) {
                title.clone_into(&mut chat.title);
            }
        });
    }

    /// Applies an action to the selected chats.
    pub fn change_selected(self, action: ChatAction) {
        // In the order of the list, whatever the order of the clicks.
        let ids = self.selected.with_untracked(|selected| {
            let ids = self.chats.with_untracked(|chats| chats.iter().map(|chat| chat.id).collect::<Vec<_>>());
            ids.into_iter().filter(|id| selected.contains(id)).collect::<Vec<_>>()
        });
        if !ids.is_empty() {
            self.change(ids, action);
        }
    }

    /// Loads the next page and appends it.
    pub fn load_more(self) {
        let Some(cursor) = self.next.get_untracked().filter(|_| !self.loading.get_untracked()) else { return };
        self.loading.set(true);
        let list_query = self.list_query.get_value();
        spawn_local(async move {
            if let Ok(page) = list_chats(list_query.filter, list_query.search, Some(cursor)).await {
                self.chats.try_update(|chats| chats.extend(page.chats));
                self.next.try_set(page.next);
            }
            self.loading.try_set(false);
        });
    }
}

/// The chats of the list from one to another, in either direction; the second one alone if the first is not listed.
fn ids_between(chats: &[ChatSummary], one: ChatId, other: ChatId) -> Vec<ChatId> {
    let place = |id: ChatId| chats.iter().position(|chat| chat.id == id);
    let Some((one, other)) = place(one).zip(place(other)) else { return vec![other] };
    chats[one.min(other)..=one.max(other)].iter().map(|chat| chat.id).collect()
}

/// Updates a filtered list after an action.
fn update_list(chats: &mut Vec<ChatSummary>, ids: &[ChatId], action: ChatAction, filter: ChatFilter) {
    for chat in chats.iter_mut().filter(|chat| ids.contains(&chat.id)) {
        match action {
            ChatAction::Pin => chat.pinned = true,
            ChatAction::Unpin => chat.pinned = false,
            ChatAction::Archive => chat.archived = true,
            ChatAction::Unarchive => chat.archived = false,
            ChatAction::Delete | ChatAction::Restore => {}
        }
    }
    let matches_filter = |chat: &ChatSummary| match filter {
        ChatFilter::All => !chat.archived,
        ChatFilter::Pinned => chat.pinned && !chat.archived,
        ChatFilter::Archived => chat.archived,
    };
    chats.retain(|chat| matches_filter(chat) && !(action == ChatAction::Delete && ids.contains(&chat.id)));
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
            preview: String::new(),
            model: String::new(),
            active_at: Timestamp::from_micros(micros),
            pinned: false,
            archived: false,
            running: false,
            unread: false,
        }
    }

    #[test]
    fn a_range_has_two_ends_in_any_order() {
        let list = [chat(1, 30), chat(2, 20), chat(3, 10)];
        let ids: Vec<_> = list.iter().map(|chat| chat.id).collect();
        assert_eq!(ids_between(&list, ids[0], ids[2]), ids);
        assert_eq!(ids_between(&list, ids[2], ids[1]), ids[1..]);
        assert_eq!(ids_between(&list, ids[1], ids[1]), [ids[1]]);
        assert_eq!(ids_between(&list[1..], ids[0], ids[2]), [ids[2]]);
    }

    #[test]
    fn actions_update_the_list_immediately() {
        let list = [chat(1, 30), chat(2, 20), chat(3, 10)];
        let after = |ids: &[usize], action, filter| {
            let mut chats = list.to_vec();
            let ids: Vec<_> = ids.iter().map(|i| list[*i].id).collect();
            update_list(&mut chats, &ids, action, filter);
            chats.iter().map(|chat| chat.active_at.micros()).collect::<Vec<_>>()
        };
        assert_eq!(after(&[2], ChatAction::Pin, ChatFilter::All), [10, 30, 20]);
        assert_eq!(after(&[0, 1], ChatAction::Delete, ChatFilter::All), [10]);
        assert_eq!(after(&[1], ChatAction::Archive, ChatFilter::All), [30, 10]);
        assert_eq!(after(&[1], ChatAction::Archive, ChatFilter::Archived), [20]);
    }
}
