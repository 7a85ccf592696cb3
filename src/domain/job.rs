//! Background jobs, as administrators see them.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Timestamp, limits};

/// The kind of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(rename_all = "snake_case", type_name = "text"))]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Sends one mail.
    SendMail,
    /// Builds the data export of one user.
    BuildExport,
    /// Deletes an account after its grace period of one day.
    DeleteAccount,
    /// Removes a user's lost second factors after the waiting period.
    RemoveFactors,
    /// Has the model write the title of a chat after its first answer.
    WriteTitle,
    /// Permanently removes deleted chats that can no longer be restored.
    RemoveChats,
    /// Deletes chats by the retention rules.
    ApplyRetention,
    /// Deletes expired rows.
    DeleteExpired,
}

impl JobKind {
    /// All kinds, in the order in which pages list them.
    pub const ALL: [Self; 8] = [
        Self::SendMail,
        Self::BuildExport,
        Self::DeleteAccount,
        Self::RemoveFactors,
        Self::WriteTitle,
        Self::RemoveChats,
        Self::ApplyRetention,
        Self::DeleteExpired,
    ];

    /// The name in forms, the log and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendMail => "send_mail",
            Self::BuildExport => "build_export",
            Self::DeleteAccount => "delete_account",
            Self::RemoveFactors => "remove_factors",
            Self::WriteTitle => "write_title",
            Self::RemoveChats => "remove_chats",
            Self::ApplyRetention => "apply_retention",
            Self::DeleteExpired => "delete_expired",
        }
    }

    /// The label in the language of the page.
    pub fn label(self) -> &'static str {
        match self {
            Self::SendMail => t!("admin.job_kind.send_mail"),
            Self::BuildExport => t!("admin.job_kind.build_export"),
            Self::DeleteAccount => t!("admin.job_kind.delete_account"),
            Self::RemoveFactors => t!("admin.job_kind.remove_factors"),
            Self::WriteTitle => t!("admin.job_kind.write_title"),
            Self::RemoveChats => t!("admin.job_kind.remove_chats"),
            Self::ApplyRetention => t!("admin.job_kind.apply_retention"),
            Self::DeleteExpired => t!("admin.job_kind.delete_expired"),
        }
    }

    /// The English label, for the audit log.
    pub const fn english(self) -> &'static str {
        match self {
            Self::SendMail => "Send an email",
            Self::BuildExport => "Prepare a data export",
            Self::DeleteAccount => "Delete an account",
            Self::RemoveFactors => "Reset two-step verification",
            Self::WriteTitle => "Write the title of a chat",
            Self::RemoveChats => "Remove deleted chats",
            Self::ApplyRetention => "Delete old chats",
            Self::DeleteExpired => "Delete expired records",
        }
    }

    /// Whether an administrator can give up jobs of this kind. Jobs that a user has a right to, and scheduled jobs, are
    /// retried until they succeed.
    pub const fn can_be_given_up(self) -> bool {
        matches!(self, Self::SendMail | Self::BuildExport)
    }
}

/// The error for an unknown job kind or state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown job kind or state")]
pub struct ParseJobError;

impl FromStr for JobKind {
    type Err = ParseJobError;

    fn from_str(text: &str) -> Result<Self, ParseJobError> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(ParseJobError)
    }
}

/// The state of a job. A job that has succeeded is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(rename_all = "snake_case", type_name = "text"))]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It will run when it is due.
    Waiting,
    /// An instance is running it.
    Running,
    /// It has failed permanently and is only retried by an administrator.
    Failed,
}

impl JobState {
    /// All states, in the order in which pages list them.
    pub const ALL: [Self; 3] = [Self::Failed, Self::Running, Self::Waiting];

    /// The name in forms and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Failed => "failed",
        }
    }

    /// The label in the language of the page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Waiting => t!("admin.job_state.waiting"),
            Self::Running => t!("admin.job_state.running"),
            Self::Failed => t!("admin.job_state.failed"),
        }
    }
}

impl FromStr for JobState {
    type Err = ParseJobError;

    fn from_str(text: &str) -> Result<Self, ParseJobError> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(ParseJobError)
    }
}

/// A job in the list for administrators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(sqlx::FromRow))]
pub struct Job {
    /// The kind.
    pub kind: JobKind,
    /// The id of the subject, for example a mail. Together with the kind it identifies the job. Nil for a scheduled
    /// job.
    pub subject: Uuid,
    /// The e-mail address of the affected user, if there is one.
    pub about: Option<String>,
    /// The state.
    pub state: JobState,
    /// When it was created.
    pub created_at: Timestamp,
    /// When a waiting job runs next, the lease of a running job expires, or a failed job failed.
    pub run_at: Timestamp,
    /// The number of attempts, including the current one.
    pub attempts: i64,
    /// The number of completed parts.
    pub done: i64,
    /// The number of all parts; 0 if unknown.
    pub total: i64,
    /// The error of the last attempt, if it failed.
    pub last_error: Option<String>,
}

impl Job {
    /// Whether it has a failed attempt and can be retried now. A failed mail cannot, because its text is deleted.
    pub fn can_be_retried(&self) -> bool {
        match self.state {
            JobState::Waiting => self.last_error.is_some(),
            JobState::Running => false,
            JobState::Failed => self.kind != JobKind::SendMail,
        }
    }

    /// Whether it has a failed attempt and can be given up.
    pub fn can_be_given_up(&self) -> bool {
        self.state != JobState::Running && self.last_error.is_some() && self.kind.can_be_given_up()
    }
}

/// The list of jobs and the numbers of all jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jobs {
    /// Failed, running, then waiting jobs by due time, at most [`limits::MAX_LISTED_JOBS`].
    pub jobs: Vec<Job>,
    /// The number of failed jobs.
    pub failed: i64,
    /// The number of running jobs.
    pub running: i64,
    /// The number of waiting jobs.
    pub waiting: i64,
}

impl Jobs {
    /// The number of jobs in a state.
    pub const fn count(&self, state: JobState) -> i64 {
        match state {
            JobState::Waiting => self.waiting,
            JobState::Running => self.running,
            JobState::Failed => self.failed,
        }
    }

    /// Whether there are more jobs than listed.
    pub fn is_truncated(&self) -> bool {
        self.failed + self.running + self.waiting > i64::from(limits::MAX_LISTED_JOBS)
    }
}

/// An administrator's action on a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobAction {
    /// Runs the job now.
    #[serde(rename = "try_again")]
    Retry,
    /// Deletes the job without retrying it.
    GiveUp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_kinds_and_states_round_trip() {
        for kind in JobKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_string(&kind).expect("JSON"), format!("\"{}\"", kind.as_str()));
        }
        for state in JobState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert_eq!("".parse::<JobKind>(), Err(ParseJobError));
        assert_eq!("done".parse::<JobState>(), Err(ParseJobError));
    }
}
