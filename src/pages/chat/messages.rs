//! Updates of the messages of an open chat.

use crate::{
    components::browser,
    domain::{
        AnswerStats, Author, Chat, Message, MessageId, MessageState, MessageWindow, Phase, RunId, StartedRun,
        Timestamp, title_from,
    },
};

/// Depths from here on mark messages whose depth the server has not sent yet.
const PROVISIONAL_DEPTH: i64 = i64::MAX - 1;

/// Merges the newest window into the messages. Older messages stay if the window follows them, and so do messages sent
/// after the window was requested. If no older ones stay, returns whether there are some to load.
pub fn merge_window(messages: &mut Vec<Message>, window: MessageWindow) -> Option<bool> {
    let (first, before) = window.messages.first().map(|message| (message.depth, message.parent))?;
    let is_newer = |message: &Message| {
        message.depth >= PROVISIONAL_DEPTH && window.messages.iter().all(|known| known.id != message.id)
    };
    // A finished answer is part of a newer window, unless it was replaced in another tab.
    let keeps_sent =
        messages.last().is_some_and(|last| is_newer(last) && (last.author == Author::User || last.state.is_open()));
    let sent: Vec<_> = messages.iter().filter(|message| keeps_sent && is_newer(message)).cloned().collect();
    messages.retain(|message| message.depth < first);
    // Another version may have been chosen of a message before the window.
    if messages.last().map(|last| last.id) != before {
        messages.clear();
    }
    let has_older = messages.is_empty().then_some(window.has_older);
    messages.extend(window.messages);
    messages.extend(sent);
    has_older
}

/// Sets the id of a sent message and adds its open answer; removes the message if it was not accepted.
pub fn confirm_sent(
    messages: &mut Vec<Message>,
    provisional: MessageId,
    sent: Option<&StartedRun>,
    model: Option<String>,
) {
    // A message that was delivered by an earlier attempt may have been loaded in the meantime.
    let Some(sent) = sent.filter(|sent| messages.iter().all(|message| message.id != sent.message)) else {
        messages.retain(|message| message.id != provisional);
        return;
    };
    let mut depth = PROVISIONAL_DEPTH;
    if let Some(at) = messages.iter().position(|message| message.id == provisional) {
        depth = depth_after(&messages[..at]);
        (messages[at].id, messages[at].depth) = (sent.message, depth);
    }
    messages.push(Message { depth: depth + 1, ..open_answer(sent, model) });
}

/// The depth of a message after these. If that of the last one is provisional, so is this one.
fn depth_after(messages: &[Message]) -> i64 {
    messages.last().map_or(0, |last| (last.depth + 1).min(PROVISIONAL_DEPTH))
}

/// Replaces an edited message and all that follows it by the new version and its open answer.
pub fn replace_edited(
    messages: &mut Vec<Message>,
    edited: MessageId,
    sent: &StartedRun,
    text: String,
    model: Option<String>,
) {
    // It was replaced before if it was saved twice.
    let Some(at) = messages.iter().position(|message| message.id == edited) else { return };
    messages.truncate(at);
    let depth = depth_after(messages);
    let question = Message { depth, ..user_message(sent.message, text) };
    messages.extend([question, Message { depth: depth + 1, ..open_answer(sent, model) }]);
}

/// A message of the user that the server has not confirmed yet, or whose depth it did not send.
pub fn user_message(id: MessageId, text: String) -> Message {
    Message {
        id,
        parent: None,
        depth: PROVISIONAL_DEPTH,
        author: Author::User,
        state: MessageState::Complete,
        text,
        html: String::new(),
        reasoning_html: String::new(),
        model: None,
        truncated_messages: 0,
        stats: AnswerStats::default(),
        versions: None,
        created_at: now(),
    }
}

/// A new open answer by the model with this name.
pub fn open_answer(sent: &StartedRun, model: Option<String>) -> Message {
    Message {
        parent: Some(sent.message),
        depth: i64::MAX,
        author: Author::Assistant,
        state: queued_state(sent.run),
        model,
        ..user_message(sent.answer, String::new())
    }
}

/// The state of an answer whose run was just queued.
pub const fn queued_state(run: RunId) -> MessageState {
    MessageState::Open { run, phase: Phase::Waiting { position: None } }
}

#[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
fn now() -> Timestamp {
    Timestamp::from_micros(0).plus_millis(browser::now_millis() as i64)
}

/// A chat that was just created by its first message. `label` is the display name of the model.
pub fn new_chat(sent: &StartedRun, text: String, model: String, label: Option<String>) -> Chat {
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

/// The run and the phase of an open answer; `None` for other messages.
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
    fn a_message_delivered_by_an_earlier_attempt_is_listed_once() {
        let id = |n: u128| MessageId::from_uuid(uuid::Uuid::from_u128(n));
        let message = |n: u128| user_message(id(n), String::new());
        let sent = StartedRun {
            chat: ChatId::from_uuid(uuid::Uuid::from_u128(9)),
            message: id(1),
            answer: id(2),
            run: RunId::from_uuid(uuid::Uuid::from_u128(3)),
        };
        let ids = |messages: &[Message]| messages.iter().map(|message| message.id).collect::<Vec<_>>();
        let mut messages = vec![message(7)];
        confirm_sent(&mut messages, id(7), Some(&sent), None);
        assert_eq!(ids(&messages), [id(1), id(2)]);
        messages.push(message(7));
        confirm_sent(&mut messages, id(7), Some(&sent), None);
        assert_eq!(ids(&messages), [id(1), id(2)]);
        messages.push(message(7));
        confirm_sent(&mut messages, id(7), None, None);
        assert_eq!(ids(&messages), [id(1), id(2)]);
    }

    #[test]
    fn an_edited_message_is_replaced_once_with_what_follows_it() {
        let id = |n: u128| MessageId::from_uuid(uuid::Uuid::from_u128(n));
        let message = |n: u128| user_message(id(n), String::new());
        let sent = StartedRun {
            chat: ChatId::from_uuid(uuid::Uuid::from_u128(9)),
            message: id(5),
            answer: id(6),
            run: RunId::from_uuid(uuid::Uuid::from_u128(7)),
        };
        let mut messages = vec![message(1), message(2), message(3), message(4)];
        for _ in 0..2 {
            replace_edited(&mut messages, id(3), &sent, "edited".to_owned(), None);
            assert_eq!(messages.iter().map(|message| message.id).collect::<Vec<_>>(), [1, 2, 5, 6].map(id));
        }
        assert!(messages[2].text == "edited" && messages[3].state.is_open());
    }

    #[test]
    fn a_window_requested_before_a_message_was_sent_does_not_remove_it() {
        let id = |n: u128| MessageId::from_uuid(uuid::Uuid::from_u128(n));
        let message = |n: u128, depth| Message { depth, ..user_message(id(n), String::new()) };
        let sent = StartedRun {
            chat: ChatId::from_uuid(uuid::Uuid::from_u128(9)),
            message: id(3),
            answer: id(4),
            run: RunId::from_uuid(uuid::Uuid::from_u128(5)),
        };
        let ids = |messages: &[Message]| messages.iter().map(|message| message.id).collect::<Vec<_>>();
        let window = |messages: &[Message]| MessageWindow { messages: messages.to_vec(), has_older: false };
        let old = [message(1, 1), message(2, 2)];
        let mut messages = [old.as_slice(), &[user_message(id(3), String::new())]].concat();
        merge_window(&mut messages, window(&old));
        assert_eq!(ids(&messages), [1, 2, 3].map(id), "the message is being sent");
        messages.push(open_answer(&sent, None));
        merge_window(&mut messages, window(&old));
        assert_eq!(ids(&messages), [1, 2, 3, 4].map(id), "the message is being answered");
        let new = [old.as_slice(), &[message(3, 3), message(4, 4)]].concat();
        merge_window(&mut messages, window(&new));
        assert_eq!(messages.iter().map(|message| message.depth).collect::<Vec<_>>(), [1, 2, 3, 4]);
        messages.extend([
            user_message(id(5), String::new()),
            Message { state: MessageState::Stopped, ..open_answer(&sent, None) },
        ]);
        merge_window(&mut messages, window(&new));
        assert_eq!(ids(&messages), [1, 2, 3, 4].map(id), "finished answers that are not in the window were replaced");
    }

    #[test]
    fn a_newer_window_keeps_the_older_messages_that_it_follows() {
        let ended = Message { author: Author::Assistant, ..at(i64::MAX) };
        let all = vec![at(1), at(2), at(3), ended];
        let after = |parent| vec![Message { parent, ..at(3) }, at(4)];
        let depths = |messages: &[Message]| messages.iter().map(|message| message.depth).collect::<Vec<_>>();
        let mut messages = all.clone();
        let merged = merge_window(&mut messages, MessageWindow { messages: after(Some(all[1].id)), has_older: true });
        assert_eq!((depths(&messages), merged), (vec![1, 2, 3, 4], None));
        let other = MessageId::from_uuid(uuid::Uuid::from_u128(7));
        let merged = merge_window(&mut messages, MessageWindow { messages: after(Some(other)), has_older: true });
        assert_eq!((depths(&messages), merged), (vec![3, 4], Some(true)), "on another path");
    }
}
