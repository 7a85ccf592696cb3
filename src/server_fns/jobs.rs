//! Jobs in the background, for administrators.

use leptos::prelude::*;
use server_fn::codec::Json;
use uuid::Uuid;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, JobAction, JobKind, Jobs};

endpoint!(ListJobs, Administrator);

/// What waits, runs and failed.
#[server(prefix = "/api", endpoint = "list_jobs", input = Json)]
pub async fn list_jobs() -> Result<Jobs, AppError> {
    let context = RequestContext::of::<ListJobs>().await?;
    let by = context.actor()?;
    context.to_app_error(context.state.people.list_jobs(&by).await)
}

endpoint!(ChangeJob, Administrator);

/// Has a job tried again now, or not any more. The kind and the subject name it; the subject of a schedule is nil.
#[server(prefix = "/api", endpoint = "change_job")]
pub async fn change_job(kind: JobKind, subject: Uuid, action: JobAction) -> Result<JobAction, AppError> {
    let context = RequestContext::of::<ChangeJob>().await?;
    let by = context.actor()?;
    context.to_app_error(context.state.people.change_job(&by, kind, subject, action).await)?;
    context.lead_to(match action {
        JobAction::TryAgain => "/jobs?done=again",
        JobAction::GiveUp => "/jobs?done=given-up",
    });
    Ok(action)
}
