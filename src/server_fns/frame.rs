//! What stands around every page of a person who is signed in.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, ChatPage, ClockChange, CurrentUser, ModelChoice, Timestamp};

/// The frame's content, read in one go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The person.
    pub user: CurrentUser,
    /// The newest chats, without what was last said in them.
    pub chats: ChatPage,
    /// The models that can be asked.
    pub models: ModelChoice,
    /// Whether the sidebar is folded away (cookie `sidebar=folded`, written by the browser).
    pub sidebar_folded: bool,
    /// The server's clock, so that both sides render the same relative times.
    pub now: Timestamp,
    /// Minutes to add to UTC now for the reader's clock (cookie `tz`, written by the browser; 0 where unknown).
    pub utc_offset_minutes: i32,
    /// How that changed and will change, oldest first, so that every moment is told by the clock of its own time.
    pub clock_changes: Vec<ClockChange>,
    /// When the person's second factors are removed, if an administrator was told that they are lost.
    pub factor_removal: Option<Timestamp>,
    /// When the person's account is deleted, if that was asked for.
    pub deletion: Option<Timestamp>,
    /// Whether the person must add a second factor before anything else. Then there are no chats here.
    pub must_enrol: bool,
    /// The tag of the language that the person reads.
    pub language: String,
    /// Whether the person chose a time zone, which goes before the browser's.
    pub time_zone_chosen: bool,
    /// The version of the person's picture; 0 where there is none.
    pub picture: i64,
}

endpoint!(LoadFrame, Unenrolled);

/// The frame for the caller; `Unauthenticated` for a stranger.
#[server(prefix = "/api", endpoint = "load_frame")]
pub async fn load_frame() -> Result<Frame, AppError> {
    use leptos_router::location::Url;

    use crate::server::profile::ReaderTimeZone;

    let context = RequestContext::of::<LoadFrame>().await?;
    let caller = context.caller()?;
    let factor_removal = context.to_app_error(context.state.people.find_factor_removal(caller).await)?;
    let deletion = context.to_app_error(context.state.privacy.find_deletion(caller).await)?;
    let user = caller.user.clone();
    let must_enrol = context.must_enrol();
    let chats = if must_enrol {
        ChatPage { chats: Vec::new(), next: None }
    } else {
        context.to_app_error(context.state.chats.list(user.id, crate::domain::ChatFilter::All, "", None).await)?
    };
    // The sidebar shows titles. What was last said in fifty chats need not travel with every page.
    let slim = |chat| crate::domain::ChatSummary { last_words: String::new(), model: String::new(), ..chat };
    let chats = ChatPage { chats: chats.chats.into_iter().map(slim).collect(), next: chats.next };
    let profile = context.to_app_error(context.state.profiles.chosen(user.id).await)?;
    let now = context.state.clock.now();
    let chosen = profile.zone();
    let time_zone_chosen = chosen.is_some();
    let zone = chosen.or_else(|| ReaderTimeZone::named(&Url::unescape(context.cookie("tz")?))).unwrap_or_default();
    Ok(Frame {
        language: context.language().tag().to_owned(),
        time_zone_chosen,
        picture: profile.picture,
        chats,
        must_enrol,
        models: context.state.chats.models().list().await,
        sidebar_folded: context.cookie("sidebar") == Some("folded"),
        now,
        utc_offset_minutes: zone.offset_minutes(now),
        clock_changes: zone.changes(now),
        factor_removal,
        deletion,
        user,
    })
}
