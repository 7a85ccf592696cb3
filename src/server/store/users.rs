//! User accounts.

use super::{
    Admin, CredentialsVersion, Owned, StoreError, Tx,
    db::{execute, fetch_optional},
    people::name_key,
};
use crate::domain::{CurrentUser, Role, Timestamp, UserId};

/// A user account to insert.
#[derive(Debug)]
pub struct NewUser<'a> {
    /// The user's id.
    pub id: UserId,
    /// The e-mail address as entered.
    pub email: &'a str,
    /// The normalized e-mail address, which is unique.
    pub email_key: &'a str,
    /// The display name.
    pub name: &'a str,
    /// The password hash as a PHC string; empty for an account without a password.
    pub password_hash: &'a str,
    /// The user's role.
    pub role: Role,
    /// The language tag for pages and mails.
    pub language: &'a str,
    /// The current time.
    pub created_at: Timestamp,
}

/// The columns of an account that sign-in needs.
#[derive(Debug, sqlx::FromRow)]
pub struct UserRow {
    /// The user's id.
    pub id: UserId,
    /// The password hash as a PHC string; empty for an account without a password.
    pub password_hash: String,
    /// When an administrator disabled the account; `None` for an enabled account.
    pub disabled_at: Option<Timestamp>,
    /// Whether the e-mail address must be verified before the first sign-in.
    pub must_verify: bool,
    /// The current version of the credentials.
    pub credentials_version: CredentialsVersion,
}

impl Tx {
    /// Inserts a user account.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] if the e-mail address is already in use.
    pub async fn insert_user(&mut self, user: &NewUser<'_>) -> Result<(), StoreError> {
        execute!(
            self,
            "insert into users (id, email, email_key, name, password_hash, role, language, created_at, name_key) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            user.id,
            user.email,
            user.email_key,
            user.name,
            user.password_hash,
            user.role.as_str(),
            user.language,
            user.created_at,
            name_key(user.name),
        )?;
        Ok(())
    }

    /// Whether the first account exists.
    pub async fn is_installed(&mut self) -> Result<bool, StoreError> {
        let row = fetch_optional!(self, (i64,), "select cast(1 as bigint) from installation")?;
        Ok(row.is_some())
    }

    /// The account with this e-mail address.
    pub async fn find_user_by_email(&mut self, email_key: &str) -> Result<Option<UserRow>, StoreError> {
        Ok(fetch_optional!(
            self,
            UserRow,
            "select id, password_hash, disabled_at, must_verify, credentials_version from users where email_key = $1",
            email_key
        )?)
    }

    /// The language tag of the account with this e-mail address.
    pub async fn find_language_of_address(&mut self, email_key: &str) -> Result<Option<String>, StoreError> {
        let row = fetch_optional!(self, (String,), "select language from users where email_key = $1", email_key)?;
        Ok(row.map(|(language,)| language))
    }
}

impl Owned<'_> {
    /// The user as shown on their own pages.
    pub async fn find_user(&mut self) -> Result<Option<CurrentUser>, StoreError> {
        let row = fetch_optional!(
            self.tx,
            (UserId, String, String, String),
            "select id, name, email, role from users where id = $1",
            self.owner
        )?;
        row.map(|(id, name, email, role)| Ok(CurrentUser { id, name, email, role: role.try_into()? })).transpose()
    }

    /// Replaces a password hash if it is still `old`, the one that was verified; `false` if it is not.
    pub async fn update_password_hash(&mut self, old: &str, new: &str) -> Result<bool, StoreError> {
        let changed = execute!(
            self.tx,
            "update users set password_hash = $3 where id = $1 and password_hash = $2",
            self.owner,
            old,
            new
        )?;
        Ok(changed == 1)
    }

    /// The password hash of an account, for re-authentication.
    pub async fn find_password_hash(&mut self) -> Result<Option<String>, StoreError> {
        let row = fetch_optional!(self.tx, (String,), "select password_hash from users where id = $1", self.owner)?;
        Ok(row.map(|(hash,)| hash))
    }

    /// Changes the display name of a user.
    pub async fn update_name(&mut self, name: &str) -> Result<(), StoreError> {
        execute!(self.tx, "update users set name = $2, name_key = $3 where id = $1", self.owner, name, name_key(name))?;
        Ok(())
    }
}

impl Admin<'_> {
    /// Records this account as the first administrator, unless there is one. Of several concurrent transactions, only
    /// one gets `true`; the others wait for it.
    pub async fn claim_installation(&mut self, administrator: UserId, now: Timestamp) -> Result<bool, StoreError> {
        let changed = execute!(
            self.tx,
            "insert into installation (singleton, administrator_id, created_at) values (1, $1, $2) on conflict (singleton) do nothing",
            administrator,
            now,
        )?;
        Ok(changed == 1)
    }

    /// Changes the role of a user.
    pub async fn update_role(&mut self, user: UserId, role: Role) -> Result<(), StoreError> {
        execute!(self.tx, "update users set role = $2 where id = $1", user, role.as_str())?;
        Ok(())
    }
}
