//! Sign-ins: the rows that decide whether a session is anybody.

use super::{
    StoreError, Tx,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{CurrentUser, Role, SignInId, Timestamp, UserId};

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
    /// When the person last proved who they are.
    pub authenticated_at: Timestamp,
    /// Seconds without use after which it ends.
    pub idle_seconds: i64,
    /// Which of the session records that name it counts.
    pub serial: i64,
    /// The person.
    pub user: CurrentUser,
}

#[derive(sqlx::FromRow)]
struct SignedInRow {
    id: SignInId,
    last_used_at: Timestamp,
    authenticated_at: Timestamp,
    idle_seconds: i64,
    serial: i64,
    user_id: UserId,
    name: String,
    email: String,
    #[sqlx(try_from = "String")]
    role: Role,
}

/// A sign-in that holds, for the list of its owner.
#[derive(Debug, sqlx::FromRow)]
pub struct SignInRow {
    /// Which.
    pub id: SignInId,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last noted as used.
    pub last_used_at: Timestamp,
    /// The browser, as it names itself.
    pub user_agent: String,
    /// Where from.
    pub address: String,
}

impl Tx {
    /// Writes a sign-in.
    ///
    /// # Errors
    /// As the database says.
    pub async fn insert_sign_in(&mut self, sign_in: &NewSignIn<'_>) -> Result<(), StoreError> {
        execute!(
            self,
            "insert into sign_ins (id, user_id, created_at, last_used_at, authenticated_at, idle_seconds, ends_at, user_agent, address)
             values ($1, $2, $3, $3, $3, $4, $5, $6, $7)",
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
            "select s.id, s.last_used_at, s.authenticated_at, s.idle_seconds, s.serial, u.id as user_id,
                u.name, u.email, u.role
             from sign_ins s join users u on u.id = s.user_id
             where s.id = $1 and s.ended_at is null and s.ends_at > $2
               and s.last_used_at + s.idle_seconds * 1000000 > $2 and u.disabled_at is null",
            sign_in,
            now,
        )?;
        Ok(row.map(|row| SignedIn {
            sign_in: row.id,
            last_used_at: row.last_used_at,
            authenticated_at: row.authenticated_at,
            idle_seconds: row.idle_seconds,
            serial: row.serial,
            user: CurrentUser { id: row.user_id, name: row.name, email: row.email, role: row.role },
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

    /// Notes that the person of a sign-in has proved who they are.
    ///
    /// # Errors
    /// As the database says.
    pub async fn confirm_sign_in(&mut self, sign_in: SignInId, now: Timestamp) -> Result<(), StoreError> {
        execute!(self, "update sign_ins set authenticated_at = $2 where id = $1 and ended_at is null", sign_in, now)?;
        Ok(())
    }

    /// Gives a sign-in another serial, so that session records with an earlier one are nobody's from now on. `None` where the
    /// sign-in has ended.
    ///
    /// # Errors
    /// As the database says.
    pub async fn renew_sign_in(&mut self, sign_in: SignInId) -> Result<Option<i64>, StoreError> {
        let row = fetch_optional!(
            self,
            (i64,),
            "update sign_ins set serial = serial + 1 where id = $1 and ended_at is null returning serial",
            sign_in,
        )?;
        Ok(row.map(|(serial,)| serial))
    }

    /// The sign-ins of a person that hold now, last used first.
    ///
    /// # Errors
    /// As the database says.
    pub async fn list_sign_ins(&mut self, user: UserId, now: Timestamp) -> Result<Vec<SignInRow>, StoreError> {
        Ok(fetch_all!(
            self,
            SignInRow,
            "select id, created_at, last_used_at, user_agent, address from sign_ins
             where user_id = $1 and ended_at is null and ends_at > $2
               and last_used_at + idle_seconds * 1000000 > $2
             order by last_used_at desc, id desc limit 200",
            user,
            now,
        )?)
    }

    /// Ends one sign-in of a person; whether there was one to end.
    ///
    /// # Errors
    /// As the database says.
    pub async fn end_sign_in_of(
        &mut self,
        user: UserId,
        sign_in: SignInId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let ended = execute!(
            self,
            "update sign_ins set ended_at = $3 where user_id = $1 and id = $2 and ended_at is null",
            user,
            sign_in,
            now,
        )?;
        Ok(ended == 1)
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
