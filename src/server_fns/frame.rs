//! The frame around every page of a signed-in user.

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, Frame};

endpoint!(LoadFrame, BeforeEnrolment);

/// Returns the frame for the caller; `Unauthenticated` if no user is signed in.
#[server(prefix = "/api", endpoint = "load_frame")]
pub async fn load_frame() -> Result<Frame, AppError> {
    let context = RequestContext::of::<LoadFrame>().await?;
    let time_zone = context.cookie("tz").map(leptos_router::location::Url::unescape);
    let browser = crate::server::page_data::BrowserState {
        time_zone: time_zone.unwrap_or_default(),
        sidebar_folded: context.cookie("sidebar") == Some("folded"),
        pinned_folded: context.cookie("pinned") == Some("folded"),
    };
    let frame = context.state.page_data.load_frame(context.caller()?, context.language(), browser).await;
    context.to_app_error(frame)
}
