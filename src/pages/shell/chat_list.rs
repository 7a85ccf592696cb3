use std::{cell::Cell, rc::Rc, time::Duration};

use leptos::{prelude::*, task::spawn_local};

use super::{sign_in_state::SignInState, toasts::Toasts};
use crate::{
    components::browser::{ExternalChangeListener, keep_row_focus, notify_other_tabs},
    domain::{Chat, ChatAction, ChatFilter, ChatId, ChatSummary},
    server_fns::chats::{change_chats, list_chats, rename_chat},
};

/// How often the list is refreshed while an answer is being written.
const REFRESH_INTERVAL: Duration = Duration::from_secs(5);
/// When the list is refreshed after the first answer of a chat, because a model may have written a title.
const TITLE_DELAYS: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(6)];

/// The user's newest chats, and the actions on chats.
#[derive(Clone, Copy)]
pub struct ChatListState {
    /// The newest chats.
    pub chats: RwSignal<Vec<ChatSummary>>,
    /// Number of restore actions; a change makes lists reload.
    pub restored: RwSignal<u32>,
    /// Number of signs that something may have changed in another tab or on another device.
    pub external_changes: RwSignal<u32>,
    /// Whether the answer of the open chat ended while this tab was in the background.
    pub answered_in_background: RwSignal<bool>,
    new_chat: StoredValue<Option<Chat>>,
    toasts: Toasts,
    sign_in: SignInState,
}

impl ChatListState {
    /// Gets the state from the context.
    pub fn expect() -> Self {
        expect_context()
    }

    /// Creates the state from the loaded chats.
    pub fn new(chats: Vec<ChatSummary>, toasts: Toasts, sign_in: SignInState) -> Self {
        Self {
            chats: RwSignal::new(chats),
            restored: RwSignal::new(0),
            external_changes: RwSignal::new(0),
            answered_in_background: RwSignal::new(false),
            new_chat: StoredValue::new(None),
            toasts,
            sign_in,
        }
    }

    /// Stores a chat that was just created, so that its page need not load it.
    pub fn store_new_chat(self, chat: Chat) {
        self.new_chat.try_set_value(Some(chat));
    }

    /// Takes the chat with this id, if it was just created. Returns it only once.
    pub fn take_new_chat(self, id: Option<ChatId>) -> Option<Chat> {
        let has_id = |chat: &mut Chat| Some(chat.id) == id;
        self.new_chat.try_update_value(|new_chat| new_chat.take_if(has_id)).flatten()
    }

    /// Reloads the list.
    pub fn refresh(self) {
        spawn_local(self.reload());
    }

    async fn reload(self) {
        // On failure the old list stays; the next change reloads it again.
        if let Ok(page) = list_chats(ChatFilter::All, String::new(), None).await {
            keep_row_focus(|| {
                self.chats.try_set(page.chats);
            });
            self.sign_in.mark_signed_in();
        }
    }

    /// Call it after the first answer of a chat: shows the title that a model may write now, also in other tabs.
    pub fn follow_title(self, chat: ChatId) {
        let (title, is_followed) = (self.title_of(chat), Rc::new(Cell::new(false)));
        for delay in TITLE_DELAYS {
            let (title, is_followed) = (title.clone(), Rc::clone(&is_followed));
            let follow = move || {
                if is_followed.get() {
                    return;
                }
                spawn_local(async move {
                    self.reload().await;
                    if self.title_of(chat) != title {
                        is_followed.set(true);
                        notify_other_tabs();
                    }
                });
            };
            set_timeout(follow, delay);
        }
    }

    /// The number of chats with an unread answer.
    pub fn count_unread(self) -> Signal<usize> {
        let count = Memo::new(move |_| {
            let listed = self.chats.with(|chats| chats.iter().filter(|chat| chat.unread).count());
            listed + usize::from(self.answered_in_background.get())
        });
        count.into()
    }

    /// Call it when a chat was opened, which the server knows already: removes its mark, also in other tabs.
    pub fn mark_read(self, chat: ChatId) {
        let is_unread = |listed: &ChatSummary| listed.id == chat && listed.unread;
        if self.chats.try_with_untracked(|chats| chats.iter().any(is_unread)) == Some(true) {
            self.chats.try_update(|chats| {
                if let Some(listed) = chats.iter_mut().find(|listed| listed.id == chat) {
                    listed.unread = false;
                }
            });
            notify_other_tabs();
        }
    }

    fn title_of(self, chat: ChatId) -> Option<String> {
        let find = |chats: &Vec<ChatSummary>| chats.iter().find(|listed| listed.id == chat).map(|c| c.title.clone());
        self.chats.try_with_untracked(find).flatten()
    }

    /// Call it after a change in this tab: reloads the list and notifies other tabs.
    pub fn notify_changed(self) {
        self.refresh();
        notify_other_tabs();
    }

    /// Applies an action to chats; calls `done` on success.
    pub fn change(self, chats: Vec<ChatId>, action: ChatAction, done: impl FnOnce() + 'static) {
        self.toasts.error.set(None);
        spawn_local(async move {
            match change_chats(chats.clone(), action).await {
                Ok(_) => {
                    if matches!(action, ChatAction::Delete | ChatAction::Archive) {
                        self.toasts.undo.try_set(Some((action, chats)));
                    }
                    done();
                    self.notify_changed();
                }
                Err(error) => self.toasts.show_error(error),
            }
        });
    }

    /// Restores a deleted chat.
    pub fn restore(self, chat: Option<ChatId>) {
        self.toasts.undo.set(chat.map(|chat| (ChatAction::Delete, vec![chat])));
        self.undo();
    }

    /// Brings back the chats that were deleted or archived last.
    pub fn undo(self) {
        let Some((action, chats)) = self.toasts.undo.get_untracked() else { return };
        self.toasts.undo.set(None);
        let inverse = if action == ChatAction::Archive { ChatAction::Unarchive } else { ChatAction::Restore };
        self.change(chats, inverse, move || {
            self.restored.try_update(|count| *count += 1);
        });
    }

    /// Renames a chat; calls `done` on success.
    pub fn rename(self, chat: ChatId, title: String, done: impl FnOnce() + 'static) {
        self.toasts.error.set(None);
        spawn_local(async move {
            match rename_chat(chat, title).await {
                Ok(()) => {
                    done();
                    self.notify_changed();
                }
                Err(error) => self.toasts.show_error(error),
            }
        });
    }

    /// Refreshes the list while an answer is being written in any chat, so that its running mark disappears.
    pub fn poll_running(self) {
        let running = Memo::new(move |_| self.chats.with(|chats| chats.iter().any(|chat| chat.running)));
        Effect::new(move || {
            if running.get()
                && !self.sign_in.ended.get()
                && let Ok(handle) = set_interval_with_handle(move || self.refresh(), REFRESH_INTERVAL)
            {
                on_cleanup(move || handle.clear());
            }
        });
    }

    /// Refreshes the list when something may have changed outside this tab.
    pub fn watch_external_changes(self) {
        // The effect owns the listener as long as the list exists.
        Effect::new(move |_: Option<ExternalChangeListener>| {
            ExternalChangeListener::watch(move || {
                self.answered_in_background.try_set(false);
                self.external_changes.try_update(|count| *count += 1);
                self.refresh();
            })
        });
    }
}
