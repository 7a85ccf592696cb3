//! The error of a service: either for the user, or internal and only for the log.

use std::error::Error;

use super::store::StoreError;
use crate::domain::AppError;

/// A failed operation.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// An error that the user can act on.
    #[error(transparent)]
    App(#[from] AppError),
    /// An internal error. Logged once, where the request ends, with the request id.
    #[error("{0}")]
    Internal(Box<dyn Error + Send + Sync>),
}

impl Fault {
    /// Converts to the error that is shown to the user. An internal error is logged here, and only here, with the
    /// request id.
    pub fn into_app_error(self, request_id: &str) -> AppError {
        match self {
            Self::App(error) => error,
            Self::Internal(error) if is_deadlock(&*error) => {
                tracing::warn!(%request_id, error = %error, "a request was rolled back because of a deadlock");
                busy()
            }
            Self::Internal(error) => {
                tracing::error!(%request_id, error = %error, "a request failed");
                AppError::Internal { request_id: request_id.to_owned() }
            }
        }
    }

    /// Whether the database rolled back this operation to resolve a deadlock. A retry may succeed.
    pub fn is_deadlock(&self) -> bool {
        matches!(self, Self::Internal(error) if is_deadlock(&**error))
    }

    /// An internal error.
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
            | StoreError::UnknownValue(_)
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
