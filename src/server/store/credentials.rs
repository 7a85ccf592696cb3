//! The version of a user's credentials, which invalidates sign-ins and anything that was verified with old credentials.
//!
//! Every action that revokes a user's other sign-ins increments it with [`Owned::renew_credentials`]. Code that verifies
//! a password, a code, a passkey or an identity reads the version first and compares it with the result of
//! [`Owned::lock_credentials`] in the transaction that creates the sign-in. Everything else that represents a user for
//! longer than one request does the same.

use super::{
    Owned, StoreError,
    db::{execute, fetch_optional},
};
use crate::domain::{SignInId, Timestamp};

/// The version of a user's credentials: the time of the last action that revoked their other sign-ins, in microseconds,
/// or the previous version plus one if the clock was set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(transparent)]
pub struct CredentialsVersion(i64);

impl CredentialsVersion {
    /// The version of a new account.
    pub const FIRST: Self = Self(0);

    /// Whether this version was already in force at the time `began`. A version from the future, which is left after
    /// the clock was set back, counts as in force.
    pub const fn was_in_force_at(self, began: Timestamp, now: Timestamp) -> bool {
        self.0 <= began.micros() || self.0 > now.micros()
    }
}

impl Owned<'_> {
    /// The current version; `None` if the account does not exist. Must be read before anything is verified.
    pub async fn find_credentials_version(&mut self) -> Result<Option<CredentialsVersion>, StoreError> {
        let row = fetch_optional!(
            self.tx,
            (CredentialsVersion,),
            "select credentials_version from users where id = $1",
            self.owner
        )?;
        Ok(row.map(|(version,)| version))
    }

    /// The current version, if the account is enabled. Locks the account: transactions that change the version or
    /// disable the account wait until this one ends. Must be called before other rows of the account are written, in
    /// order to avoid deadlocks.
    pub async fn lock_credentials(&mut self) -> Result<Option<CredentialsVersion>, StoreError> {
        // On PostgreSQL, the update locks the row. SQLite has only one writer anyway.
        let row = fetch_optional!(
            self.tx,
            (CredentialsVersion,),
            "update users set credentials_version = credentials_version
             where id = $1 and disabled_at is null returning credentials_version",
            self.owner,
        )?;
        Ok(row.map(|(version,)| version))
    }

    /// Increments the version, so that pending sign-ins with an older one fail, and revokes all sign-ins of a user
    /// except `except`. Returns the number of revoked sign-ins.
    pub async fn renew_credentials(&mut self, except: Option<SignInId>, now: Timestamp) -> Result<u64, StoreError> {
        let row = fetch_optional!(
            self.tx,
            (CredentialsVersion,),
            "update users set credentials_version =
               case when credentials_version < $2 then $2 else credentials_version + 1 end
             where id = $1 returning credentials_version",
            self.owner,
            now,
        )?;
        let Some((version,)) = row else { return Ok(0) };
        let except = except.map_or(uuid::Uuid::nil(), SignInId::uuid);
        let revoked = execute!(
            self.tx,
            "update sign_ins set ended_at = $3 where user_id = $1 and id <> $2 and ended_at is null",
            self.owner,
            except,
            now,
        )?;
        execute!(
            self.tx,
            "update sign_ins set credentials_version = $3 where id = $2 and user_id = $1 and ended_at is null",
            self.owner,
            except,
            version,
        )?;
        Ok(revoked)
    }

    /// Cancels everything that an attacker may have begun in the name of the owner: pending sign-ins, links for a change
    /// of address or password, unconfirmed authenticator apps. Called with [`Owned::renew_credentials`] if the
    /// credentials may be compromised.
    pub async fn cancel_pending_auth(&mut self) -> Result<(), StoreError> {
        self.delete_pending_sign_ins_of().await?;
        execute!(
            self.tx,
            "delete from links where user_id = $1 and purpose in ('change_address', 'reset_password')",
            self.owner
        )?;
        execute!(self.tx, "delete from factors where user_id = $1 and confirmed_at is null", self.owner)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_in_force_from_its_own_time_unless_the_clock_was_set_back() {
        let at = Timestamp::from_micros;
        let version = CredentialsVersion(1_000);
        for (began, now, expected) in
            [(1_000, 1_000, true), (1_001, 2_000, true), (999, 2_000, false), (500, 999, true)]
        {
            assert_eq!(version.was_in_force_at(at(began), at(now)), expected, "{began} {now}");
        }
        assert!(CredentialsVersion::FIRST.was_in_force_at(at(0), at(1)));
    }
}
