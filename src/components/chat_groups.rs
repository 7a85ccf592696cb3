use super::ReaderClock;
use crate::domain::ChatSummary;

/// Chats under one heading of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatGroup {
    /// The heading.
    pub heading: String,
    /// The chats, in the order of the list.
    pub chats: Vec<ChatSummary>,
}

/// Puts chats under headings: pinned ones first, then by day. Keeps their order.
pub fn group_chats(chats: &[ChatSummary], clock: ReaderClock) -> Vec<ChatGroup> {
    let mut groups: Vec<ChatGroup> = Vec::new();
    for chat in chats {
        let heading = if chat.pinned { "Pinned".to_owned() } else { clock.group(chat.active_at) };
        match groups.iter_mut().find(|group| group.heading == heading) {
            Some(group) => group.chats.push(chat.clone()),
            None => groups.push(ChatGroup { heading, chats: vec![chat.clone()] }),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn chat(days_ago: i64, pinned: bool) -> ChatSummary {
        ChatSummary {
            id: "0190e2a4-7b1c-7def-8123-456789abcdef".parse().expect("an id"),
            title: days_ago.to_string(),
            last_words: String::new(),
            model: String::new(),
            active_at: Timestamp::from_micros(1_795_262_400_000_000).plus_seconds(-days_ago * 86_400),
            pinned,
            archived: false,
            running: false,
        }
    }

    #[test]
    fn pinned_chats_stand_above_the_days() {
        let clock = ReaderClock { now: Timestamp::from_micros(1_795_262_400_000_000), utc_offset_minutes: 0 };
        let groups = group_chats(&[chat(3, true), chat(0, false), chat(0, false), chat(1, false)], clock);
        let told: Vec<_> = groups.iter().map(|group| (group.heading.as_str(), group.chats.len())).collect();
        assert_eq!(told, [("Pinned", 1), ("Today", 2), ("Yesterday", 1)]);
    }
}
