//! What people choose for their own pages, and their pictures.

use super::{
    StoreError, Tx,
    db::{execute, fetch_optional},
};
use crate::domain::UserId;

/// What a person chose.
#[derive(Debug, sqlx::FromRow)]
pub struct ProfileRow {
    /// The tag of the language.
    pub language: String,
    /// The name of the time zone.
    pub time_zone: Option<String>,
    /// The version of the picture; `None` where there is none.
    pub picture: Option<i64>,
}

impl Tx {
    /// What a person chose.
    pub async fn find_profile(&mut self, user: UserId) -> Result<Option<ProfileRow>, StoreError> {
        Ok(fetch_optional!(
            self,
            ProfileRow,
            "select u.language, u.time_zone, p.version as picture
             from users u left join pictures p on p.user_id = u.id where u.id = $1",
            user
        )?)
    }

    /// Gives an account's pages another language and time zone.
    pub async fn update_locale(
        &mut self,
        user: UserId,
        language: &str,
        time_zone: Option<&str>,
    ) -> Result<(), StoreError> {
        execute!(self, "update users set language = $2, time_zone = $3 where id = $1", user, language, time_zone)?;
        Ok(())
    }

    /// A person's picture with its version.
    pub async fn find_picture(&mut self, user: UserId) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
        Ok(fetch_optional!(self, (i64, Vec<u8>), "select version, bytes from pictures where user_id = $1", user)?)
    }

    /// Puts a picture in the place of a person's former one.
    pub async fn put_picture(&mut self, user: UserId, version: i64, bytes: &[u8]) -> Result<(), StoreError> {
        execute!(
            self,
            "insert into pictures (user_id, version, bytes) values ($1, $2, $3)
             on conflict (user_id) do update set version = excluded.version, bytes = excluded.bytes",
            user,
            version,
            bytes
        )?;
        Ok(())
    }

    /// Removes a person's picture.
    pub async fn delete_picture(&mut self, user: UserId) -> Result<bool, StoreError> {
        Ok(execute!(self, "delete from pictures where user_id = $1", user)? == 1)
    }
}
