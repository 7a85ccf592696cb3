//! What a service can end with: an answer for the person, or a fault that only the log may describe.

use std::error::Error;

use super::store::StoreError;
use crate::domain::AppError;

/// A failed piece of work.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The person can do something about it.
    #[error(transparent)]
    App(#[from] AppError),
    /// Ours. Logged once, where the request ends, under the id of the request.
    #[error("{0}")]
    Internal(Box<dyn Error + Send + Sync>),
}

impl Fault {
    /// What the person is told. A fault of ours is logged here, and only here, under the request's id.
    pub fn into_app_error(self, request_id: &str) -> AppError {
        match self {
            Self::App(error) => error,
            Self::Internal(error) if is_deadlock(&*error) => {
                tracing::warn!(%request_id, error = %error, "a request was undone in favour of others");
                busy()
            }
            Self::Internal(error) => {
                tracing::error!(%request_id, error = %error, "a request failed");
                AppError::Internal { request_id: request_id.to_owned() }
            }
        }
    }

    /// Whether the database undid this work in favour of another one that it stood in the way of. Done anew it may succeed.
    pub fn is_deadlock(&self) -> bool {
        matches!(self, Self::Internal(error) if is_deadlock(&**error))
    }

    /// A fault of ours.
    pub fn internal(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }
}

fn is_deadlock(error: &(dyn Error + Send + Sync + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(StoreError::Deadlock(_)))
}

fn busy() -> AppError {
    AppError::unavailable(reason!("database_busy"))
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) => {
                tracing::warn!(error = %cause, "the database does not answer");
                busy().into()
            }
            StoreError::Full => {
                tracing::error!("the disk of the database is full");
                AppError::unavailable(reason!("disk_full")).into()
            }
            StoreError::Duplicate
            | StoreError::Deadlock(_)
            | StoreError::UnknownWord(_)
            | StoreError::Schema(_)
            | StoreError::Other(_) => Self::internal(error),
        }
    }
}

impl From<tokio::task::JoinError> for Fault {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::internal(error)
    }
}
