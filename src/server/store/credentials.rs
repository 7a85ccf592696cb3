//! The version of a person's credentials: how it is known whether what somebody has shown still lets them in.
//!
//! Every act that ends a person's other sign-ins raises it by [`Tx::renew_credentials`]. Whoever verifies a password, a
//! code, a passkey or an identity reads the version first, and compares it with that of [`Tx::lock_credentials`] in the
//! transaction that lets them in. Anything else that stands for a person for longer than a request does it in the same way.

use super::{
    StoreError, Tx,
    db::{execute, fetch_optional},
};
use crate::domain::{SignInId, Timestamp, UserId};

/// Which of a person's credentials are in force: the moment of the last act that ended their other sign-ins, in
/// microseconds, or one more than the version before it where the clock was set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(transparent)]
pub struct CredentialsVersion(i64);

impl CredentialsVersion {
    /// That of a new account.
    pub const FIRST: Self = Self(0);

    /// Whether it was in force already when something began, as far as the clock can tell: a version from the future is
    /// left by a clock that was set back, and says nothing.
    pub const fn was_in_force_at(self, began: Timestamp, now: Timestamp) -> bool {
        self.0 <= began.micros() || self.0 > now.micros()
    }
}

impl Tx {
    /// The version that is in force; `None` where there is no such account. Read it before you verify anything.
    pub async fn find_credentials_version(&mut self, user: UserId) -> Result<Option<CredentialsVersion>, StoreError> {
        let row =
            fetch_optional!(self, (CredentialsVersion,), "select credentials_version from users where id = $1", user)?;
        Ok(row.map(|(version,)| version))
    }

    /// The version that is in force, if the account is open. Acts that would change either wait until this transaction
    /// ends. Call it before other rows of the account are written, as everybody does.
    pub async fn lock_credentials(&mut self, user: UserId) -> Result<Option<CredentialsVersion>, StoreError> {
        // On PostgreSQL the row is locked by writing it; on SQLite there is one writer anyway.
        let row = fetch_optional!(
            self,
            (CredentialsVersion,),
            "update users set credentials_version = credentials_version
             where id = $1 and disabled_at is null returning credentials_version",
            user,
        )?;
        Ok(row.map(|(version,)| version))
    }

    /// Raises the version, so that what was begun under a former one lets nobody in, and ends all sign-ins of a person but
    /// one; all where none is to stay. Gives how many.
    pub async fn renew_credentials(
        &mut self,
        user: UserId,
        but: Option<SignInId>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let row = fetch_optional!(
            self,
            (CredentialsVersion,),
            "update users set credentials_version =
               case when credentials_version < $2 then $2 else credentials_version + 1 end
             where id = $1 returning credentials_version",
            user,
            now,
        )?;
        let Some((version,)) = row else { return Ok(0) };
        let but = but.map_or(uuid::Uuid::nil(), SignInId::uuid);
        let ended = execute!(
            self,
            "update sign_ins set ended_at = $3 where user_id = $1 and id <> $2 and ended_at is null",
            user,
            but,
            now,
        )?;
        execute!(
            self,
            "update sign_ins set credentials_version = $3 where id = $2 and user_id = $1 and ended_at is null",
            user,
            but,
            version,
        )?;
        Ok(ended)
    }

    /// Forgets what somebody may have begun in the name of a person and not ended: pending sign-ins, links for another
    /// address or password, an authenticator app without its first code. Whoever renews the credentials because another
    /// person may know them calls this too.
    pub async fn forget_what_was_begun(&mut self, user: UserId) -> Result<(), StoreError> {
        self.delete_pending_sign_ins_of(user).await?;
        execute!(
            self,
            "delete from links where user_id = $1 and purpose in ('change_address', 'reset_password')",
            user
        )?;
        execute!(self, "delete from factors where user_id = $1 and confirmed_at is null", user)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_began_before_a_version_did_not_begin_under_it_unless_the_clock_was_set_back() {
        let at = Timestamp::from_micros;
        let version = CredentialsVersion(1_000);
        for (began, now, was) in [(1_000, 1_000, true), (1_001, 2_000, true), (999, 2_000, false), (500, 999, true)] {
            assert_eq!(version.was_in_force_at(at(began), at(now)), was, "{began} {now}");
        }
        assert!(CredentialsVersion::FIRST.was_in_force_at(at(0), at(1)));
    }
}
