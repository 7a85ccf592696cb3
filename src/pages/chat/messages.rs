//! The messages of an open chat, as they change while it is open.

use crate::{
    components::browser,
    domain::{
        Author, Chat, Message, MessageId, MessageState, MessageWindow, Phase, RunId, Sent, Timestamp, title_from,
    },
};

/// Depths from here on are those of messages whose place the server has not told.
const PROVISIONAL: i64 = i64::MAX - 1;

/// The newest window over what is there: messages before it stay, and so does what was sent after the window was asked for.
pub fn merge(messages: &mut Vec<Message>, window: MessageWindow) {
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
pub fn confirm(messages: &mut Vec<Message>, provisional: MessageId, sent: Option<&Sent>, model: Option<String>) {
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

/// The state of an answer whose run has just been queued.
pub const fn open_state(run: RunId) -> MessageState {
    MessageState::Open { run, phase: Phase::Waiting { place: None } }
}

#[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
fn now() -> Timestamp {
    Timestamp::from_micros(0).plus_millis(browser::now_millis() as i64)
}

/// A chat that was just made by its first message. `label` is the name of its model.
pub fn new_chat(sent: &Sent, text: String, model: String, label: Option<String>) -> Chat {
    Chat {
        id: sent.chat,
        title: title_from(&text),
        model,
        archived: false,
        pinned: false,
        window: MessageWindow {
            messages: vec![user_message(sent.message, text), open_answer(sent, label)],
            has_older: false,
        },
    }
}

/// The run and the phase of an open message.
pub fn open_run(message: &Message) -> Option<(RunId, Phase)> {
    match message.state {
        MessageState::Open { run, phase } => Some((run, phase)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ChatId;

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
