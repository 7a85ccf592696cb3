//! The e-mail addresses of accounts and their verification.

use super::{
    Owned, StoreError,
    db::{execute, fetch_optional},
};
use crate::domain::{Email, Timestamp};

/// The verification state of an account's e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct AddressState {
    /// When the address was verified.
    pub email_verified_at: Option<Timestamp>,
    /// Whether it must be verified before the first sign-in.
    pub must_verify: bool,
}

impl Owned<'_> {
    /// The verification state of an account's e-mail address; `None` if the account does not exist.
    pub async fn find_address_state(&mut self) -> Result<Option<AddressState>, StoreError> {
        Ok(fetch_optional!(
            self.tx,
            AddressState,
            "select email_verified_at, must_verify from users where id = $1",
            self.owner
        )?)
    }

    /// Blocks sign-ins to an account until its e-mail address is verified.
    pub async fn require_verified_address(&mut self) -> Result<(), StoreError> {
        execute!(self.tx, "update users set must_verify = true where id = $1", self.owner)?;
        Ok(())
    }

    /// Deletes an account that never could be used, because its e-mail address was never verified; `false` if it is not
    /// such an account. A disabled account is kept.
    pub async fn delete_unverified(&mut self) -> Result<bool, StoreError> {
        let changed = execute!(
            self.tx,
            "delete from users where id = $1 and must_verify = true and email_verified_at is null and disabled_at is null
               and last_seen_at is null and not exists (select 1 from sign_ins where user_id = $1)",
            self.owner,
        )?;
        Ok(changed == 1)
    }

    /// Marks the e-mail address as verified; `false` if it is no longer the account's address.
    pub async fn verify_address(&mut self, email: &Email, now: Timestamp) -> Result<bool, StoreError> {
        let changed = execute!(
            self.tx,
            "update users set email_verified_at = $3, must_verify = false where id = $1 and email_key = $2",
            self.owner,
            email.key(),
            now,
        )?;
        Ok(changed == 1)
    }

    /// Changes the e-mail address of an account to one that was just verified.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] if another account has this address.
    pub async fn update_address(&mut self, email: &Email, now: Timestamp) -> Result<(), StoreError> {
        execute!(
            self.tx,
            "update users set email = $2, email_key = $3, email_verified_at = $4, must_verify = false where id = $1",
            self.owner,
            email.as_entered(),
            email.key(),
            now,
        )?;
        Ok(())
    }

    /// Replaces the password hash of an account unconditionally.
    pub async fn replace_password_hash(&mut self, new: &str) -> Result<(), StoreError> {
        execute!(self.tx, "update users set password_hash = $2 where id = $1", self.owner, new)?;
        Ok(())
    }
}
