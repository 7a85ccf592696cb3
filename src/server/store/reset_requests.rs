//! Requests for a password reset, queued until a background task checks whether an account has the e-mail address.

use uuid::Uuid;

use super::{
    Engine, StoreError, Tx,
    db::{execute, fetch_all},
};
use crate::domain::Timestamp;

/// A request for a password reset.
#[derive(Debug, sqlx::FromRow)]
pub struct ResetRequest {
    /// The request's id.
    pub id: Uuid,
    /// The e-mail address as entered.
    pub email: String,
    /// The client's IP address.
    pub address: String,
    /// The `User-Agent` of the browser.
    pub user_agent: String,
    /// When it was requested.
    pub created_at: Timestamp,
}

impl Tx {
    /// Inserts a request.
    pub async fn insert_reset_request(&mut self, request: &ResetRequest) -> Result<(), StoreError> {
        execute!(
            self,
            "insert into reset_requests (id, email, address, user_agent, created_at) values ($1, $2, $3, $4, $5)",
            request.id,
            &request.email,
            &request.address,
            &request.user_agent,
            request.created_at,
        )?;
        Ok(())
    }
}

impl Engine<'_> {
    /// The `limit` oldest requests.
    pub async fn list_reset_requests(&mut self, limit: u32) -> Result<Vec<ResetRequest>, StoreError> {
        Ok(fetch_all!(
            self.tx,
            ResetRequest,
            "select id, email, address, user_agent, created_at from reset_requests order by created_at, id limit $1",
            i64::from(limit),
        )?)
    }

    /// Deletes a request. Only the first caller gets `true`.
    pub async fn delete_reset_request(&mut self, id: Uuid) -> Result<bool, StoreError> {
        Ok(execute!(self.tx, "delete from reset_requests where id = $1", id)? == 1)
    }
}
