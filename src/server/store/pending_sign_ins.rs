//! Pending sign-ins, which wait for the second factor, and WebAuthn ceremonies of passkeys.

use super::{
    CredentialsVersion, Owned, StoreError, Tx,
    db::{execute, fetch_optional},
};
use crate::domain::{CeremonyId, PendingSignInId, Timestamp, UserId};

/// The number of attempts after which a pending sign-in becomes invalid.
const MAX_ATTEMPTS: i64 = 10;

/// A sign-in that waits for the second factor, or, after a sign-up, until the address is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingSignIn {
    /// The pending sign-in's id.
    pub id: PendingSignInId,
    /// The user who signs in.
    pub user: UserId,
    /// Whether to stay signed in after the browser is closed.
    pub remember: bool,
    /// The version of the credentials that were verified in the first step.
    pub credentials: CredentialsVersion,
}

/// The purpose of a ceremony.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CeremonyPurpose {
    /// Registers a new passkey.
    Registration,
    /// Verifies a passkey as the second factor of a sign-in.
    Check,
    /// Signs in with a passkey only, without a password.
    SignIn,
}

impl CeremonyPurpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Check => "check",
            Self::SignIn => "sign_in",
        }
    }
}

/// A ceremony to insert.
#[derive(Debug)]
pub struct NewCeremony<'a> {
    /// The ceremony's id.
    pub id: CeremonyId,
    /// The purpose.
    pub purpose: CeremonyPurpose,
    /// The user; `None` if unknown until the passkey answers.
    pub user: Option<UserId>,
    /// The sealed server-side state.
    pub state: &'a str,
    /// When the ceremony expires.
    pub expires_at: Timestamp,
}

type PendingColumns = (UserId, i64, CredentialsVersion);

fn pending_sign_in(id: PendingSignInId, row: Option<PendingColumns>) -> Option<PendingSignIn> {
    row.map(|(user, remember, credentials)| PendingSignIn { id, user, remember: remember == 1, credentials })
}

impl Tx {
    /// Inserts a pending sign-in.
    pub async fn insert_pending_sign_in(
        &mut self,
        sign_in: &PendingSignIn,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        execute!(
            self,
            "insert into pending_sign_ins (id, user_id, remember, created_at, expires_at, credentials_version)
             values ($1, $2, $3, $4, $5, $6)",
            sign_in.id,
            sign_in.user,
            i64::from(sign_in.remember),
            now,
            expires_at,
            sign_in.credentials,
        )?;
        Ok(())
    }

    /// The pending sign-in with this id, if it is still valid: not expired, with attempts left, of an enabled user
    /// whose credentials have not changed since the first step.
    pub async fn find_pending_sign_in(
        &mut self,
        id: PendingSignInId,
        now: Timestamp,
    ) -> Result<Option<PendingSignIn>, StoreError> {
        let row = fetch_optional!(
            self,
            PendingColumns,
            "select p.user_id, p.remember, p.credentials_version from pending_sign_ins p join users u on u.id = p.user_id
             where p.id = $1 and p.expires_at > $2 and p.tries < $3 and u.disabled_at is null
               and p.credentials_version = u.credentials_version",
            id,
            now,
            MAX_ATTEMPTS,
        )?;
        Ok(pending_sign_in(id, row))
    }

    /// Like [`Tx::find_pending_sign_in`], but also counts an attempt, so that no more than ten are verified even when
    /// they race. The credentials version is not compared here, but when the sign-in is completed.
    pub async fn count_pending_sign_in_attempt(
        &mut self,
        id: PendingSignInId,
        now: Timestamp,
    ) -> Result<Option<PendingSignIn>, StoreError> {
        let row = fetch_optional!(
            self,
            PendingColumns,
            "update pending_sign_ins set tries = tries + 1
             where id = $1 and expires_at > $2 and tries < $3
               and exists (select 1 from users u where u.id = pending_sign_ins.user_id and u.disabled_at is null)
             returning user_id, remember, credentials_version",
            id,
            now,
            MAX_ATTEMPTS,
        )?;
        Ok(pending_sign_in(id, row))
    }

    /// Deletes a pending sign-in. Only the first caller gets `true`.
    pub async fn delete_pending_sign_in(&mut self, id: PendingSignInId) -> Result<bool, StoreError> {
        Ok(execute!(self, "delete from pending_sign_ins where id = $1", id)? == 1)
    }

    /// Inserts a ceremony, or replaces the one with the same id.
    pub async fn insert_ceremony(&mut self, ceremony: &NewCeremony<'_>) -> Result<(), StoreError> {
        execute!(
            self,
            "insert into ceremonies (id, purpose, user_id, state, expires_at) values ($1, $2, $3, $4, $5)
             on conflict (id) do update set
               purpose = excluded.purpose, user_id = excluded.user_id, state = excluded.state, expires_at = excluded.expires_at",
            ceremony.id,
            ceremony.purpose.as_str(),
            ceremony.user,
            ceremony.state,
            ceremony.expires_at,
        )?;
        Ok(())
    }

    /// Deletes a ceremony and returns its sealed state and expiry time, if it is for this purpose and user and has not
    /// expired. Of several concurrent calls, only one gets it.
    pub async fn take_ceremony(
        &mut self,
        id: CeremonyId,
        purpose: CeremonyPurpose,
        user: Option<UserId>,
        now: Timestamp,
    ) -> Result<Option<(String, Timestamp)>, StoreError> {
        let row = fetch_optional!(
            self,
            (String, String, Option<UserId>, Timestamp),
            "delete from ceremonies where id = $1 returning state, purpose, user_id, expires_at",
            id,
        )?;
        Ok(row
            .filter(|(_, stored, owner, expires_at)| stored == purpose.as_str() && *owner == user && *expires_at > now)
            .map(|(state, _, _, expires_at)| (state, expires_at)))
    }
}

impl Owned<'_> {
    /// Deletes all pending sign-ins of a user, for example after a password change.
    pub async fn delete_pending_sign_ins_of(&mut self) -> Result<(), StoreError> {
        execute!(self.tx, "delete from pending_sign_ins where user_id = $1", self.owner)?;
        Ok(())
    }
}
