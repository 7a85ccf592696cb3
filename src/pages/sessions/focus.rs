//! Where the focus goes when the row that has it disappears.

use leptos::prelude::*;

use crate::{
    components::browser,
    domain::{ChatId, ChatSummary},
};

/// The row that takes the place of a chat after a change: its own, if it is still there, otherwise the next one that
/// is, otherwise the last one before it.
pub fn neighbour(before: &[ChatSummary], after: &[ChatSummary], chat: ChatId) -> Option<ChatId> {
    let place = before.iter().position(|other| other.id == chat)?;
    let is_left = |other: &&ChatSummary| after.iter().any(|left| left.id == other.id);
    let next = before[place..].iter().find(is_left);
    next.or_else(|| before[..place].iter().rfind(is_left)).map(|chat| chat.id)
}

/// Focuses the row of a chat, or the search if there is none, unless something else has the focus.
pub fn focus_row(chat: Option<ChatId>) {
    request_animation_frame(move || {
        if browser::is_focus_lost() {
            browser::focus_first(&match chat {
                Some(chat) => format!(".session-link[href='/chats/{chat}']"),
                None => ".search > input".to_owned(),
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn chat(last: u8) -> ChatSummary {
        ChatSummary {
            id: format!("0190e2a4-7b1c-7def-8123-4567890000{last:02x}").parse().expect("an id"),
            title: String::new(),
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
    fn the_neighbour_is_below_or_else_above() {
        let before = [chat(1), chat(2), chat(3), chat(4)];
        let neighbour_of = |last, after: &[u8]| {
            let after: Vec<_> = after.iter().map(|last| chat(*last)).collect();
            neighbour(&before, &after, chat(last).id)
        };
        assert_eq!(neighbour_of(2, &[1, 3, 4]), Some(chat(3).id));
        assert_eq!(neighbour_of(2, &[1, 4]), Some(chat(4).id));
        assert_eq!(neighbour_of(4, &[1, 2]), Some(chat(2).id));
        // It moved, as pinned chats do.
        assert_eq!(neighbour_of(3, &[3, 1, 2, 4]), Some(chat(3).id));
        assert_eq!(neighbour_of(1, &[]), None);
        assert_eq!(neighbour_of(9, &[1]), None);
    }
}
