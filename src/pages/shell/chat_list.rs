use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};

use super::{sign_in_state::SignInState, toasts::Toasts};
use crate::{
    components::browser::{Elsewhere, tell_other_tabs},
    domain::{Chat, ChatAction, ChatFilter, ChatId, ChatSummary},
    server_fns::chats::{change_chats, list_chats, rename_chat},
};

/// Time between two looks at the list while an answer is being written.
const LOOK: Duration = Duration::from_secs(5);

/// The person's newest chats, and what is done with chats.
#[derive(Clone, Copy)]
pub struct ChatList {
    /// The newest chats.
    pub chats: RwSignal<Vec<ChatSummary>>,
    /// Counts how often something was brought back, so that lists are read anew.
    pub restored: RwSignal<u32>,
    /// Counts the signs that something may have changed in another tab or on another device.
    pub changed_elsewhere: RwSignal<u32>,
    made: StoredValue<Option<Chat>>,
    toasts: Toasts,
    sign_in: SignInState,
}

impl ChatList {
    /// The list around this page.
    pub fn expect() -> Self {
        expect_context()
    }

    /// The list as it was loaded.
    pub fn new(chats: Vec<ChatSummary>, toasts: Toasts, sign_in: SignInState) -> Self {
        Self {
            chats: RwSignal::new(chats),
            restored: RwSignal::new(0),
            changed_elsewhere: RwSignal::new(0),
            made: StoredValue::new(None),
            toasts,
            sign_in,
        }
    }

    /// Keeps a chat that was just made, so that its page need not ask for it.
    pub fn keep_made(self, chat: Chat) {
        self.made.try_set_value(Some(chat));
    }

    /// The chat with this id, if it was just made. It is given once.
    pub fn take_made(self, id: Option<ChatId>) -> Option<Chat> {
        let fits = |chat: &mut Chat| Some(chat.id) == id;
        self.made.try_update_value(|made| made.take_if(fits)).flatten()
    }

    /// Reads the list anew.
    pub fn refresh(self) {
        spawn_local(async move {
            // Where that fails the old list stays; the next change tries again.
            if let Ok(page) = list_chats(ChatFilter::All, String::new(), None).await {
                self.chats.try_set(page.chats);
                self.sign_in.holds();
            }
        });
    }

    /// Something was changed here: reads the list anew, and lets other tabs look again.
    pub fn changed(self) {
        self.refresh();
        tell_other_tabs();
    }

    /// Does one thing with some chats; `done` is called when it has been done.
    pub fn change(self, chats: Vec<ChatId>, action: ChatAction, done: impl FnOnce() + 'static) {
        self.toasts.problem.set(None);
        spawn_local(async move {
            match change_chats(chats.clone(), action).await {
                Ok(_) => {
                    if action == ChatAction::Delete {
                        self.toasts.deleted.try_set(chats);
                    }
                    done();
                    self.changed();
                }
                Err(error) => self.toasts.fail(error),
            }
        });
    }

    /// Brings back what was deleted last.
    pub fn restore_deleted(self) {
        let chats = self.toasts.deleted.get_untracked();
        self.toasts.deleted.set(Vec::new());
        self.change(chats, ChatAction::Restore, move || {
            self.restored.try_update(|count| *count += 1);
        });
    }

    /// Gives a chat another title; `done` is called when it has it.
    pub fn rename(self, chat: ChatId, title: String, done: impl FnOnce() + 'static) {
        self.toasts.problem.set(None);
        spawn_local(async move {
            match rename_chat(chat, title).await {
                Ok(()) => {
                    done();
                    self.changed();
                }
                Err(error) => self.toasts.fail(error),
            }
        });
    }

    /// Looks at the list again while an answer is being written in some chat, so that its mark goes away.
    pub fn watch_runs(self) {
        let running = Memo::new(move |_| self.chats.with(|chats| chats.iter().any(|chat| chat.running)));
        Effect::new(move || {
            if running.get()
                && !self.sign_in.ended.get()
                && let Ok(handle) = set_interval_with_handle(move || self.refresh(), LOOK)
            {
                on_cleanup(move || handle.clear());
            }
        });
    }

    /// Looks again when something may have changed elsewhere.
    pub fn watch_elsewhere(self) {
        // The effect keeps its watch as long as the list is there.
        Effect::new(move |_: Option<Elsewhere>| {
            Elsewhere::watch(move || {
                self.changed_elsewhere.try_update(|count| *count += 1);
                self.refresh();
            })
        });
    }
}
