//! The rows of a user for their data export, page by page.

use uuid::Uuid;

use super::{
    Owned, StoreError,
    db::{fetch_all, fetch_optional},
};
use crate::domain::{ChatId, SignInId, Timestamp};

/// The owner's account.
#[derive(Debug, sqlx::FromRow)]
pub struct ExportAccount {
    /// The e-mail address.
    pub email: String,
    /// The display name.
    pub name: String,
    /// The role.
    pub role: String,
    /// When the account was created.
    pub created_at: Timestamp,
    /// When the e-mail address was verified.
    pub email_verified_at: Option<Timestamp>,
}

/// A sign-in, including expired and revoked ones.
#[derive(Debug, sqlx::FromRow)]
pub struct ExportSignIn {
    /// The sign-in's id.
    pub id: SignInId,
    /// When the user signed in.
    pub created_at: Timestamp,
    /// When its use was last recorded.
    pub last_used_at: Timestamp,
    /// When it expires even if it is in use.
    pub ends_at: Timestamp,
    /// When it was revoked.
    pub ended_at: Option<Timestamp>,
    /// The `User-Agent` of the browser.
    pub user_agent: String,
    /// The client's IP address.
    pub address: String,
}

/// A chat, including deleted ones that can still be restored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ExportChat {
    /// The chat's id.
    pub id: ChatId,
    /// The title.
    pub title: String,
    /// The id of the model that was used last.
    pub model: String,
    /// When the chat was created.
    pub created_at: Timestamp,
    /// The time of the last activity.
    pub active_at: Timestamp,
    /// Whether it is pinned.
    pub pinned: bool,
    /// Whether it is archived.
    pub archived: bool,
    /// When it was deleted, if it can still be restored.
    pub deleted_at: Option<Timestamp>,
}

/// A mail to the owner's address. The bodies are omitted, because they may contain secret links.
#[derive(Debug, sqlx::FromRow)]
pub struct ExportMail {
    /// The mail's id.
    pub id: Uuid,
    /// The subject.
    pub subject: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When the mail server accepted it.
    pub sent_at: Option<Timestamp>,
}

impl Owned<'_> {
    /// The owner's account.
    pub async fn export_account(&mut self) -> Result<Option<ExportAccount>, StoreError> {
        Ok(fetch_optional!(
            self.tx,
            ExportAccount,
            "select email, name, role, created_at, email_verified_at from users where id = $1",
            self.owner
        )?)
    }

    /// A page of the owner's sign-ins after an id, sorted by id.
    pub async fn export_sign_ins(&mut self, after: SignInId, limit: u32) -> Result<Vec<ExportSignIn>, StoreError> {
        Ok(fetch_all!(
            self.tx,
            ExportSignIn,
            "select id, created_at, last_used_at, ends_at, ended_at, user_agent, address from sign_ins
             where user_id = $1 and id > $2 order by id limit $3",
            self.owner,
            after,
            i64::from(limit),
        )?)
    }

    /// The newest 1,000 stored mails to the owner's address.
    pub async fn export_mails(&mut self) -> Result<Vec<ExportMail>, StoreError> {
        Ok(fetch_all!(
            self.tx,
            ExportMail,
            "select m.id, m.subject, m.created_at, m.sent_at from mails m
             join users u on u.email_key = lower(m.recipient) where u.id = $1 order by m.created_at desc limit 1000",
            self.owner,
        )?)
    }

    /// The number of the owner's chats, without those that are being removed.
    pub async fn export_chat_count(&mut self) -> Result<i64, StoreError> {
        let row = fetch_optional!(
            self.tx,
            (i64,),
            "select count(*) from chats where owner_id = $1 and (deleted_at is null or deleted_at > 0)",
            self.owner
        )?;
        Ok(row.map_or(0, |(count,)| count))
    }

    /// A page of the owner's chats after an id, sorted by id and thereby by time.
    pub async fn export_chats(&mut self, after: ChatId, limit: u32) -> Result<Vec<ExportChat>, StoreError> {
        Ok(fetch_all!(
            self.tx,
            ExportChat,
            "select id, title, model, created_at, active_at, pinned, archived, deleted_at from chats
             where owner_id = $1 and id > $2 and (deleted_at is null or deleted_at > 0) order by id limit $3",
            self.owner,
            after,
            i64::from(limit),
        )?)
    }
}
