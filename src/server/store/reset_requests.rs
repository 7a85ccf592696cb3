//! New passwords that somebody asked for, until it is looked at whether anybody has the address.

use uuid::Uuid;

use super::{
    StoreError, Tx,
    db::{execute, fetch_all},
};
use crate::domain::Timestamp;

/// Somebody has asked for a new password.
#[derive(Debug, sqlx::FromRow)]
pub struct ResetRequest {
    /// Its id.
    pub id: Uuid,
    /// For which address, as it was given.
    pub email: String,
    /// From which machine.
    pub address: String,
    /// With which browser, as it names itself.
    pub user_agent: String,
    /// When.
    pub created_at: Timestamp,
}

impl Tx {
    /// Keeps a request.
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

    /// The oldest requests.
    pub async fn list_reset_requests(&mut self, limit: u32) -> Result<Vec<ResetRequest>, StoreError> {
        Ok(fetch_all!(
            self,
            ResetRequest,
            "select id, email, address, user_agent, created_at from reset_requests order by created_at, id limit $1",
            i64::from(limit),
        )?)
    }

    /// Takes a request out; `true` for whoever is first.
    pub async fn delete_reset_request(&mut self, id: Uuid) -> Result<bool, StoreError> {
        Ok(execute!(self, "delete from reset_requests where id = $1", id)? == 1)
    }
}
