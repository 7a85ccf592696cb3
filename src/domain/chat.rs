//! Chats, their list, and what can be done with them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{AppError, ChatId, MessageId, MessageWindow, RunId, Timestamp, limits, visible};

/// A chat as the lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatSummary {
    /// Which.
    pub id: ChatId,
    /// Its title.
    pub title: String,
    /// The beginning of the last message, as plain text on one line.
    pub last_words: String,
    /// The id of the model that was asked last.
    pub model: String,
    /// When something was last said.
    pub active_at: Timestamp,
    /// Kept at the top.
    pub pinned: bool,
    /// Put away.
    pub archived: bool,
    /// An answer is being written.
    pub running: bool,
}

/// Which chats to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatFilter {
    /// All that are not archived.
    #[default]
    All,
    /// Pinned and not archived.
    Pinned,
    /// Archived.
    Archived,
}

/// Where the next page of a list begins: after the row with this time and id.
/// It names a place in the asker's own list and gives access to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatCursor {
    /// Whether the last row of the page before was pinned; pinned chats come first.
    pub pinned: bool,
    /// Its `active_at`.
    pub active_at: Timestamp,
    /// Its id.
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
    /// The cursor of the next page, where there is one.
    pub next: Option<String>,
}

/// What can be done with chats from the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatAction {
    /// Keep at the top.
    Pin,
    /// No longer.
    Unpin,
    /// Put away.
    Archive,
    /// Bring back.
    Unarchive,
    /// Delete; `Restore` undoes it for a while.
    Delete,
    /// Undo a deletion.
    Restore,
}

/// An open chat: what the chat page needs for its first view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    /// Which.
    pub id: ChatId,
    /// Its title.
    pub title: String,
    /// The id of the model that was asked last.
    pub model: String,
    /// Put away.
    pub archived: bool,
    /// Kept at the top.
    pub pinned: bool,
    /// The newest messages.
    pub window: MessageWindow,
}

/// The answer to sending, retrying or continuing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The chat, which may be new.
    pub chat: ChatId,
    /// The message that was written into the chat, or the one before the answer.
    pub message: MessageId,
    /// The answer that will be written.
    pub answer: MessageId,
    /// The run that writes it.
    pub run: RunId,
}

/// The title that a chat gets from its first message: its first line with words, cut at a word. Of a text
/// that cannot be seen, it is an ellipsis.
pub fn title_from(text: &str) -> String {
    const LONGEST: usize = 60;
    let line = text.lines().map(str::trim).find(|line| line.chars().any(char::is_alphanumeric)).unwrap_or(text.trim());
    // As much of it as a title can come from.
    let words = one_line(&line.chars().take(20 * LONGEST).collect::<String>());
    let clean = words.trim_start_matches(['#', '>', '*', '-', '`', ' ']);
    let clean = if clean.is_empty() { words.as_str() } else { clean };
    if clean.chars().count() <= LONGEST {
        return if clean.is_empty() { "…".to_owned() } else { clean.to_owned() };
    }
    // Where a picture is cut, what would have joined its parts is nothing.
    let cut = visible(&clean.chars().take(LONGEST).collect::<String>());
    let at = cut.rfind(' ').filter(|at| *at > cut.len() / 2).unwrap_or(cut.len());
    format!("{}…", cut[..at].trim_end_matches([' ', ',', ';', ':', '.']))
}

/// The beginning of a text as one plain line of at most 140 characters.
pub fn last_words(text: &str) -> String {
    let head: String = text.chars().take(600).collect();
    visible(&one_line(&head).chars().take(140).collect::<String>())
}

fn one_line(text: &str) -> String {
    let blanks: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    visible(&blanks).split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Checks a title and returns it on one line.
///
/// # Errors
/// `Invalid` on the field `title`.
pub fn parse_title(text: &str) -> Result<String, AppError> {
    if text.contains('\0') {
        return Err(AppError::invalid("title", reason!("title_nul")));
    }
    // Blanks and what cannot be seen do not count, but nobody writes ten times as many of them as letters.
    let is_endless = text.chars().nth(10 * limits::TITLE_CHARS).is_some();
    let title = if is_endless { String::new() } else { one_line(text) };
    if title.is_empty() && !is_endless {
        return Err(AppError::invalid("title", reason!("title_missing")));
    }
    if is_endless || title.chars().count() > limits::TITLE_CHARS {
        return Err(AppError::invalid("title", reason!("title_too_long", most = limits::TITLE_CHARS)));
    }
    Ok(title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_come_from_the_first_line_with_words() {
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
    fn cursors_survive_the_round_trip_and_nothing_else_is_one() {
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
    fn row_6_titles_hold_no_nul_and_no_line_breaks() {
        assert_eq!(parse_title(" a\n b "), Ok("a b".into()));
        assert_eq!(parse_title("a\0").unwrap_err().field(), Some("title"));
        assert!(parse_title(&"x".repeat(121)).is_err());
    }
}
