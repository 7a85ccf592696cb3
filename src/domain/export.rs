//! A person's own data, to take away.

use serde::{Deserialize, Serialize};

use super::{ExportId, Timestamp};

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(rename_all = "snake_case", type_name = "text"))]
#[serde(rename_all = "snake_case")]
pub enum ExportState {
    /// Nobody has begun yet.
    Waiting,
    /// It is being put together.
    Working,
    /// It can be downloaded.
    Ready,
    /// It could not be put together.
    Failed,
}

/// One download of a person's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(sqlx::FromRow))]
pub struct DataExport {
    /// Which; it is downloaded from `/settings/data/{id}`.
    pub id: ExportId,
    /// How far it is.
    pub state: ExportState,
    /// How many chats are in it.
    pub done: i64,
    /// How many there are.
    pub total: i64,
    /// How long the file is, when it is ready.
    pub bytes: i64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it is removed.
    pub expires_at: Timestamp,
}

impl DataExport {
    /// Whether it is still to come.
    pub const fn is_open(&self) -> bool {
        matches!(self.state, ExportState::Waiting | ExportState::Working)
    }
}
