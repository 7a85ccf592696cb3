//! The frame around every page of a signed-in user.

use serde::{Deserialize, Serialize};

use super::{ChatPage, ClockChange, CurrentUser, ModelChoice, Timestamp};

/// The content of the frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The signed-in user.
    pub user: CurrentUser,
    /// The newest chats, without previews.
    pub chats: ChatPage,
    /// The available models.
    pub models: ModelChoice,
    /// Whether the sidebar is folded (cookie `sidebar=folded`, set by the browser).
    pub sidebar_folded: bool,
    /// Whether its group of pinned chats is folded.
    pub pinned_folded: bool,
    /// The server's time, so that server and browser render the same relative times.
    pub now: Timestamp,
    /// The reader's current UTC offset in minutes (cookie `tz`, set by the browser; 0 if unknown).
    pub utc_offset_minutes: i32,
    /// Past and future changes of the offset, oldest first, so that each time is shown with the offset that applied
    /// then.
    pub clock_changes: Vec<ClockChange>,
    /// When the user's second factors will be removed, if they were reported as lost.
    pub factor_removal: Option<Timestamp>,
    /// When the user's account will be deleted, if that was requested.
    pub deletion: Option<Timestamp>,
    /// Whether the user must add a second factor first. Then `chats` is empty.
    pub must_enrol: bool,
    /// The tag of the user's language.
    pub language: String,
    /// Whether the user chose a time zone, which takes precedence over the browser's.
    pub time_zone_chosen: bool,
    /// Whether the user is an administrator who has not verified their e-mail address, although they could.
    pub address_unverified: bool,
    /// The version of the user's picture; 0 if there is none.
    pub picture: i64,
}
