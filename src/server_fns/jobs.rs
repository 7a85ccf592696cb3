//! Background jobs, for administrators.

use leptos::prelude::*;
use server_fn::codec::Json;
use uuid::Uuid;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, JobAction, JobKind, Jobs};

endpoint!(ListJobs, Administrator);

/// Returns the waiting, running and failed jobs.
#[server(prefix = "/api", endpoint = "list_jobs", input = Json)]
pub async fn list_jobs() -> Result<Jobs, AppError> {
    let context = RequestContext::of::<ListJobs>().await?;
    let actor = context.actor()?;
    context.to_app_error(context.state.people.list_jobs(&actor).await)
}

endpoint!(ChangeJob, Administrator);

/// Retries a job now, or gives it up. It is identified by its kind and subject; the subject of a schedule is the nil
/// UUID.
#[server(prefix = "/api", endpoint = "change_job")]
pub async fn change_job(kind: JobKind, subject: Uuid, action: JobAction) -> Result<JobAction, AppError> {
    let context = RequestContext::of::<ChangeJob>().await?;
    let actor = context.actor()?;
    context.to_app_error(context.state.people.change_job(&actor, kind, subject, action).await)?;
    context.redirect_plain_form(match action {
        JobAction::Retry => "/jobs?done=again",
        JobAction::GiveUp => "/jobs?done=given-up",
    });
    Ok(action)
}
