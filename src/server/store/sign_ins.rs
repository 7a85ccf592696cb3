//! Sign-ins: the rows that decide whether a session is anybody.

use super::{
    StoreError, Tx,
    db::{execute, fetch_optional},
    users::parse_role,
};
use crate::domain::{CurrentUser, SignInId, Timestamp, UserId};

/// A sign-in to be written.
#[derive(Debug)]
pub struct NewSignIn<'a> {
    /// Its id.
    pub id: SignInId,
    /// Whose.
    pub user: UserId,
    /// Now.
    pub created_at: Timestamp,
    /// Seconds without use after which it ends.
    pub idle_seconds: i64,
    /// When it ends in any case.
    pub ends_at: Timestamp,
    /// The browser, as it names itself, cut to 300 bytes.
    pub user_agent: &'a str,
    /// Where from.
    pub address: &'a str,
}

/// A sign-in that holds, and its person.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The sign-in.
    pub sign_in: SignInId,
    /// When it was last noted as used.
    pub last_used_at: Timestamp,
    /// The person.
    pub user: CurrentUser,
}

#[derive(sqlx::FromRow)]
struct SignedInRow {
    id: SignInId,
    last_used_at: Timestamp,
    user_id: UserId,
    name: String,
    email: String,
    role: String,
}

impl Tx {
    /// Writes a sign-in.
    ///
    /// # Errors
    /// As the database says.
    pub async fn insert_sign_in(&mut self, sign_in: &NewSignIn<'_>) -> Result<(), StoreError> {
        execute!(
            self,
            "insert into sign_ins (id, user_id, created_at, last_used_at, idle_seconds, ends_at, user_agent, address)
             values ($1, $2, $3, $3, $4, $5, $6, $7)",
            sign_in.id,
            sign_in.user,
            sign_in.created_at,
            sign_in.idle_seconds,
            sign_in.ends_at,
            sign_in.user_agent,
            sign_in.address,
        )?;
        Ok(())
    }

    /// The sign-in with this id, if it holds now: not ended, neither too old nor too long unused, its person not shut out.
    ///
    /// # Errors
    /// As the database says.
    pub async fn find_signed_in(&mut self, sign_in: SignInId, now: Timestamp) -> Result<Option<SignedIn>, StoreError> {
        let row = fetch_optional!(
            self,
            SignedInRow,
            "select s.id, s.last_used_at, u.id as user_id, u.name, u.email, u.role
             from sign_ins s join users u on u.id = s.user_id
             where s.id = $1 and s.ended_at is null and s.ends_at > $2
               and s.last_used_at + s.idle_seconds * 1000000 > $2 and u.disabled_at is null",
            sign_in,
            now,
        )?;
        Ok(row.map(|row| SignedIn {
            sign_in: row.id,
            last_used_at: row.last_used_at,
            user: CurrentUser { id: row.user_id, name: row.name, email: row.email, role: parse_role(&row.role) },
        }))
    }

    /// Notes that a sign-in is used. Never turns the time back.
    ///
    /// # Errors
    /// As the database says.
    pub async fn touch_sign_in(&mut self, sign_in: SignInId, now: Timestamp) -> Result<(), StoreError> {
        execute!(self, "update sign_ins set last_used_at = $2 where id = $1 and last_used_at < $2", sign_in, now)?;
        Ok(())
    }

    /// Ends a sign-in for good.
    ///
    /// # Errors
    /// As the database says.
    pub async fn end_sign_in(&mut self, sign_in: SignInId, now: Timestamp) -> Result<(), StoreError> {
        execute!(self, "update sign_ins set ended_at = $2 where id = $1 and ended_at is null", sign_in, now)?;
        Ok(())
    }
    /// Ends all sign-ins of a person but one; all where none is to stay. Gives how many.
    ///
    /// # Errors
    /// As the database says.
    pub async fn end_sign_ins(
        &mut self,
        user: UserId,
        but: Option<SignInId>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let but = but.map_or(uuid::Uuid::nil(), SignInId::uuid);
        Ok(execute!(
            self,
            "update sign_ins set ended_at = $3 where user_id = $1 and id <> $2 and ended_at is null",
            user,
            but,
            now,
        )?)
    }
}
