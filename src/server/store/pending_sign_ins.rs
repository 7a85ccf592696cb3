//! Sign-ins that wait for the second factor, and the ceremonies of passkeys.

use super::{
    CredentialsVersion, StoreError, Tx,
    db::{execute, fetch_optional},
};
use crate::domain::{CeremonyId, PendingSignInId, Timestamp, UserId};

/// Wrong tries after which a pending sign-in has ended.
const TRIES: i64 = 10;

/// A sign-in that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingSignIn {
    /// Its id.
    pub id: PendingSignInId,
    /// Whose.
    pub user: UserId,
    /// Whether to stay signed in after the browser is closed.
    pub remember: bool,
    /// The credentials by which they have come so far.
    pub credentials: CredentialsVersion,
}

/// What a ceremony is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CeremonyPurpose {
    /// A new passkey.
    Registration,
    /// The second step of a sign-in.
    Check,
    /// A sign-in without a password.
    SignIn,
}

impl CeremonyPurpose {
    const fn text(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Check => "check",
            Self::SignIn => "sign_in",
        }
    }
}

/// A ceremony to be written.
#[derive(Debug)]
pub struct NewCeremony<'a> {
    /// Its id.
    pub id: CeremonyId,
    /// What it is for.
    pub purpose: CeremonyPurpose,
    /// Whose, where that is known.
    pub user: Option<UserId>,
    /// What must be remembered, sealed.
    pub state: &'a str,
    /// When it is too late.
    pub expires_at: Timestamp,
}

type PendingColumns = (UserId, i64, CredentialsVersion);

fn pending(id: PendingSignInId, row: Option<PendingColumns>) -> Option<PendingSignIn> {
    row.map(|(user, remember, credentials)| PendingSignIn { id, user, remember: remember == 1, credentials })
}

impl Tx {
    /// Writes a pending sign-in.
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

    /// The pending sign-in with this id, if it can still be finished: neither too old nor tried too often, its person
    /// not shut out and their credentials those by which they have come so far.
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
            TRIES,
        )?;
        Ok(pending(id, row))
    }

    /// Like [`Tx::find_pending_sign_in`], and counts a try, so that no more than ten are looked at even when they race. Whether
    /// the credentials are still those is compared when it is finished.
    pub async fn try_pending_sign_in(
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
            TRIES,
        )?;
        Ok(pending(id, row))
    }

    /// Ends a pending sign-in; `true` for whoever is first.
    pub async fn delete_pending_sign_in(&mut self, id: PendingSignInId) -> Result<bool, StoreError> {
        Ok(execute!(self, "delete from pending_sign_ins where id = $1", id)? == 1)
    }

    /// Ends all pending sign-ins of a person, as a change of password must.
    pub async fn delete_pending_sign_ins_of(&mut self, user: UserId) -> Result<(), StoreError> {
        execute!(self, "delete from pending_sign_ins where user_id = $1", user)?;
        Ok(())
    }

    /// Writes a ceremony, in the place of one with the same id.
    pub async fn insert_ceremony(&mut self, ceremony: &NewCeremony<'_>) -> Result<(), StoreError> {
        execute!(
            self,
            "insert into ceremonies (id, purpose, user_id, state, expires_at) values ($1, $2, $3, $4, $5)
             on conflict (id) do update set
               purpose = excluded.purpose, user_id = excluded.user_id, state = excluded.state, expires_at = excluded.expires_at",
            ceremony.id,
            ceremony.purpose.text(),
            ceremony.user,
            ceremony.state,
            ceremony.expires_at,
        )?;
        Ok(())
    }

    /// Takes a ceremony away and gives its sealed state and its end, if it is for this purpose and person and not too old.
    /// Of several that try, one gets it.
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
            .filter(|(_, kept, whose, expires_at)| kept == purpose.text() && *whose == user && *expires_at > now)
            .map(|(state, _, _, expires_at)| (state, expires_at)))
    }
}
