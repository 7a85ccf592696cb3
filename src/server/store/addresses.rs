//! The addresses of accounts, and what proving one is good for.

use super::{
    StoreError, Tx,
    db::{execute, fetch_optional},
};
use crate::domain::{Email, Timestamp, UserId};

/// What is known of an account's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct AddressState {
    /// When it was shown to be its owner's.
    pub email_verified_at: Option<Timestamp>,
    /// Whether that must be shown before anybody signs in.
    pub must_verify: bool,
}

impl Tx {
    /// What is known of an account's address; `None` where there is no such account.
    pub async fn find_address_state(&mut self, user: UserId) -> Result<Option<AddressState>, StoreError> {
        Ok(fetch_optional!(self, AddressState, "select email_verified_at, must_verify from users where id = $1", user)?)
    }

    /// Lets nobody sign in to an account until its address is verified.
    pub async fn require_verified_address(&mut self, user: UserId) -> Result<(), StoreError> {
        execute!(self, "update users set must_verify = true where id = $1", user)?;
        Ok(())
    }

    /// Deletes an account into which nobody ever could sign in, because its address was never shown to be its
    /// owner's; whether it was such a one. An account that an administrator has shut stays.
    pub async fn delete_unverified(&mut self, user: UserId) -> Result<bool, StoreError> {
        let changed = execute!(
            self,
            "delete from users where id = $1 and must_verify = true and email_verified_at is null and disabled_at is null
               and last_seen_at is null and not exists (select 1 from sign_ins where user_id = $1)",
            user,
        )?;
        Ok(changed == 1)
    }

    /// Notes that this address is the account's owner's; whether it still is the account's address.
    pub async fn verify_address(&mut self, user: UserId, email: &Email, now: Timestamp) -> Result<bool, StoreError> {
        let changed = execute!(
            self,
            "update users set email_verified_at = $3, must_verify = false where id = $1 and email_key = $2",
            user,
            email.key(),
            now,
        )?;
        Ok(changed == 1)
    }

    /// Gives an account another address, which was just shown to be its owner's.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] where the address is another account's.
    pub async fn update_address(&mut self, user: UserId, email: &Email, now: Timestamp) -> Result<(), StoreError> {
        execute!(
            self,
            "update users set email = $2, email_key = $3, email_verified_at = $4, must_verify = false where id = $1",
            user,
            email.given(),
            email.key(),
            now,
        )?;
        Ok(())
    }

    /// Gives an account another password, whatever the old one was.
    pub async fn replace_password_hash(&mut self, user: UserId, new: &str) -> Result<(), StoreError> {
        execute!(self, "update users set password_hash = $2 where id = $1", user, new)?;
        Ok(())
    }
}
