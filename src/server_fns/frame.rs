//! What stands around every page of a person who is signed in.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::domain::{AppError, ChatPage, CurrentUser, Language, ModelChoice, Timestamp};

/// The frame's content, read in one go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The person.
    pub user: CurrentUser,
    /// The newest chats.
    pub chats: ChatPage,
    /// The models that can be asked.
    pub models: ModelChoice,
    /// Whether the sidebar is folded away (cookie `sidebar=folded`, written by the browser).
    pub sidebar_folded: bool,
    /// The server's clock, so that both sides render the same relative times.
    pub now: Timestamp,
    /// Minutes to add to UTC for the reader's clock (cookie `tz`, written by the browser; 0 where unknown).
    pub utc_offset_minutes: i32,
    /// How dates and times are written.
    pub language: Language,
}

/// The frame for the caller; `Unauthenticated` for a stranger.
#[server(prefix = "/api", endpoint = "load_frame")]
pub async fn load_frame() -> Result<Frame, AppError> {
    let door = super::door::Door::open()?;
    let user = door.caller()?.user;
    let listed = door.state.chats.list(user.id, crate::domain::ChatFilter::All, "", None).await;
    let language = door.answer(door.state.accounts.language(user.id).await)?;
    Ok(Frame {
        language,
        chats: door.answer(listed)?,
        models: door.state.chats.models().list().await,
        sidebar_folded: door.cookie("sidebar") == Some("folded"),
        now: door.state.clock.now(),
        utc_offset_minutes: door
            .cookie("tz")
            .and_then(|tz| tz.parse().ok())
            .filter(|tz| (-840..=840).contains(tz))
            .unwrap_or(0),
        user,
    })
}
