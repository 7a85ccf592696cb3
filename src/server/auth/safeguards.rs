//! Safeguards for every change of an account, whoever makes it.

use super::Accounts;
use crate::{
    domain::{AppError, UserId},
    server::{fault::Fault, store::Tx},
};

impl Accounts {
    /// Fails if no administrator who can sign in would remain. Every change that deletes, disables or demotes an
    /// administrator calls this in its transaction, after `lock_administrators` and the change itself.
    ///
    /// # Errors
    /// `Conflict`.
    pub async fn require_remaining_administrator(&self, tx: &mut Tx) -> Result<(), Fault> {
        if tx.admin().count_administrators().await? > 0 {
            return Ok(());
        }
        Err(AppError::conflict(reason!("last_administrator")).into())
    }

    /// Revokes all sign-ins of a user, and cancels pending sign-ins and passkey ceremonies.
    pub async fn revoke_sign_ins(&self, tx: &mut Tx, user: UserId) -> Result<(), Fault> {
        let mut own = tx.owned_by(user);
        own.renew_credentials(None, self.clock.now()).await?;
        own.cancel_pending_auth().await?;
        Ok(())
    }
}
