use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};

use super::{
    data::HTML_PLACEHOLDER,
    messages::{confirm_sent, merge_window, open_answer, queued_state, replace_edited, user_message},
    send::MessageSender,
};
use crate::{
    components::{ComposerState, CopyStatus, ScrollState, browser, show_copy_result},
    domain::{AppError, Author, Chat, ChatId, ClientId, Message, MessageId, MessageState, MessageWindow, StartedRun},
    pages::shell::{ChatListState, Models},
    server_fns::{
        chats::find_chat,
        messages::{
            choose_version, continue_answer, edit_message, message_text, older_messages, retry_answer, stop_answer,
        },
    },
};

/// How long an announcement is empty before it is repeated. Screen readers do not notice a shorter change.
const ANNOUNCEMENT_DELAY: Duration = Duration::from_millis(100);

/// An open chat in the browser.
#[derive(Clone, Copy)]
pub struct ChatState {
    /// The chat's id.
    pub id: ChatId,
    /// The loaded messages, oldest first.
    pub messages: RwSignal<Vec<Message>>,
    /// Whether there are older messages to load.
    pub has_older: RwSignal<bool>,
    /// Sends messages.
    pub sender: MessageSender,
    /// The scroll state.
    pub scroll: ScrollState,
    /// The text announced to screen readers.
    pub announcement: RwSignal<String>,
    /// Whether the stream of the answer has been disconnected for more than a moment.
    pub offline: RwSignal<bool>,
    /// The answers that were written while the page was open.
    pub seen_growing: StoredValue<Vec<MessageId>>,
    /// The message that is being edited.
    pub edited: RwSignal<Option<MessageId>>,
    chats: ChatListState,
    loading_older: StoredValue<bool>,
    pressed: StoredValue<bool>,
}

impl ChatState {
    /// The state of a chat as loaded, with the message that is being edited.
    pub fn new(models: Models, chats: ChatListState, chat: &Chat, edited: Option<MessageId>) -> Self {
        let model = if models.is_available(&chat.model) { chat.model.clone() } else { models.chosen.get_untracked() };
        Self {
            id: chat.id,
            messages: RwSignal::new(chat.window.messages.clone()),
            has_older: RwSignal::new(chat.window.has_older),
            sender: MessageSender::new(models, RwSignal::new(model), &chat.id.to_string()),
            scroll: ScrollState::default(),
            announcement: RwSignal::new(String::new()),
            offline: RwSignal::new(false),
            seen_growing: StoredValue::new(Vec::new()),
            edited: RwSignal::new(edited),
            chats,
            loading_older: StoredValue::new(false),
            pressed: StoredValue::new(false),
        }
    }

    /// Notes that a button was pressed that will be removed, with the focus that it has.
    fn note_pressed(self) {
        self.pressed.set_value(!browser::is_touch());
    }

    /// Moves the focus to the composer if it was lost with the button that was pressed.
    fn return_focus(self) {
        if self.pressed.try_update_value(std::mem::take).unwrap_or(false) {
            request_animation_frame(|| {
                if browser::is_focus_lost() {
                    browser::focus_first("#message");
                }
            });
        }
    }

    /// The id of the last message.
    pub fn last_message_id(self) -> Option<MessageId> {
        self.messages.with(|messages| messages.last().map(|message| message.id))
    }

    /// The id of the open answer; `None` if there is none.
    pub fn open_answer_id(self) -> Option<MessageId> {
        self.messages.with(|messages| messages.last().filter(|m| m.state.is_open()).map(|m| m.id))
    }

    /// The state of the composer.
    pub fn composer_state(self) -> ComposerState {
        if self.sender.sending.get() {
            ComposerState::Sending
        } else if self.open_answer_id().is_some() {
            ComposerState::Answering
        } else {
            ComposerState::Ready
        }
    }

    /// Sends the message in the composer. It appears in the transcript immediately.
    pub fn send(self) {
        let Some(outgoing) = self.sender.take_draft() else { return };
        let provisional = MessageId::from_uuid(outgoing.message_id().uuid());
        self.messages.update(|messages| messages.push(user_message(provisional, outgoing.text().to_owned())));
        self.scroll.show_question();
        let model = self.sender.model_label();
        spawn_local(async move {
            let sent = self.sender.send(Some(self.id), outgoing).await;
            self.messages.try_update(|messages| confirm_sent(messages, provisional, sent.as_ref(), model));
            match sent {
                Some(_) => self.chats.notify_changed(),
                None => self.scroll.remove_room(),
            }
        });
    }

    /// Opens the last message of the user for editing. `false` if there is none, or an answer is being written.
    pub fn edit_last(self) -> bool {
        let last = self.messages.with_untracked(|messages| {
            let idle = messages.last().is_some_and(|last| !last.state.is_open() && last.author == Author::Assistant);
            messages.iter().rev().find(|message| idle && message.author == Author::User).map(|message| message.id)
        });
        if last.is_some() {
            self.edited.set(last);
        }
        last.is_some()
    }

    /// Sends another version of a message of the user. Its old version and all that follows it leave the page.
    pub fn save_edited(self, message: MessageId, client_id: ClientId, text: String) {
        let (model, label) = (self.sender.chosen_model(), self.sender.model_label());
        self.sender.error.set(None);
        self.note_pressed();
        spawn_local(async move {
            match edit_message(self.id, message, client_id, text.clone(), model).await {
                Ok(sent) => {
                    self.edited.try_set(None);
                    self.messages.try_update(|messages| replace_edited(messages, message, &sent, text, label));
                    self.scroll.show_question();
                    self.return_focus();
                    // The number of its versions comes from the server.
                    self.reload();
                    self.chats.notify_changed();
                }
                Err(error) => self.sender.show_error(error),
            }
        });
    }

    /// Requests to stop the open answer. The stream reports when it has stopped.
    pub fn stop(self) {
        let Some(message) = untrack(move || self.open_answer_id()) else { return };
        self.note_pressed();
        spawn_local(async move {
            if let Err(error) = stop_answer(self.id, message).await {
                self.sender.show_error(error);
            }
        });
    }

    /// Retries an answer, with another model if one is given, which is then also selected for the next messages.
    pub fn retry(self, message: MessageId, other_model: Option<String>) {
        if let Some(model) = other_model {
            self.sender.choose_model(model);
        }
        let model = self.sender.chosen_model();
        let label = self.sender.model_label();
        let retried =
            move |sent: &StartedRun, old: &Message| Message { parent: old.parent, ..open_answer(sent, label) };
        // Of an earlier answer, the question is only shown once the messages after it are gone.
        if untrack(move || self.last_message_id()) == Some(message) {
            self.scroll.show_question();
        }
        self.start_run(message, retried, async move { retry_answer(self.id, message, model).await });
    }

    /// Continues an answer.
    pub fn continue_answer(self, message: MessageId) {
        let continued = |sent: &StartedRun, before: &Message| Message {
            id: sent.answer,
            state: queued_state(sent.run),
            html: if before.html == HTML_PLACEHOLDER { html_on_page(before.id) } else { before.html.clone() },
            ..before.clone()
        };
        self.scroll.scroll_to_end();
        self.start_run(message, continued, async move { continue_answer(self.id, message).await });
    }

    fn start_run(
        self,
        message: MessageId,
        new_message: impl FnOnce(&StartedRun, &Message) -> Message + 'static,
        request: impl Future<Output = Result<StartedRun, AppError>> + 'static,
    ) {
        self.sender.error.set(None);
        self.note_pressed();
        spawn_local(async move {
            match request.await {
                Ok(sent) => {
                    self.scroll.preserve_position_until_frame();
                    let had_later = self.messages.try_update(|messages| {
                        let at = messages.iter().position(|old| old.id == message)?;
                        messages[at] = new_message(&sent, &messages[at]);
                        let later = messages.len() - at - 1;
                        messages.truncate(at + 1);
                        Some(later > 0)
                    });
                    if had_later.flatten() == Some(true) {
                        self.scroll.show_question();
                    }
                    self.return_focus();
                    self.chats.notify_changed();
                }
                Err(error) => self.sender.show_error(error),
            }
        });
    }

    /// Replaces the open answer with the finished one.
    pub fn finish_answer(self, answer: Message) {
        self.scroll.preserve_position_until_frame();
        self.offline.try_set(false);
        if document().hidden() {
            self.chats.answered_in_background.try_set(true);
        }
        if answer.depth == 1 && answer.state == MessageState::Complete {
            self.chats.follow_title(self.id);
        }
        self.messages.try_update(|messages| {
            if let Some(open) = messages.iter_mut().find(|message| message.id == answer.id) {
                *open = answer;
            }
        });
        self.return_focus();
        self.chats.refresh();
    }

    /// Reloads the newest messages.
    pub fn reload(self) {
        spawn_local(async move {
            match find_chat(self.id, None).await {
                Ok(chat) => {
                    self.scroll.preserve_position_until_frame();
                    self.merge(chat.window);
                }
                Err(AppError::NotFound | AppError::ChatDeleted) => self.handle_deleted(),
                Err(_) => {}
            }
        });
    }

    fn merge(self, window: MessageWindow) {
        let has_older = self.messages.try_update(|messages| merge_window(messages, window)).flatten();
        if let Some(has_older) = has_older {
            self.has_older.try_set(has_older);
        }
    }

    /// Shows another version of a message, in the place of the shown one, and what follows it.
    pub fn choose_version(self, shown: MessageId, chosen: MessageId) {
        self.sender.error.set(None);
        spawn_local(async move {
            match choose_version(self.id, chosen).await {
                Ok(window) => {
                    let versions = window.messages.iter().find(|message| message.id == chosen);
                    if let Some(versions) = versions.and_then(|message| message.versions) {
                        let text = t!("chat.version.shown", number = versions.number, total = versions.count);
                        self.announce_again(text);
                        // The next press of the same button goes on in the same direction.
                        let button = if versions.previous == Some(shown) { "last" } else { "first" };
                        self.scroll.replace_in_place(shown, chosen, button);
                    } else {
                        self.scroll.scroll_to_end();
                    }
                    self.merge(window);
                    self.chats.notify_changed();
                }
                Err(error) => self.sender.show_error(error),
            }
        });
    }

    /// Handles the deletion of the chat in another tab: its answer is marked as stopped, so the stream does not
    /// reconnect.
    fn handle_deleted(self) {
        self.offline.try_set(false);
        self.messages.try_update(|messages| {
            if let Some(open) = messages.last_mut().filter(|last| last.state.is_open()) {
                open.state = MessageState::Stopped;
            }
        });
        self.sender.show_error(AppError::ChatDeleted);
        self.chats.refresh();
    }

    /// Loads what was written in this chat in another tab. Does nothing while an answer is open, because its stream
    /// delivers everything.
    pub fn reload_if_idle(self) {
        if !self.sender.sending.get_untracked() && untrack(move || self.open_answer_id()).is_none() {
            self.reload();
        }
    }

    /// Loads older messages and inserts them at the top.
    pub fn load_older(self) {
        let first = self.messages.with_untracked(|messages| messages.first().map(|message| message.id));
        let Some(before) = first.filter(|_| self.has_older.get_untracked() && !self.loading_older.get_value()) else {
            return;
        };
        self.loading_older.set_value(true);
        spawn_local(async move {
            if let Ok(window) = older_messages(self.id, before).await {
                let is_first = |messages: &Vec<Message>| messages.first().is_some_and(|first| first.id == before);
                // Another version may have been chosen in the meantime.
                if self.messages.try_with_untracked(is_first) == Some(true) {
                    self.has_older.try_set(window.has_older);
                    self.messages.try_update(|messages| messages.splice(0..0, window.messages).count());
                }
            }
            self.loading_older.try_set_value(false);
        });
    }

    /// Copies the text of a message to the clipboard and shows the result.
    pub fn copy(self, message: MessageId, copied: CopyStatus) {
        spawn_local(async move {
            let done = match message_text(self.id, message).await {
                Ok(text) => browser::copy_text(text).await,
                Err(_) => false,
            };
            show_copy_result(copied, done);
            let text = if done { t!("chat.message.copied") } else { t!("chat.message.not_copied") };
            self.announce_again(text.to_owned());
        });
    }

    /// Announces a text to screen readers, even if it is the one that was announced last.
    pub fn announce_again(self, text: String) {
        self.announcement.try_set(String::new());
        set_timeout(
            move || {
                self.announcement.try_set(text);
            },
            ANNOUNCEMENT_DELAY,
        );
    }
}

fn html_on_page(message: MessageId) -> String {
    let part = document().query_selector(&format!("#m-{message} > .prose > .part")).ok().flatten();
    part.map(|part| part.inner_html()).unwrap_or_default()
}
