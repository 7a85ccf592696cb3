//! People.

use super::{
    CredentialsVersion, StoreError, Tx,
    db::{execute, fetch_optional},
    people::name_key,
};
use crate::domain::{CurrentUser, Role, Timestamp, UserId};

/// An account to be made.
#[derive(Debug)]
pub struct NewUser<'a> {
    /// Its id.
    pub id: UserId,
    /// The address as it was given.
    pub email: &'a str,
    /// The spelling under which it is unique.
    pub email_key: &'a str,
    /// The name.
    pub name: &'a str,
    /// The password's hash as a PHC string; empty where there is no password.
    pub password_hash: &'a str,
    /// What they may do.
    pub role: Role,
    /// The tag of the language of their pages and mails.
    pub language: &'a str,
    /// Now.
    pub created_at: Timestamp,
}

/// An account, for signing in.
#[derive(Debug, sqlx::FromRow)]
pub struct UserRow {
    /// Its id.
    pub id: UserId,
    /// The password's hash as a PHC string; empty where there is no password.
    pub password_hash: String,
    /// Set where an administrator has shut the account.
    pub disabled_at: Option<Timestamp>,
    /// Whether nobody may sign in before the address is verified.
    pub must_verify: bool,
    /// Which of its credentials are in force.
    pub credentials_version: CredentialsVersion,
}

impl Tx {
    /// Writes an account.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] where the address is taken.
    pub async fn insert_user(&mut self, user: &NewUser<'_>) -> Result<(), StoreError> {
        execute!(
            self,
            "insert into users (id, email, email_key, name, password_hash, role, language, created_at, name_key) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            user.id,
            user.email,
            user.email_key,
            user.name,
            user.password_hash,
            user.role.word(),
            user.language,
            user.created_at,
            name_key(user.name),
        )?;
        Ok(())
    }

    /// Makes this account the one that set the installation up, if none is yet. Of any number of transactions
    /// that try, one is told `true`; the others wait for it.
    pub async fn claim_installation(&mut self, administrator: UserId, now: Timestamp) -> Result<bool, StoreError> {
        let changed = execute!(
            self,
            "insert into installation (singleton, administrator_id, created_at) values (1, $1, $2) on conflict (singleton) do nothing",
            administrator,
            now,
        )?;
        Ok(changed == 1)
    }

    /// Whether the first account was made.
    pub async fn is_installed(&mut self) -> Result<bool, StoreError> {
        let row = fetch_optional!(self, (i64,), "select cast(1 as bigint) from installation")?;
        Ok(row.is_some())
    }

    /// Changes what an account may do.
    pub async fn update_role(&mut self, user: UserId, role: Role) -> Result<(), StoreError> {
        execute!(self, "update users set role = $2 where id = $1", user, role.word())?;
        Ok(())
    }

    /// The account with this address.
    pub async fn find_user_by_email(&mut self, email_key: &str) -> Result<Option<UserRow>, StoreError> {
        Ok(fetch_optional!(
            self,
            UserRow,
            "select id, password_hash, disabled_at, must_verify, credentials_version from users where email_key = $1",
            email_key
        )?)
    }

    /// The tag of the language of the account with this address.
    pub async fn find_language_of_address(&mut self, email_key: &str) -> Result<Option<String>, StoreError> {
        let row = fetch_optional!(self, (String,), "select language from users where email_key = $1", email_key)?;
        Ok(row.map(|(language,)| language))
    }

    /// An account, as its pages show it.
    pub async fn find_user(&mut self, user: UserId) -> Result<Option<CurrentUser>, StoreError> {
        let row = fetch_optional!(
            self,
            (UserId, String, String, String),
            "select id, name, email, role from users where id = $1",
            user
        )?;
        row.map(|(id, name, email, role)| Ok(CurrentUser { id, name, email, role: role.try_into()? })).transpose()
    }

    /// Replaces a password's hash, if it is still the one that was verified; whether it was.
    pub async fn update_password_hash(&mut self, user: UserId, old: &str, new: &str) -> Result<bool, StoreError> {
        let changed =
            execute!(self, "update users set password_hash = $3 where id = $1 and password_hash = $2", user, old, new)?;
        Ok(changed == 1)
    }

    /// An account's password hash, for proving again who somebody is.
    pub async fn find_password_hash(&mut self, user: UserId) -> Result<Option<String>, StoreError> {
        let row = fetch_optional!(self, (String,), "select password_hash from users where id = $1", user)?;
        Ok(row.map(|(hash,)| hash))
    }

    /// Gives an account another name.
    pub async fn update_name(&mut self, user: UserId, name: &str) -> Result<(), StoreError> {
        execute!(self, "update users set name = $2, name_key = $3 where id = $1", user, name, name_key(name))?;
        Ok(())
    }
}
