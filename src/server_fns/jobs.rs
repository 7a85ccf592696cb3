//! Jobs in the background, for administrators.

use leptos::prelude::*;
use server_fn::codec::Json;
use uuid::Uuid;

use crate::domain::{AppError, JobAction, JobKind, Jobs};

/// What waits, runs and failed.
#[server(prefix = "/api", endpoint = "list_jobs", input = Json)]
pub async fn list_jobs() -> Result<Jobs, AppError> {
    let door = super::door::Door::open()?;
    let (caller, meta) = (door.administrator().await?, door.meta());
    let by = crate::server::people::Actor::administrator(&caller, &meta);
    door.answer(door.state.people.list_jobs(&by).await)
}

/// Has a job tried again now, or not any more. The kind and the subject name it; the subject of a schedule is nil.
#[server(prefix = "/api", endpoint = "change_job")]
pub async fn change_job(kind: JobKind, subject: Uuid, action: JobAction) -> Result<JobAction, AppError> {
    let door = super::door::Door::open()?;
    let (caller, meta) = (door.administrator().await?, door.meta());
    let by = crate::server::people::Actor::administrator(&caller, &meta);
    door.answer(door.state.people.change_job(&by, kind, subject, action).await)?;
    door.lead_to(match action {
        JobAction::TryAgain => "/jobs?done=again",
        JobAction::GiveUp => "/jobs?done=given-up",
    });
    Ok(action)
}
