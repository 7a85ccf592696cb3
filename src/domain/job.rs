//! Work in the background, as administrators see it.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Timestamp, limits};

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(rename_all = "snake_case", type_name = "text"))]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Sends one mail.
    SendMail,
    /// Builds the download of one person's data.
    BuildExport,
    /// Deletes an account whose day of grace is over.
    DeleteAccount,
    /// Removes a person's second factors after the notice.
    RemoveFactors,
    /// Removes deleted chats that cannot be restored any more.
    RemoveChats,
    /// Deletes chats by their age.
    ApplyRetention,
    /// Deletes rows that have expired.
    DeleteExpired,
}

impl JobKind {
    /// All kinds, in the order in which pages list them.
    pub const ALL: [Self; 7] = [
        Self::SendMail,
        Self::BuildExport,
        Self::DeleteAccount,
        Self::RemoveFactors,
        Self::RemoveChats,
        Self::ApplyRetention,
        Self::DeleteExpired,
    ];

    /// Its name in forms, the log and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendMail => "send_mail",
            Self::BuildExport => "build_export",
            Self::DeleteAccount => "delete_account",
            Self::RemoveFactors => "remove_factors",
            Self::RemoveChats => "remove_chats",
            Self::ApplyRetention => "apply_retention",
            Self::DeleteExpired => "delete_expired",
        }
    }

    /// What it does, for whoever reads the page.
    pub fn label(self) -> &'static str {
        match self {
            Self::SendMail => t!("admin.job_kind.send_mail"),
            Self::BuildExport => t!("admin.job_kind.build_export"),
            Self::DeleteAccount => t!("admin.job_kind.delete_account"),
            Self::RemoveFactors => t!("admin.job_kind.remove_factors"),
            Self::RemoveChats => t!("admin.job_kind.remove_chats"),
            Self::ApplyRetention => t!("admin.job_kind.apply_retention"),
            Self::DeleteExpired => t!("admin.job_kind.delete_expired"),
        }
    }

    /// What it does, as the audit keeps it: in English for every reader.
    pub const fn english(self) -> &'static str {
        match self {
            Self::SendMail => "Send a mail",
            Self::BuildExport => "Build a data download",
            Self::DeleteAccount => "Delete an account",
            Self::RemoveFactors => "Remove lost second factors",
            Self::RemoveChats => "Remove deleted chats",
            Self::ApplyRetention => "Delete chats by age",
            Self::DeleteExpired => "Delete expired records",
        }
    }

    /// Whether an administrator can give such a job up. What somebody has a right to, and what comes again by itself, is
    /// tried until it succeeds.
    pub const fn can_be_given_up(self) -> bool {
        matches!(self, Self::SendMail | Self::BuildExport)
    }
}

/// A word that is the name of no kind, state or action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a known word")]
pub struct UnknownJobWord;

impl FromStr for JobKind {
    type Err = UnknownJobWord;

    fn from_str(text: &str) -> Result<Self, UnknownJobWord> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownJobWord)
    }
}

/// How far a job is. One that has succeeded is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(rename_all = "snake_case", type_name = "text"))]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It will run when it is due.
    Waiting,
    /// Some instance runs it.
    Running,
    /// It is not tried again unless somebody asks for it.
    Failed,
}

impl JobState {
    /// All states, in the order in which pages list them.
    pub const ALL: [Self; 3] = [Self::Failed, Self::Running, Self::Waiting];

    /// Its name in forms and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Failed => "failed",
        }
    }

    /// The same for whoever reads the page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Waiting => t!("admin.job_state.waiting"),
            Self::Running => t!("admin.job_state.running"),
            Self::Failed => t!("admin.job_state.failed"),
        }
    }
}

impl FromStr for JobState {
    type Err = UnknownJobWord;

    fn from_str(text: &str) -> Result<Self, UnknownJobWord> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(UnknownJobWord)
    }
}

/// A job as administrators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(sqlx::FromRow))]
pub struct Job {
    /// What it does.
    pub kind: JobKind,
    /// What it is about; with the kind it names the job. Nil for a schedule.
    pub subject: Uuid,
    /// The address of the person that it is about, where there is one.
    pub about: Option<String>,
    /// How far it is.
    pub state: JobState,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it runs next; of one that runs, when its lease ends; of one that failed, when it did.
    pub run_at: Timestamp,
    /// Attempts so far, with the one that is being made.
    pub attempts: i64,
    /// How many of its parts are done.
    pub done: i64,
    /// How many parts there are; 0 where that is not known.
    pub total: i64,
    /// What the last attempt ended with, if it failed.
    pub last_error: Option<String>,
}

impl Job {
    /// Whether it has failed and can be run now instead of later. The text of a mail that was given up is not kept.
    pub fn can_be_tried_again(&self) -> bool {
        match self.state {
            JobState::Waiting => self.last_error.is_some(),
            JobState::Running => false,
            JobState::Failed => self.kind != JobKind::SendMail,
        }
    }

    /// Whether it has failed and can be given up.
    pub fn can_be_given_up(&self) -> bool {
        self.state != JobState::Running && self.last_error.is_some() && self.kind.can_be_given_up()
    }
}

/// The jobs that pages list, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jobs {
    /// Those that failed, then those that run, then those that wait by when they are due: at most
    /// [`limits::JOBS_SHOWN`].
    pub jobs: Vec<Job>,
    /// How many failed.
    pub failed: i64,
    /// How many run.
    pub running: i64,
    /// How many wait.
    pub waiting: i64,
}

impl Jobs {
    /// How many there are of a state.
    pub const fn count(&self, state: JobState) -> i64 {
        match state {
            JobState::Waiting => self.waiting,
            JobState::Running => self.running,
            JobState::Failed => self.failed,
        }
    }

    /// Whether there are more than are listed.
    pub fn is_cut(&self) -> bool {
        self.failed + self.running + self.waiting > i64::from(limits::JOBS_SHOWN)
    }
}

/// What an administrator does with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobAction {
    /// It runs now.
    TryAgain,
    /// It is not tried any more, and is gone.
    GiveUp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lead_back_to_what_they_name() {
        for kind in JobKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_string(&kind).expect("JSON"), format!("\"{}\"", kind.as_str()));
        }
        for state in JobState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert_eq!("".parse::<JobKind>(), Err(UnknownJobWord));
        assert_eq!("done".parse::<JobState>(), Err(UnknownJobWord));
    }
}
