//! What every change of an account leaves in order, whoever makes it.

use super::Accounts;
use crate::{
    domain::{AppError, UserId},
    server::{fault::Fault, store::Tx},
};

impl Accounts {
    /// Refuses a change that has left no administrator who can sign in. Whoever deletes, disables or demotes an administrator
    /// calls this in the transaction of the change, after `lock_administrators` and the change itself.
    ///
    /// # Errors
    /// `Conflict`.
    pub async fn require_an_administrator(&self, tx: &mut Tx) -> Result<(), Fault> {
        if tx.count_administrators().await? > 0 {
            return Ok(());
        }
        Err(AppError::conflict(reason!("last_administrator")).into())
    }

    /// Ends all sign-ins of a person, and every sign-in and passkey ceremony that has only begun.
    pub async fn revoke_sign_ins(&self, tx: &mut Tx, user: UserId) -> Result<(), Fault> {
        tx.renew_credentials(user, None, self.clock.now()).await?;
        tx.forget_what_was_begun(user).await?;
        Ok(())
    }
}
