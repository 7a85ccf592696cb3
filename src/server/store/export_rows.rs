//! What a person takes away: their rows, page by page.

use uuid::Uuid;

use super::{
    Owned, StoreError,
    db::{fetch_all, fetch_optional},
};
use crate::domain::{ChatId, SignInId, Timestamp};

/// An account.
#[derive(Debug, sqlx::FromRow)]
pub struct ExportAccount {
    /// The address.
    pub email: String,
    /// The name.
    pub name: String,
    /// What the person may do.
    pub role: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the address was shown to be its owner's.
    pub email_verified_at: Option<Timestamp>,
}

/// A sign-in, also one that has ended.
#[derive(Debug, sqlx::FromRow)]
pub struct ExportSignIn {
    /// Which.
    pub id: SignInId,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last noted as used.
    pub last_used_at: Timestamp,
    /// When it ends in any case.
    pub ends_at: Timestamp,
    /// When it was ended.
    pub ended_at: Option<Timestamp>,
    /// The browser, as it names itself.
    pub user_agent: String,
    /// Where from.
    pub address: String,
}

/// A chat, also one that was deleted a short while ago.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ExportChat {
    /// Its id.
    pub id: ChatId,
    /// Its title.
    pub title: String,
    /// The id of the model that was asked last.
    pub model: String,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When something was last said.
    pub active_at: Timestamp,
    /// Kept at the top.
    pub pinned: bool,
    /// Put away.
    pub archived: bool,
    /// When it was deleted, if it can still be restored.
    pub deleted_at: Option<Timestamp>,
}

/// A mail that was written to the owner's address. What stands in it may open an account, and is left out.
#[derive(Debug, sqlx::FromRow)]
pub struct ExportMail {
    /// Its id.
    pub id: Uuid,
    /// What it is about.
    pub subject: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// When the mail server took it.
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

    /// The owner's sign-ins after an id, in the order of their ids.
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

    /// The mails to the owner's address that are still kept, the newest 1,000.
    pub async fn export_mails(&mut self) -> Result<Vec<ExportMail>, StoreError> {
        Ok(fetch_all!(
            self.tx,
            ExportMail,
            "select m.id, m.subject, m.created_at, m.sent_at from mails m
             join users u on u.email = m.recipient where u.id = $1 order by m.created_at desc limit 1000",
            self.owner,
        )?)
    }

    /// How many chats the owner has, less those that are being removed.
    pub async fn export_chat_count(&mut self) -> Result<i64, StoreError> {
        let row = fetch_optional!(
            self.tx,
            (i64,),
            "select count(*) from chats where owner_id = $1 and (deleted_at is null or deleted_at > 0)",
            self.owner
        )?;
        Ok(row.map_or(0, |(count,)| count))
    }

    /// The owner's chats after an id, in the order of their ids, which is that of time.
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
