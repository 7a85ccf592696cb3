//! Mails that someone has requested with only an e-mail address, queued until a background task checks whether an
//! account has it. The table is named after its first use.

use uuid::Uuid;

use super::{
    Engine, LinkPurpose, StoreError, Tx,
    db::{execute, fetch_all},
};
use crate::domain::Timestamp;

/// A requested mail with a link.
#[derive(Debug, sqlx::FromRow)]
pub struct MailRequest {
    /// The request's id.
    pub id: Uuid,
    /// The purpose of the link: to verify the address, or to reset the password.
    #[sqlx(try_from = "String")]
    pub purpose: LinkPurpose,
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
    pub async fn insert_mail_request(&mut self, request: &MailRequest) -> Result<(), StoreError> {
        execute!(
            self,
            "insert into reset_requests (id, purpose, email, address, user_agent, created_at)
             values ($1, $2, $3, $4, $5, $6)",
            request.id,
            request.purpose.as_str(),
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
    pub async fn list_mail_requests(&mut self, limit: u32) -> Result<Vec<MailRequest>, StoreError> {
        Ok(fetch_all!(
            self.tx,
            MailRequest,
            "select id, purpose, email, address, user_agent, created_at from reset_requests
             order by created_at, id limit $1",
            i64::from(limit),
        )?)
    }

    /// Deletes a request. Only the first caller gets `true`.
    pub async fn delete_mail_request(&mut self, id: Uuid) -> Result<bool, StoreError> {
        Ok(execute!(self.tx, "delete from reset_requests where id = $1", id)? == 1)
    }
}
