use leptos::{prelude::*, task::spawn_local};

use super::{ON_THE_PAGE, Sender};
use crate::{
    components::{Composing, Copied, ReadingPlace, browser, tell_copied},
    domain::{
        AppError, Author, Chat, ChatId, Message, MessageId, MessageState, MessageWindow, Phase, RunId, Sent, Timestamp,
        title_from,
    },
    pages::frame::FrameState,
    server_fns::{
        chats::find_chat,
        messages::{continue_answer, message_text, older_messages, retry_answer, stop_answer},
    },
};

/// An open chat in the browser.
#[derive(Clone, Copy)]
pub struct ChatState {
    /// The frame around.
    pub frame: FrameState,
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
    loading_older: StoredValue<bool>,
}

impl ChatState {
    /// The state of a chat as it was loaded.
    pub fn new(frame: FrameState, chat: &Chat) -> Self {
        let model = if frame.offers(&chat.model) { chat.model.clone() } else { frame.model.get_untracked() };
        Self {
            frame,
            id: chat.id,
            messages: RwSignal::new(chat.window.messages.clone()),
            has_older: RwSignal::new(chat.window.has_older),
            sender: Sender::new(frame, RwSignal::new(model), &chat.id.to_string()),
            place: ReadingPlace::default(),
            said: RwSignal::new(String::new()),
            offline: RwSignal::new(false),
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
                self.frame.changed();
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
                    self.frame.changed();
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
        self.frame.refresh_chats();
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
        self.sender.fail(AppError::conflict("This chat was deleted in another window."));
        self.frame.refresh_chats();
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
            let told = if done { "Copied." } else { "The message could not be copied." };
            self.said.try_set(told.to_owned());
        });
    }
}

fn html_on_page(message: MessageId) -> String {
    let part = document().query_selector(&format!("#m-{message} > .prose > .part")).ok().flatten();
    part.map(|part| part.inner_html()).unwrap_or_default()
}

/// Depths from here on are those of messages whose place the server has not told.
const PROVISIONAL: i64 = i64::MAX - 1;

/// The newest window over what is there: messages before it stay, and so does what was sent after the window was asked for.
fn merge(messages: &mut Vec<Message>, window: MessageWindow) {
    let Some(first) = window.messages.first().map(|message| message.depth) else { return };
    let is_newer =
        |message: &Message| message.depth >= PROVISIONAL && window.messages.iter().all(|known| known.id != message.id);
    // An answer that has ended is in a newer window, unless it was set aside elsewhere.
    let goes_on =
        messages.last().is_some_and(|last| is_newer(last) && (last.author == Author::User || last.state.is_open()));
    let sent: Vec<_> = messages.iter().filter(|message| goes_on && is_newer(message)).cloned().collect();
    messages.retain(|message| message.depth < first);
    messages.extend(window.messages);
    messages.extend(sent);
}

/// Gives a message that was sent its id, and lets its answer begin; takes it away where it was not taken.
fn confirm(messages: &mut Vec<Message>, provisional: MessageId, sent: Option<&Sent>, model: Option<String>) {
    // One that had arrived by an earlier try may have been read anew meanwhile.
    let Some(sent) = sent.filter(|sent| messages.iter().all(|message| message.id != sent.message)) else {
        messages.retain(|message| message.id != provisional);
        return;
    };
    if let Some(message) = messages.iter_mut().find(|message| message.id == provisional) {
        message.id = sent.message;
    }
    messages.push(open_answer(sent, model));
}

/// A message of the person's that the server has not yet confirmed, or whose place it did not tell.
pub fn user_message(id: MessageId, text: String) -> Message {
    Message {
        id,
        parent: None,
        depth: PROVISIONAL,
        author: Author::User,
        state: MessageState::Complete,
        text,
        html: String::new(),
        reasoning_html: String::new(),
        model: None,
        left_out: 0,
        created_at: now(),
    }
}

/// The answer that was just begun, by the model with this name.
pub fn open_answer(sent: &Sent, model: Option<String>) -> Message {
    Message {
        parent: Some(sent.message),
        depth: i64::MAX,
        author: Author::Assistant,
        state: open_state(sent.run),
        model,
        ..user_message(sent.answer, String::new())
    }
}

/// A chat that was just made by its first message.
pub fn new_chat(sent: &Sent, text: String, sender: Sender) -> Chat {
    Chat {
        id: sent.chat,
        title: title_from(&text),
        model: sender.model.get_untracked(),
        archived: false,
        pinned: false,
        window: MessageWindow {
            messages: vec![user_message(sent.message, text), open_answer(sent, sender.model_label())],
            has_older: false,
        },
    }
}

const fn open_state(run: RunId) -> MessageState {
    MessageState::Open { run, phase: Phase::Waiting { place: None } }
}

#[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
fn now() -> Timestamp {
    Timestamp::from_micros(0).plus_millis(browser::now_millis() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(depth: i64) -> Message {
        let id = "0190e2a4-7b1c-7def-8123-456789abcdef".parse().expect("an id");
        Message { depth, ..user_message(id, String::new()) }
    }

    #[test]
    fn a_message_that_arrived_by_an_earlier_try_stands_there_once() {
        let id = |n: u128| MessageId::from_uuid(uuid::Uuid::from_u128(n));
        let message = |n: u128| user_message(id(n), String::new());
        let sent = Sent {
            chat: ChatId::from_uuid(uuid::Uuid::from_u128(9)),
            message: id(1),
            answer: id(2),
            run: RunId::from_uuid(uuid::Uuid::from_u128(3)),
        };
        let ids = |messages: &[Message]| messages.iter().map(|message| message.id).collect::<Vec<_>>();
        let mut messages = vec![message(7)];
        confirm(&mut messages, id(7), Some(&sent), None);
        assert_eq!(ids(&messages), [id(1), id(2)]);
        messages.push(message(7));
        confirm(&mut messages, id(7), Some(&sent), None);
        assert_eq!(ids(&messages), [id(1), id(2)]);
        messages.push(message(7));
        confirm(&mut messages, id(7), None, None);
        assert_eq!(ids(&messages), [id(1), id(2)]);
    }

    #[test]
    fn a_window_that_was_asked_for_before_a_message_was_sent_does_not_take_it_away() {
        let id = |n: u128| MessageId::from_uuid(uuid::Uuid::from_u128(n));
        let message = |n: u128, depth| Message { depth, ..user_message(id(n), String::new()) };
        let sent = Sent {
            chat: ChatId::from_uuid(uuid::Uuid::from_u128(9)),
            message: id(3),
            answer: id(4),
            run: RunId::from_uuid(uuid::Uuid::from_u128(5)),
        };
        let ids = |messages: &[Message]| messages.iter().map(|message| message.id).collect::<Vec<_>>();
        let window = |messages: &[Message]| MessageWindow { messages: messages.to_vec(), has_older: false };
        let old = [message(1, 1), message(2, 2)];
        let mut messages = [old.as_slice(), &[user_message(id(3), String::new())]].concat();
        merge(&mut messages, window(&old));
        assert_eq!(ids(&messages), [1, 2, 3].map(id), "it is on its way");
        messages.push(open_answer(&sent, None));
        merge(&mut messages, window(&old));
        assert_eq!(ids(&messages), [1, 2, 3, 4].map(id), "it is being answered");
        let new = [old.as_slice(), &[message(3, 3), message(4, 4)]].concat();
        merge(&mut messages, window(&new));
        assert_eq!(messages.iter().map(|message| message.depth).collect::<Vec<_>>(), [1, 2, 3, 4]);
        messages.extend([
            user_message(id(5), String::new()),
            Message { state: MessageState::Stopped, ..open_answer(&sent, None) },
        ]);
        merge(&mut messages, window(&new));
        assert_eq!(ids(&messages), [1, 2, 3, 4].map(id), "what has ended and is not there was set aside");
    }

    #[test]
    fn a_newer_window_keeps_what_is_older() {
        let ended = Message { author: Author::Assistant, ..at(i64::MAX) };
        let mut messages = vec![at(1), at(2), at(3), ended];
        merge(&mut messages, MessageWindow { messages: vec![at(3), at(4)], has_older: true });
        assert_eq!(messages.iter().map(|m| m.depth).collect::<Vec<_>>(), [1, 2, 3, 4]);
    }
}
