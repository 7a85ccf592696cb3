//! Chats, chat lists and the actions on chats.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{AppError, ChatId, MessageId, MessageWindow, RunId, Timestamp, limits, strip_invisible};

/// A chat in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatSummary {
    /// The chat's id.
    pub id: ChatId,
    /// The title.
    pub title: String,
    /// The beginning of the last message, as one line of plain text.
    pub preview: String,
    /// The id of the model that was used last.
    pub model: String,
    /// The time of the last activity.
    pub active_at: Timestamp,
    /// Whether it is pinned.
    pub pinned: bool,
    /// Whether it is archived.
    pub archived: bool,
    /// Whether an answer is queued or being generated.
    pub running: bool,
    /// Whether an answer ended while nobody was reading it, and the chat was not opened since.
    pub unread: bool,
}

/// Which chats to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatFilter {
    /// All chats that are not archived.
    #[default]
    All,
    /// Pinned chats that are not archived.
    Pinned,
    /// Archived chats.
    Archived,
}

/// The cursor of the next page of a list: the last row of the previous page.
/// It is a position in the user's own list and grants access to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatCursor {
    /// Whether the row is pinned; pinned chats come first.
    pub pinned: bool,
    /// The `active_at` of the row.
    pub active_at: Timestamp,
    /// The id of the row.
    pub id: ChatId,
}

impl fmt::Display for ChatCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", u8::from(self.pinned), self.active_at.micros(), self.id)
    }
}

impl FromStr for ChatCursor {
    type Err = AppError;

    fn from_str(text: &str) -> Result<Self, AppError> {
        let invalid = || AppError::invalid("cursor", reason!("cursor_unknown"));
        let (pinned, rest) = text.split_once('.').ok_or_else(invalid)?;
        let (micros, id) = rest.split_once('.').ok_or_else(invalid)?;
        Ok(Self {
            pinned: match pinned {
                "0" => false,
                "1" => true,
                _ => return Err(invalid()),
            },
            active_at: Timestamp::from_micros(micros.parse().map_err(|_| invalid())?),
            id: id.parse().map_err(|_| invalid())?,
        })
    }
}

/// One page of a list of chats: pinned ones first, then newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChatPage {
    /// The chats.
    pub chats: Vec<ChatSummary>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// The actions on chats in the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatAction {
    /// Pins chats to the top.
    Pin,
    /// Unpins chats.
    Unpin,
    /// Archives chats.
    Archive,
    /// Moves archived chats back to the list.
    Unarchive,
    /// Deletes chats; `Restore` undoes it for a while.
    Delete,
    /// Restores deleted chats.
    Restore,
}

/// A chat with the data for the first view of its page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    /// The chat's id.
    pub id: ChatId,
    /// The title.
    pub title: String,
    /// The id of the model that was used last.
    pub model: String,
    /// Whether it is archived.
    pub archived: bool,
    /// Whether it is pinned.
    pub pinned: bool,
    /// The newest messages.
    pub window: MessageWindow,
}

/// The run that was started by sending a message, retrying or continuing an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartedRun {
    /// The chat, which may be new.
    pub chat: ChatId,
    /// The sent message; for a retry the previous answer, for a continuation the answer itself.
    pub message: MessageId,
    /// The answer that the run writes.
    pub answer: MessageId,
    /// The run's id.
    pub run: RunId,
}

/// The title for a chat, from its first message: the first line that contains a letter or digit, truncated at a word
/// boundary. An ellipsis if nothing of the text is visible.
pub fn title_from(text: &str) -> String {
    const MAX_CHARS: usize = 60;
    let line = text.lines().map(str::trim).find(|line| line.chars().any(char::is_alphanumeric)).unwrap_or(text.trim());
    // Bounds the work for very long lines.
    let line = one_line(&line.chars().take(20 * MAX_CHARS).collect::<String>());
    let clean = line.trim_start_matches(['#', '>', '*', '-', '`', ' ']);
    let clean = if clean.is_empty() { line.as_str() } else { clean };
    if clean.chars().count() <= MAX_CHARS {
        return if clean.is_empty() { "…".to_owned() } else { clean.to_owned() };
    }
    // Removes a joiner that is left over where an emoji sequence was cut.
    let cut = strip_invisible(&clean.chars().take(MAX_CHARS).collect::<String>());
    let at = cut.rfind(' ').filter(|at| *at > cut.len() / 2).unwrap_or(cut.len());
    format!("{}…", cut[..at].trim_end_matches([' ', ',', ';', ':', '.']))
}

/// The preview of a plain text for the chat lists: the beginning of its text as one line of at most 140 characters.
pub fn message_preview(text: &str) -> String {
    let head: String = text.chars().take(600).collect();
    strip_invisible(&one_line(&head).chars().take(140).collect::<String>())
}

fn one_line(text: &str) -> String {
    let blanks: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    strip_invisible(&blanks).split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The title for a copy of a chat: with the number of the copy, like `Holidays (2)`.
pub fn title_of_copy(title: &str) -> String {
    let numbered = title.strip_suffix(')').and_then(|rest| rest.rsplit_once(" ("));
    let (name, number) = match numbered.map(|(name, number)| (name, number.parse::<u16>())) {
        Some((name, Ok(number))) => (name, number.saturating_add(1)),
        _ => (title, 2),
    };
    let suffix = format!(" ({number})");
    let cut: String = name.chars().take(limits::MAX_TITLE_CHARS - suffix.len()).collect();
    strip_invisible(cut.trim_end()) + &suffix
}

/// Validates a title and returns it as one line.
///
/// # Errors
/// `Invalid` on the field `title`.
pub fn parse_title(text: &str) -> Result<String, AppError> {
    if text.contains('\0') {
        return Err(AppError::invalid("title", reason!("title_nul")));
    }
    // Whitespace and invisible characters do not count, but a text with far too many of them is not processed.
    let is_far_too_long = text.chars().nth(10 * limits::MAX_TITLE_CHARS).is_some();
    let title = if is_far_too_long { String::new() } else { one_line(text) };
    if title.is_empty() && !is_far_too_long {
        return Err(AppError::invalid("title", reason!("title_missing")));
    }
    if is_far_too_long || title.chars().count() > limits::MAX_TITLE_CHARS {
        return Err(AppError::invalid("title", reason!("title_too_long", most = limits::MAX_TITLE_CHARS)));
    }
    Ok(title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_a_number_and_a_valid_title() {
        assert_eq!(title_of_copy("Holidays"), "Holidays (2)");
        assert_eq!(title_of_copy("Holidays (9)"), "Holidays (10)");
        assert_eq!(title_of_copy("Holidays (2025/26)"), "Holidays (2025/26) (2)");
        assert_eq!(title_of_copy("Holidays (65535)"), "Holidays (65535)");
        let long = title_of_copy(&"é ".repeat(60));
        assert_eq!(parse_title(&long), Ok(long.clone()));
        assert!(long.ends_with("é (2)"), "{long}");
    }

    #[test]
    fn the_title_is_the_first_line_with_letters_or_digits() {
        assert_eq!(title_from("\n\n## Plan my week\nplease"), "Plan my week");
        assert_eq!(title_from("   "), "…");
        assert_eq!(title_from("می\u{200C}خواهم\u{200C} بدانم"), "می\u{200C}خواهم بدانم");
        assert_eq!(title_from("Pay\u{200C}Pal\u{200D} 👩\u{200D}🚀"), "PayPal 👩\u{200D}🚀");
        assert_eq!(title_from(&"👩\u{200D}🚀".repeat(40)).trim_end_matches('…').chars().last(), Some('🚀'));
        assert_eq!(title_from("?!"), "?!");
        let long = title_from(&"word ".repeat(40));
        assert!(long.ends_with("word…") && long.chars().count() <= 61, "{long}");
        assert_eq!(title_from(&"x".repeat(200)).chars().count(), 61);
    }

    #[test]
    fn cursors_round_trip_and_other_texts_are_rejected() {
        let cursor = ChatCursor {
            pinned: true,
            active_at: Timestamp::from_micros(17),
            id: "0190e2a4-7b1c-7def-8123-456789abcdef".parse().expect("an id"),
        };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for bad in [
            "",
            ".",
            "1",
            "x.y",
            "1.0190e2a4",
            "2.1.0190e2a4-7b1c-7def-8123-456789abcdef",
            "1.99999999999999999999.0190e2a4-7b1c-7def-8123-456789abcdef",
            "1.'; drop table chats",
        ] {
            assert!(bad.parse::<ChatCursor>().is_err(), "{bad}");
        }
    }

    #[test]
    fn row_6_titles_contain_no_nul_and_no_line_breaks() {
        assert_eq!(parse_title(" a\n b "), Ok("a b".into()));
        assert_eq!(parse_title("a\0").unwrap_err().field(), Some("title"));
        assert!(parse_title(&"x".repeat(121)).is_err());
    }
}
