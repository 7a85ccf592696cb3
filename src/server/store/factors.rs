//! Second factors: authenticator apps, passkeys, recovery codes.

use super::{
    Owned, StoreError, Tx,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{FactorId, FactorKind, Timestamp, UserId};

/// A factor to be written.
#[derive(Debug)]
pub struct NewFactor<'a> {
    /// Its id.
    pub id: FactorId,
    /// What the person calls it.
    pub name: &'a str,
    /// What it is.
    pub material: Material<'a>,
    /// Now.
    pub created_at: Timestamp,
}

/// What a factor consists of.
#[derive(Debug, Clone, Copy)]
pub enum Material<'a> {
    /// An authenticator app, which is not confirmed yet.
    Totp {
        /// The sealed secret.
        secret: &'a str,
    },
    /// A passkey, which has shown itself.
    Passkey {
        /// The credential's id, in base64.
        id: &'a str,
        /// Its public part as JSON.
        credential: &'a str,
    },
}

/// A factor as it is kept.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct FactorRow {
    /// Its id.
    pub id: FactorId,
    /// Whose.
    pub user_id: UserId,
    #[sqlx(try_from = "String")]
    kind: FactorKind,
    /// What the person calls it.
    pub name: String,
    /// An app's sealed secret.
    pub secret: Option<String>,
    /// A passkey's public part as JSON.
    pub credential: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

impl FactorRow {
    /// What it is.
    pub const fn kind(&self) -> FactorKind {
        self.kind
    }
}

impl Owned<'_> {
    /// The owner's confirmed factors, oldest first.
    pub async fn list_factors(&mut self) -> Result<Vec<FactorRow>, StoreError> {
        Ok(fetch_all!(
            self.tx,
            FactorRow,
            "select id, user_id, kind, name, secret, credential, created_at, last_used_at from factors
             where user_id = $1 and confirmed_at is not null order by created_at, id",
            self.owner
        )?)
    }

    /// The app that the owner is adding.
    pub async fn find_unconfirmed_totp(&mut self) -> Result<Option<FactorRow>, StoreError> {
        Ok(fetch_optional!(
            self.tx,
            FactorRow,
            "select id, user_id, kind, name, secret, credential, created_at, last_used_at from factors
             where user_id = $1 and kind = 'totp' and confirmed_at is null order by created_at desc, id desc limit 1",
            self.owner
        )?)
    }

    /// Writes a factor. An app must be confirmed before it counts.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] where the passkey is somebody's already.
    pub async fn insert_factor(&mut self, factor: &NewFactor<'_>) -> Result<(), StoreError> {
        let (kind, secret, id, credential, confirmed_at) = match factor.material {
            Material::Totp { secret } => ("totp", Some(secret), None, None, None),
            Material::Passkey { id, credential } => {
                ("passkey", None, Some(id), Some(credential), Some(factor.created_at))
            }
        };
        execute!(
            self.tx,
            "insert into factors (id, user_id, kind, name, secret, credential_id, credential, created_at, confirmed_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            factor.id,
            self.owner,
            kind,
            factor.name,
            secret,
            id,
            credential,
            factor.created_at,
            confirmed_at,
        )?;
        Ok(())
    }

    /// Confirms an app by the step of its first code. Of several that try, one is told `true`.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] where the owner has a confirmed one already.
    pub async fn confirm_factor(&mut self, factor: FactorId, step: i64, now: Timestamp) -> Result<bool, StoreError> {
        let changed = execute!(
            self.tx,
            "update factors set confirmed_at = $4, last_used_at = $4, last_step = $3
             where id = $1 and user_id = $2 and confirmed_at is null",
            factor,
            self.owner,
            step,
            now,
        )?;
        Ok(changed == 1)
    }

    /// Uses the code of a step: `true` for whoever is first, and only where no later step was used.
    pub async fn use_factor_step(&mut self, factor: FactorId, step: i64, now: Timestamp) -> Result<bool, StoreError> {
        let used = fetch_optional!(
            self.tx,
            (FactorId,),
            "update factors set last_step = $3, last_used_at = $4
             where id = $1 and user_id = $2 and confirmed_at is not null and last_step < $3 returning id",
            factor,
            self.owner,
            step,
            now,
        )?;
        Ok(used.is_some())
    }

    /// Notes a passkey's use, with what has changed of it.
    pub async fn update_credential(
        &mut self,
        factor: FactorId,
        credential: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.tx,
            "update factors set credential = $3, last_used_at = $4 where id = $1 and user_id = $2 and kind = 'passkey'",
            factor,
            self.owner,
            credential,
            now,
        )?;
        Ok(changed == 1)
    }

    /// Gives a factor another name; `false` where the owner has none with this id.
    pub async fn update_factor_name(&mut self, factor: FactorId, name: &str) -> Result<bool, StoreError> {
        let changed = execute!(
            self.tx,
            "update factors set name = $3 where id = $1 and user_id = $2 and confirmed_at is not null",
            factor,
            self.owner,
            name
        )?;
        Ok(changed == 1)
    }

    /// Removes a factor; `false` where the owner has none with this id.
    pub async fn delete_factor(&mut self, factor: FactorId) -> Result<bool, StoreError> {
        let deleted = execute!(self.tx, "delete from factors where id = $1 and user_id = $2", factor, self.owner)?;
        Ok(deleted == 1)
    }

    /// Removes apps that were begun and never confirmed.
    pub async fn delete_unconfirmed_factors(&mut self) -> Result<(), StoreError> {
        execute!(self.tx, "delete from factors where user_id = $1 and confirmed_at is null", self.owner)?;
        Ok(())
    }

    /// How many recovery codes are left.
    pub async fn count_recovery_codes(&mut self) -> Result<u32, StoreError> {
        let row = fetch_optional!(
            self.tx,
            (i64,),
            "select count(*) from recovery_codes where user_id = $1 and used_at is null",
            self.owner
        )?;
        Ok(row.and_then(|(count,)| u32::try_from(count).ok()).unwrap_or_default())
    }

    /// Replaces all recovery codes by these hashes.
    pub async fn replace_recovery_codes(&mut self, hashes: &[String]) -> Result<(), StoreError> {
        execute!(self.tx, "delete from recovery_codes where user_id = $1", self.owner)?;
        for hash in hashes {
            execute!(
                self.tx,
                "insert into recovery_codes (user_id, code_hash) values ($1, $2)",
                self.owner,
                hash.as_str()
            )?;
        }
        Ok(())
    }

    /// Uses a recovery code: `true` for whoever is first.
    pub async fn use_recovery_code(&mut self, hash: &str, now: Timestamp) -> Result<bool, StoreError> {
        let changed = execute!(
            self.tx,
            "update recovery_codes set used_at = $3 where user_id = $1 and code_hash = $2 and used_at is null",
            self.owner,
            hash,
            now,
        )?;
        Ok(changed == 1)
    }
}

impl Tx {
    /// The passkey with this credential's id, where its owner is not shut out.
    pub async fn find_passkey(&mut self, credential_id: &str) -> Result<Option<FactorRow>, StoreError> {
        Ok(fetch_optional!(
            self,
            FactorRow,
            "select f.id, f.user_id, f.kind, f.name, f.secret, f.credential, f.created_at, f.last_used_at
             from factors f join users u on u.id = f.user_id
             where f.credential_id = $1 and f.confirmed_at is not null and u.disabled_at is null",
            credential_id
        )?)
    }
}
