//! Background jobs on the command line.

use std::{error::Error, io::Write};

use clap::{Args, Subcommand};
use uuid::Uuid;

use super::{format_time, open_existing, table, to_cli_error};
use crate::{
    domain::{AppError, Job, JobAction, JobKind, JobState, limits},
    server::{
        audit::RequestMeta,
        config::Config,
        fault::Fault,
        people::{Actor, Administration},
    },
};

/// Lists jobs, or changes one.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct JobsCommand {
    /// Only failed jobs
    #[arg(long)]
    pub failed: bool,
    /// What to do with a job
    #[command(subcommand)]
    pub action: Option<JobsAction>,
}

/// The actions on a job.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum JobsAction {
    /// Run a failed job now
    TryAgain {
        /// The kind, as listed, such as send_mail
        #[arg(value_parser = parse_kind)]
        kind: JobKind,
        /// The subject, as listed
        #[arg(value_parser = parse_subject)]
        subject: Uuid,
    },
    /// Give up a failed job: an email is not sent, a data export must be requested again
    GiveUp {
        /// The kind, as listed: send_mail or build_export
        #[arg(value_parser = parse_kind)]
        kind: JobKind,
        /// The subject, as listed
        #[arg(value_parser = parse_subject)]
        subject: Uuid,
    },
}

fn parse_kind(text: &str) -> Result<JobKind, String> {
    text.parse().map_err(|_| format!("use one of {}", JobKind::ALL.map(JobKind::as_str).join(", ")))
}

fn parse_subject(text: &str) -> Result<Uuid, String> {
    Uuid::try_parse(text).map_err(|_| "use it as listed by `colloquy jobs`".to_owned())
}

/// Lists the jobs, or changes one.
///
/// # Errors
/// One sentence for the operator.
pub fn run_jobs(command: &JobsCommand, config: &Config, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (store, people) = open_existing(config).await?;
        let done = match command.action {
            None => list(&people, command.failed, out).await,
            Some(action) => change(&people, action, out).await,
        };
        store.close().await;
        done
    })
}

async fn list(people: &Administration, only_failed: bool, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let meta = RequestMeta::command_line();
    let jobs = people.list_jobs(&Actor::operator(&meta)).await.map_err(to_cli_error)?;
    let mut rows = vec![["KIND", "SUBJECT", "ABOUT", "STATE", "AT", "ATTEMPTS", "DONE", "ERROR"].map(str::to_owned)];
    rows.extend(jobs.jobs.iter().filter(|job| !only_failed || job.state == JobState::Failed).map(row));
    if rows.len() == 1 {
        writeln!(out, "{}", if only_failed { "No failed jobs." } else { "No waiting or failed jobs." })?;
        return Ok(());
    }
    table(&rows, out)?;
    let counts = JobState::ALL.map(|state| format!("{} {}", jobs.count(state), state.as_str()));
    writeln!(out, "{}.", counts.join(", "))?;
    if jobs.is_truncated() {
        writeln!(out, "Only the first {} are listed, failed ones first.", limits::MAX_LISTED_JOBS)?;
    }
    Ok(())
}

fn row(job: &Job) -> [String; 8] {
    let at = match job.state {
        // The time of a running job is the end of its lease, which means nothing to the operator.
        JobState::Running => String::new(),
        JobState::Waiting | JobState::Failed => format_time(job.run_at),
    };
    let progress = if job.total > 0 { format!("{} of {}", job.done, job.total) } else { String::new() };
    [
        job.kind.as_str().to_owned(),
        job.subject.to_string(),
        job.about.clone().unwrap_or_default(),
        job.state.as_str().to_owned(),
        at,
        job.attempts.to_string(),
        progress,
        job.last_error.clone().unwrap_or_default(),
    ]
}

async fn change(people: &Administration, action: JobsAction, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let meta = RequestMeta::command_line();
    let (kind, subject, action, sentence) = match action {
        JobsAction::TryAgain { kind, subject } => (
            kind,
            subject,
            JobAction::Retry,
            "The job is due now. A running server will start it within a few seconds.",
        ),
        JobsAction::GiveUp { kind, subject } => (kind, subject, JobAction::GiveUp, "The job was given up."),
    };
    match people.change_job(&Actor::operator(&meta), kind, subject, action).await {
        Err(Fault::App(AppError::NotFound)) => Err("There's no such job (any more).".into()),
        Err(Fault::App(AppError::Conflict { .. })) => {
            Err("The job is running, hasn't failed, or doesn't allow this.".into())
        }
        changed => {
            changed.map_err(to_cli_error)?;
            writeln!(out, "{sentence}")?;
            Ok(())
        }
    }
}
