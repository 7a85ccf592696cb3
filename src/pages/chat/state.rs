use leptos::{prelude::*, task::spawn_local};

use super::{
    data::ON_THE_PAGE,
    messages::{confirm, merge, open_answer, open_state, user_message},
    send::Sender,
};
use crate::{
    components::{Composing, Copied, ReadingPlace, browser, tell_copied},
    domain::{AppError, Chat, ChatId, Message, MessageId, MessageState, Sent},
    pages::shell::{ChatList, Models},
    server_fns::{
        chats::find_chat,
        messages::{continue_answer, message_text, older_messages, retry_answer, stop_answer},
    },
};

/// An open chat in the browser.
#[derive(Clone, Copy)]
pub struct ChatState {
    /// Which chat.
    pub id: ChatId,
    /// The messages that are there, oldest first.
    pub messages: RwSignal<Vec<Message>>,
    /// Whether there are older ones.
    pub has_older: RwSignal<bool>,
    /// Sends messages.
    pub sender: Sender,
    /// Where the reader is.
    pub place: ReadingPlace,
    /// What is read out to those who do not see the page.
    pub said: RwSignal<String>,
    /// Whether the stream of the answer is cut for longer than a moment.
    pub offline: RwSignal<bool>,
    chats: ChatList,
    loading_older: StoredValue<bool>,
}

impl ChatState {
    /// The state of a chat as it was loaded.
    pub fn new(models: Models, chats: ChatList, chat: &Chat) -> Self {
        let model = if models.offers(&chat.model) { chat.model.clone() } else { models.chosen.get_untracked() };
        Self {
            id: chat.id,
            messages: RwSignal::new(chat.window.messages.clone()),
            has_older: RwSignal::new(chat.window.has_older),
            sender: Sender::new(models, RwSignal::new(model), &chat.id.to_string()),
            place: ReadingPlace::default(),
            said: RwSignal::new(String::new()),
            offline: RwSignal::new(false),
            chats,
            loading_older: StoredValue::new(false),
        }
    }

    /// The id of the last message.
    pub fn last(self) -> Option<MessageId> {
        self.messages.with(|messages| messages.last().map(|message| message.id))
    }

    /// The answer that is open.
    pub fn open(self) -> Option<MessageId> {
        self.messages.with(|messages| messages.last().filter(|m| m.state.is_open()).map(|m| m.id))
    }

    /// What can be done with the composer.
    pub fn composing(self) -> Composing {
        if self.sender.sending.get() {
            Composing::Sending
        } else if self.open().is_some() {
            Composing::Answering
        } else {
            Composing::Ready
        }
    }

    /// Sends what is in the composer. It stands in the transcript at once.
    pub fn send(self) {
        let Some(outgoing) = self.sender.begin() else { return };
        let provisional = MessageId::from_uuid(outgoing.message_id().uuid());
        self.messages.update(|messages| messages.push(user_message(provisional, outgoing.text().to_owned())));
        self.place.to_end();
        let model = self.sender.model_label();
        spawn_local(async move {
            let sent = self.sender.send(Some(self.id), outgoing).await;
            let shown = self.messages.try_update(|messages| confirm(messages, provisional, sent.as_ref(), model));
            if sent.is_some() {
                if shown.is_some() {
                    self.place.to_end();
                }
                self.chats.changed();
            }
        });
    }

    /// Asks the open answer to stop. The stream tells when it has.
    pub fn stop(self) {
        let Some(message) = untrack(move || self.open()) else { return };
        spawn_local(async move {
            if let Err(error) = stop_answer(self.id, message).await {
                self.sender.fail(error);
            }
        });
    }

    /// Lets an answer be written anew.
    pub fn retry(self, message: MessageId) {
        let model = self.sender.chosen_model();
        let label = self.sender.model_label();
        let anew = move |sent: &Sent, old: &Message| Message { parent: old.parent, ..open_answer(sent, label) };
        self.run_again(message, anew, async move { retry_answer(self.id, message, model).await });
    }

    /// Lets an answer go on.
    pub fn go_on(self, message: MessageId) {
        let go_on = |sent: &Sent, before: &Message| Message {
            id: sent.answer,
            state: open_state(sent.run),
            html: if before.html == ON_THE_PAGE { html_on_page(before.id) } else { before.html.clone() },
            ..before.clone()
        };
        self.run_again(message, go_on, async move { continue_answer(self.id, message).await });
    }

    fn run_again(
        self,
        message: MessageId,
        begin: impl FnOnce(&Sent, &Message) -> Message + 'static,
        ask: impl Future<Output = Result<Sent, AppError>> + 'static,
    ) {
        self.sender.error.set(None);
        spawn_local(async move {
            match ask.await {
                Ok(sent) => {
                    self.place.to_end();
                    self.messages.try_update(|messages| {
                        if let Some(old) = messages.iter_mut().find(|old| old.id == message) {
                            *old = begin(&sent, old);
                        }
                    });
                    self.chats.changed();
                }
                Err(error) => self.sender.fail(error),
            }
        });
    }

    /// Puts an answer that has ended into its place.
    pub fn settle(self, answer: Message) {
        self.place.keep_until_frame();
        self.offline.try_set(false);
        self.messages.try_update(|messages| {
            if let Some(open) = messages.iter_mut().find(|message| message.id == answer.id) {
                *open = answer;
            }
        });
        self.chats.refresh();
    }

    /// Reads the newest messages again, because the stream has nothing more to say.
    pub fn reload(self) {
        spawn_local(async move {
            match find_chat(self.id, None).await {
                Ok(chat) => {
                    self.place.keep_until_frame();
                    self.messages.try_update(|messages| merge(messages, chat.window));
                }
                Err(AppError::NotFound) => self.was_deleted(),
                Err(_) => {}
            }
        });
    }

    /// The chat was deleted elsewhere: nothing is written in it any more, so nobody needs to ask again.
    fn was_deleted(self) {
        self.offline.try_set(false);
        self.messages.try_update(|messages| {
            if let Some(open) = messages.last_mut().filter(|last| last.state.is_open()) {
                open.state = MessageState::Stopped;
            }
        });
        self.sender.fail(AppError::conflict(reason!("chat_deleted")));
        self.chats.refresh();
    }

    /// Shows what was said in this chat elsewhere. While an answer is being written here, its stream tells all.
    pub fn look_again(self) {
        if !self.sender.sending.get_untracked() && untrack(move || self.open()).is_none() {
            self.reload();
        }
    }

    /// Reads older messages and puts them in at the top.
    pub fn load_older(self) {
        let first = self.messages.with_untracked(|messages| messages.first().map(|message| message.id));
        let Some(before) = first.filter(|_| self.has_older.get_untracked() && !self.loading_older.get_value()) else {
            return;
        };
        self.loading_older.set_value(true);
        spawn_local(async move {
            if let Ok(window) = older_messages(self.id, before).await {
                self.has_older.try_set(window.has_older);
                self.messages.try_update(|messages| messages.splice(0..0, window.messages).count());
            }
            self.loading_older.try_set_value(false);
        });
    }

    /// Puts the text of a message on the clipboard, and tells what came of it.
    pub fn copy(self, message: MessageId, copied: Copied) {
        spawn_local(async move {
            let done = match message_text(self.id, message).await {
                Ok(text) => browser::copy_text(text).await,
                Err(_) => false,
            };
            tell_copied(copied, done);
            let told = if done { t!("chat.message.copied") } else { t!("chat.message.not_copied") };
            self.said.try_set(told.to_owned());
        });
    }
}

fn html_on_page(message: MessageId) -> String {
    let part = document().query_selector(&format!("#m-{message} > .prose > .part")).ok().flatten();
    part.map(|part| part.inner_html()).unwrap_or_default()
}
