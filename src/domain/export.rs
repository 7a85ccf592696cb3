//! Exports of a user's own data.

use serde::{Deserialize, Serialize};

use super::{ExportId, Timestamp};

/// The state of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(rename_all = "snake_case", type_name = "text"))]
#[serde(rename_all = "snake_case")]
pub enum ExportState {
    /// It waits for its job.
    Waiting,
    /// It is being built.
    Working,
    /// It can be downloaded.
    Ready,
    /// It could not be built.
    Failed,
}

/// An export of a user's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(sqlx::FromRow))]
pub struct DataExport {
    /// The export's id. It is downloaded from `/settings/data/{id}`.
    pub id: ExportId,
    /// The state.
    pub state: ExportState,
    /// The number of chats that are already exported.
    pub done: i64,
    /// The number of all chats.
    pub total: i64,
    /// The size of the file, once it is ready.
    pub bytes: i64,
    /// When it was requested.
    pub created_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
}

impl DataExport {
    /// Whether it is not finished yet.
    pub const fn is_open(&self) -> bool {
        matches!(self.state, ExportState::Waiting | ExportState::Working)
    }
}
