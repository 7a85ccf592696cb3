//! Sign-ins: the rows that decide whether a session is anybody.

use std::collections::BTreeMap;

use super::{
    CredentialsVersion, Store, StoreError, Tx,
    db::{execute, fetch_all, fetch_optional},
    slices::STEP,
};
use crate::domain::{CurrentUser, Role, SignInId, Timestamp, UserId};

/// A sign-in to be written.
#[derive(Debug)]
pub struct NewSignIn<'a> {
    /// Its id.
    pub id: SignInId,
    /// Whose.
    pub user: UserId,
    /// The credentials by which they came in.
    pub credentials: CredentialsVersion,
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
    /// The tag of the language that the person reads.
    pub language: String,
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
    language: String,
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

impl Store {
    /// Deletes the sign-ins that ended, or ran out, before this moment. When somebody was last there is kept without them.
    pub async fn delete_ended_sign_ins(&self, before: Timestamp) -> Result<u64, StoreError> {
        if !self.read().await?.has_ended_sign_ins(before).await? {
            return Ok(0);
        }
        self.in_slices(move |tx| Box::pin(tx.delete_ended_sign_ins(before, STEP.unsigned_abs() as u32))).await
    }
}

impl Tx {
    async fn has_ended_sign_ins(&mut self, before: Timestamp) -> Result<bool, StoreError> {
        let row = fetch_optional!(
            self,
            (SignInId,),
            "select id from sign_ins
             where last_used_at < $1 and (ended_at < $1 or ends_at < $1 or last_used_at + idle_seconds * 1000000 < $1) limit 1",
            before,
        )?;
        Ok(row.is_some())
    }

    /// Writes a sign-in.
    pub async fn insert_sign_in(&mut self, sign_in: &NewSignIn<'_>) -> Result<(), StoreError> {
        execute!(
            self,
            "insert into sign_ins (id, user_id, created_at, last_used_at, authenticated_at, idle_seconds, ends_at, user_agent, address, credentials_version)
             values ($1, $2, $3, $3, $3, $4, $5, $6, $7, $8)",
            sign_in.id,
            sign_in.user,
            sign_in.created_at,
            sign_in.idle_seconds,
            sign_in.ends_at,
            sign_in.user_agent,
            sign_in.address,
            sign_in.credentials,
        )?;
        Ok(())
    }

    /// The sign-in with this id, if it holds now: not ended, neither too old nor too long unused, its person not shut out
    /// and their credentials those by which they came in.
    pub async fn find_signed_in(&mut self, sign_in: SignInId, now: Timestamp) -> Result<Option<SignedIn>, StoreError> {
        self.find_signed_in_used(sign_in, None, now).await
    }

    /// The same, where it may be known of a later use than is written.
    pub async fn find_signed_in_used(
        &mut self,
        sign_in: SignInId,
        last_use: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Option<SignedIn>, StoreError> {
        let row = fetch_optional!(
            self,
            SignedInRow,
            "select s.id, s.last_used_at, s.authenticated_at, s.idle_seconds, s.serial, u.id as user_id,
                u.name, u.email, u.role, u.language
             from sign_ins s join users u on u.id = s.user_id
             where s.id = $1 and s.ended_at is null and s.ends_at > $2
               and (s.last_used_at + s.idle_seconds * 1000000 > $2 or $3 + s.idle_seconds * 1000000 > $2)
               and u.disabled_at is null
               and s.credentials_version = u.credentials_version",
            sign_in,
            now,
            last_use.unwrap_or(Timestamp::from_micros(0)),
        )?;
        Ok(row.map(|row| SignedIn {
            sign_in: row.id,
            last_used_at: row.last_used_at,
            authenticated_at: row.authenticated_at,
            idle_seconds: row.idle_seconds,
            serial: row.serial,
            language: row.language,
            user: CurrentUser { id: row.user_id, name: row.name, email: row.email, role: row.role },
        }))
    }

    /// Notes that a sign-in is used. Never turns the time back.
    pub async fn touch_sign_in(&mut self, sign_in: SignInId, now: Timestamp) -> Result<(), StoreError> {
        execute!(
            self,
            "update sign_ins set last_used_at = $2 where id = $1 and last_used_at < $2 and ended_at is null",
            sign_in,
            now
        )?;
        Ok(())
    }

    /// Deletes sign-ins that ended, or ran out, before this moment, the longest unused first, at most `limit` of them. When
    /// somebody was last there is kept without them. Gives how many were deleted.
    pub async fn delete_ended_sign_ins(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let ended = fetch_all!(
            self,
            (SignInId, UserId, Timestamp),
            "select id, user_id, last_used_at from sign_ins
             where last_used_at < $1 and (ended_at < $1 or ends_at < $1 or last_used_at + idle_seconds * 1000000 < $1)
             order by last_used_at, id limit $2",
            before,
            i64::from(limit),
        )?;
        let mut last_seen = BTreeMap::new();
        for (_, user, at) in &ended {
            last_seen.insert(user.uuid(), *at);
        }
        for (user, at) in last_seen {
            execute!(
                self,
                "update users set last_seen_at = $2 where id = $1 and (last_seen_at is null or last_seen_at < $2)",
                user,
                at,
            )?;
        }
        let mut deleted = 0;
        for (id, ..) in ended {
            deleted += execute!(self, "delete from sign_ins where id = $1", id)?;
        }
        Ok(deleted)
    }

    /// Ends a sign-in for good.
    pub async fn end_sign_in(&mut self, sign_in: SignInId, now: Timestamp) -> Result<(), StoreError> {
        execute!(self, "update sign_ins set ended_at = $2 where id = $1 and ended_at is null", sign_in, now)?;
        Ok(())
    }

    /// Notes that the person of a sign-in has proved who they are.
    pub async fn confirm_sign_in(&mut self, sign_in: SignInId, now: Timestamp) -> Result<(), StoreError> {
        execute!(self, "update sign_ins set authenticated_at = $2 where id = $1 and ended_at is null", sign_in, now)?;
        Ok(())
    }

    /// Gives a sign-in another serial, so that session records with an earlier one are nobody's from now on. `None` where the
    /// sign-in has ended.
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
}
