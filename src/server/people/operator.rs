//! Accounts that the operator creates on the command line.

use super::Administration;
use crate::{
    domain::{AppError, Email, PersonSummary, Role},
    server::{audit::RequestMeta, auth::Admission, fault::Fault, names::parse_name, store::StoreError},
};

impl Administration {
    /// Creates an account without a password, and a reset link for its owner to set one. The first account always
    /// becomes an administrator.
    ///
    /// # Errors
    /// `Invalid` on `email` or `name`; `Conflict` if the address is in use.
    pub async fn create_account(
        &self,
        meta: &RequestMeta,
        email: &str,
        name: &str,
        role: Role,
    ) -> Result<(PersonSummary, String), Fault> {
        let email = Email::parse(email)?;
        let name = parse_name(name)?;
        let mut tx = self.store.write().await?;
        if tx.find_user_by_email(email.key()).await?.is_some() {
            return Err(AppError::conflict(reason!("email_taken")).into());
        }
        let admission = Admission::Operator(role);
        let (user, _) = self.accounts.insert_account(&mut tx, &email, &name, "", &admission, (meta, "")).await?;
        let person = tx.admin().find_person(user.id).await?.ok_or(StoreError::Other(sqlx::Error::RowNotFound))?;
        let link = self.accounts.insert_reset_link(&mut tx, (user.id, &person.summary.email)).await?;
        tx.commit().await?;
        Ok((person.summary, link))
    }
}
