//! Sign-ins: the signed-in sessions of users, one per browser. A session record is authenticated only if it refers to a
//! valid sign-in.

use std::collections::BTreeMap;

use super::{
    CredentialsVersion, Engine, Owned, Store, StoreError, Tx,
    batches::ROWS_PER_STEP,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{CurrentUser, Role, SignInId, Timestamp, UserId};

/// A sign-in to insert.
#[derive(Debug)]
pub struct NewSignIn<'a> {
    /// The sign-in's id.
    pub id: SignInId,
    /// The version of the credentials that were verified.
    pub credentials: CredentialsVersion,
    /// The current time.
    pub created_at: Timestamp,
    /// The idle timeout, in seconds.
    pub idle_seconds: i64,
    /// When it expires even if it is in use.
    pub ends_at: Timestamp,
    /// The `User-Agent` of the browser, truncated to 300 bytes.
    pub user_agent: &'a str,
    /// The client's IP address.
    pub address: &'a str,
}

/// A valid sign-in with its user.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The sign-in's id.
    pub sign_in: SignInId,
    /// When its use was last recorded.
    pub last_used_at: Timestamp,
    /// When the user last authenticated.
    pub authenticated_at: Timestamp,
    /// The idle timeout, in seconds.
    pub idle_seconds: i64,
    /// The current serial. Session records with another serial are not valid.
    pub serial: i64,
    /// The user's language tag.
    pub language: String,
    /// Whether the user has a confirmed second factor.
    pub has_factor: bool,
    /// The user.
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
    has_factor: bool,
    user_id: UserId,
    name: String,
    email: String,
    #[sqlx(try_from = "String")]
    role: Role,
}

/// A valid sign-in, for the list of the user's devices.
#[derive(Debug, sqlx::FromRow)]
pub struct SignInRow {
    /// The sign-in's id.
    pub id: SignInId,
    /// When the user signed in.
    pub created_at: Timestamp,
    /// When its use was last recorded.
    pub last_used_at: Timestamp,
    /// The `User-Agent` of the browser.
    pub user_agent: String,
    /// The client's IP address.
    pub address: String,
}

impl Store {
    /// Deletes the sign-ins that were revoked or expired before this time. The user's last activity stays recorded.
    /// Returns the number of deleted sign-ins.
    pub async fn delete_ended_sign_ins(&self, before: Timestamp) -> Result<u64, StoreError> {
        if !self.read().await?.engine().has_ended_sign_ins(before).await? {
            return Ok(0);
        }
        let limit = ROWS_PER_STEP.unsigned_abs() as u32;
        self.run_in_batches(move |mut engine| {
            Box::pin(async move { engine.delete_ended_sign_ins(before, limit).await })
        })
        .await
    }
}

impl Tx {
    /// The sign-in with this id, if it is valid: neither revoked nor expired nor idle for too long, of an enabled user
    /// whose credentials have not changed since.
    pub async fn find_signed_in(&mut self, sign_in: SignInId, now: Timestamp) -> Result<Option<SignedIn>, StoreError> {
        self.find_signed_in_with_last_use(sign_in, None, now).await
    }

    /// Like [`Tx::find_signed_in`]. `last_use` is a use that may be later than the recorded one.
    pub async fn find_signed_in_with_last_use(
        &mut self,
        sign_in: SignInId,
        last_use: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Option<SignedIn>, StoreError> {
        let row = fetch_optional!(
            self,
            SignedInRow,
            "select s.id, s.last_used_at, s.authenticated_at, s.idle_seconds, s.serial, u.id as user_id,
                u.name, u.email, u.role, u.language,
                exists (select 1 from factors f where f.user_id = u.id and f.confirmed_at is not null) as has_factor
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
            has_factor: row.has_factor,
            user: CurrentUser { id: row.user_id, name: row.name, email: row.email, role: row.role },
        }))
    }

    /// Records the use of a sign-in. Never sets the time back.
    pub async fn touch_sign_in(&mut self, sign_in: SignInId, now: Timestamp) -> Result<(), StoreError> {
        execute!(
            self,
            "update sign_ins set last_used_at = $2 where id = $1 and last_used_at < $2 and ended_at is null",
            sign_in,
            now
        )?;
        Ok(())
    }

    /// Revokes a sign-in.
    pub async fn end_sign_in(&mut self, sign_in: SignInId, now: Timestamp) -> Result<(), StoreError> {
        execute!(self, "update sign_ins set ended_at = $2 where id = $1 and ended_at is null", sign_in, now)?;
        Ok(())
    }

    /// Records that the user of a sign-in has re-authenticated.
    pub async fn confirm_sign_in(&mut self, sign_in: SignInId, now: Timestamp) -> Result<(), StoreError> {
        execute!(self, "update sign_ins set authenticated_at = $2 where id = $1 and ended_at is null", sign_in, now)?;
        Ok(())
    }

    /// Increments the serial of a sign-in, which invalidates session records with an earlier one. Returns the new
    /// serial; `None` if the sign-in is revoked.
    pub async fn rotate_sign_in(&mut self, sign_in: SignInId) -> Result<Option<i64>, StoreError> {
        let row = fetch_optional!(
            self,
            (i64,),
            "update sign_ins set serial = serial + 1 where id = $1 and ended_at is null returning serial",
            sign_in,
        )?;
        Ok(row.map(|(serial,)| serial))
    }
}

impl Owned<'_> {
    /// Inserts a sign-in.
    pub async fn insert_sign_in(&mut self, sign_in: &NewSignIn<'_>) -> Result<(), StoreError> {
        execute!(
            self.tx,
            "insert into sign_ins (id, user_id, created_at, last_used_at, authenticated_at, idle_seconds, ends_at, user_agent, address, credentials_version)
             values ($1, $2, $3, $3, $3, $4, $5, $6, $7, $8)",
            sign_in.id,
            self.owner,
            sign_in.created_at,
            sign_in.idle_seconds,
            sign_in.ends_at,
            sign_in.user_agent,
            sign_in.address,
            sign_in.credentials,
        )?;
        Ok(())
    }

    /// The valid sign-ins of a user, last used first.
    pub async fn list_sign_ins(&mut self, now: Timestamp) -> Result<Vec<SignInRow>, StoreError> {
        Ok(fetch_all!(
            self.tx,
            SignInRow,
            "select id, created_at, last_used_at, user_agent, address from sign_ins
             where user_id = $1 and ended_at is null and ends_at > $2
               and last_used_at + idle_seconds * 1000000 > $2
             order by last_used_at desc, id desc limit 200",
            self.owner,
            now,
        )?)
    }

    /// Revokes one sign-in of a user; `false` if there is no such sign-in or it is already revoked.
    pub async fn end_sign_in_of(&mut self, sign_in: SignInId, now: Timestamp) -> Result<bool, StoreError> {
        let ended = execute!(
            self.tx,
            "update sign_ins set ended_at = $3 where user_id = $1 and id = $2 and ended_at is null",
            self.owner,
            sign_in,
            now,
        )?;
        Ok(ended == 1)
    }
}

impl Engine<'_> {
    async fn has_ended_sign_ins(&mut self, before: Timestamp) -> Result<bool, StoreError> {
        let row = fetch_optional!(
            self.tx,
            (SignInId,),
            "select id from sign_ins
             where last_used_at < $1 and (ended_at < $1 or ends_at < $1 or last_used_at + idle_seconds * 1000000 < $1) limit 1",
            before,
        )?;
        Ok(row.is_some())
    }

    /// Deletes at most `limit` sign-ins that were revoked or expired before this time, the longest unused first. Copies
    /// the last use to the user. Returns the number of deleted sign-ins.
    pub async fn delete_ended_sign_ins(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let ended = fetch_all!(
            self.tx,
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
                self.tx,
                "update users set last_seen_at = $2 where id = $1 and (last_seen_at is null or last_seen_at < $2)",
                user,
                at,
            )?;
        }
        let mut deleted = 0;
        for (id, ..) in ended {
            deleted += execute!(self.tx, "delete from sign_ins where id = $1", id)?;
        }
        Ok(deleted)
    }
}
