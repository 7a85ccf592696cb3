//! User preferences and profile pictures.

use super::{
    Owned, StoreError,
    db::{execute, fetch_optional},
};

/// The preferences of a user.
#[derive(Debug, sqlx::FromRow)]
pub struct ProfileRow {
    /// The language tag.
    pub language: String,
    /// The name of the time zone; `None` to use the browser's.
    pub time_zone: Option<String>,
    /// The version of the picture; `None` without a picture.
    pub picture: Option<i64>,
}

impl Owned<'_> {
    /// The preferences of a user.
    pub async fn find_profile(&mut self) -> Result<Option<ProfileRow>, StoreError> {
        Ok(fetch_optional!(
            self.tx,
            ProfileRow,
            "select u.language, u.time_zone, p.version as picture
             from users u left join pictures p on p.user_id = u.id where u.id = $1",
            self.owner
        )?)
    }

    /// Changes the language and the time zone of a user.
    pub async fn update_locale(&mut self, language: &str, time_zone: Option<&str>) -> Result<(), StoreError> {
        execute!(
            self.tx,
            "update users set language = $2, time_zone = $3 where id = $1",
            self.owner,
            language,
            time_zone
        )?;
        Ok(())
    }

    /// The version and the bytes of a user's picture.
    pub async fn find_picture(&mut self) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
        Ok(fetch_optional!(
            self.tx,
            (i64, Vec<u8>),
            "select version, bytes from pictures where user_id = $1",
            self.owner
        )?)
    }

    /// Inserts or replaces a user's picture.
    pub async fn replace_picture(&mut self, version: i64, bytes: &[u8]) -> Result<(), StoreError> {
        execute!(
            self.tx,
            "insert into pictures (user_id, version, bytes) values ($1, $2, $3)
             on conflict (user_id) do update set version = excluded.version, bytes = excluded.bytes",
            self.owner,
            version,
            bytes
        )?;
        Ok(())
    }

    /// Deletes a user's picture; `false` if there was none.
    pub async fn delete_picture(&mut self) -> Result<bool, StoreError> {
        Ok(execute!(self.tx, "delete from pictures where user_id = $1", self.owner)? == 1)
    }
}
