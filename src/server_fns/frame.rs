//! The frame around every page of a signed-in user.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, ChatPage, ClockChange, CurrentUser, ModelChoice, Timestamp};

/// The content of the frame, loaded with one call.
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
    /// The version of the user's picture; 0 if there is none.
    pub picture: i64,
}

endpoint!(LoadFrame, BeforeEnrolment);

/// Returns the frame for the caller; `Unauthenticated` if no user is signed in.
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
    // The sidebar shows titles only. Previews of fifty chats would be sent with every page.
    let slim = |chat| crate::domain::ChatSummary { preview: String::new(), model: String::new(), ..chat };
    let chats = ChatPage { chats: chats.chats.into_iter().map(slim).collect(), next: chats.next };
    let profile = context.to_app_error(context.state.profiles.preferences(user.id).await)?;
    let now = context.state.clock.now();
    let chosen = profile.zone();
    let time_zone_chosen = chosen.is_some();
    let zone = chosen.or_else(|| ReaderTimeZone::from_name(&Url::unescape(context.cookie("tz")?))).unwrap_or_default();
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
