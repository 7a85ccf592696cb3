//! Second factors: authenticator apps, passkeys, recovery codes.

use super::{
    Owned, StoreError, Tx,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{FactorId, FactorKind, Timestamp, UserId};

/// A second factor to insert.
#[derive(Debug)]
pub struct NewFactor<'a> {
    /// The factor's id.
    pub id: FactorId,
    /// The name that the user chose.
    pub name: &'a str,
    /// The kind of the factor and its credential.
    pub data: FactorData<'a>,
    /// The current time.
    pub created_at: Timestamp,
}

/// The kind-specific data of a second factor.
#[derive(Debug, Clone, Copy)]
pub enum FactorData<'a> {
    /// An authenticator app that is not confirmed yet.
    Totp {
        /// The sealed TOTP secret.
        secret: &'a str,
    },
    /// A passkey that is registered.
    Passkey {
        /// The credential id, in base64.
        id: &'a str,
        /// The public part of the credential as JSON.
        credential: &'a str,
    },
}

/// A stored second factor.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct FactorRow {
    /// The factor's id.
    pub id: FactorId,
    /// The owner.
    pub user_id: UserId,
    #[sqlx(try_from = "String")]
    kind: FactorKind,
    /// The name that the user chose.
    pub name: String,
    /// The sealed secret of an authenticator app.
    pub secret: Option<String>,
    /// The public part of a passkey as JSON.
    pub credential: Option<String>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

impl FactorRow {
    /// The kind of the factor.
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

    /// The owner's newest authenticator app that is not confirmed yet.
    pub async fn find_unconfirmed_totp(&mut self) -> Result<Option<FactorRow>, StoreError> {
        Ok(fetch_optional!(
            self.tx,
            FactorRow,
            "select id, user_id, kind, name, secret, credential, created_at, last_used_at from factors
             where user_id = $1 and kind = 'totp' and confirmed_at is null order by created_at desc, id desc limit 1",
            self.owner
        )?)
    }

    /// Inserts a factor. An authenticator app is inactive until it is confirmed.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] if the passkey is already registered.
    pub async fn insert_factor(&mut self, factor: &NewFactor<'_>) -> Result<(), StoreError> {
        let (kind, secret, id, credential, confirmed_at) = match factor.data {
            FactorData::Totp { secret } => ("totp", Some(secret), None, None, None),
            FactorData::Passkey { id, credential } => {
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

    /// Confirms an authenticator app with the time step of its first code. Of several concurrent calls, one gets
    /// `true`.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] if the owner already has a confirmed authenticator app.
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

    /// Marks the code of a time step as used, against replay. Only the first caller gets `true`, and only if no later
    /// step was used.
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

    /// Records the use of a passkey and stores its updated credential.
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

    /// Renames a factor; `false` if the owner has none with this id.
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

    /// Deletes a factor; `false` if the owner has none with this id.
    pub async fn delete_factor(&mut self, factor: FactorId) -> Result<bool, StoreError> {
        let deleted = execute!(self.tx, "delete from factors where id = $1 and user_id = $2", factor, self.owner)?;
        Ok(deleted == 1)
    }

    /// Deletes authenticator apps that were never confirmed.
    pub async fn delete_unconfirmed_factors(&mut self) -> Result<(), StoreError> {
        execute!(self.tx, "delete from factors where user_id = $1 and confirmed_at is null", self.owner)?;
        Ok(())
    }

    /// The number of unused recovery codes.
    pub async fn count_recovery_codes(&mut self) -> Result<u32, StoreError> {
        let row = fetch_optional!(
            self.tx,
            (i64,),
            "select count(*) from recovery_codes where user_id = $1 and used_at is null",
            self.owner
        )?;
        Ok(row.and_then(|(count,)| u32::try_from(count).ok()).unwrap_or_default())
    }

    /// Replaces all recovery codes with these hashes.
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

    /// Marks a recovery code as used. Only the first caller gets `true`.
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
    /// The passkey with this credential id, unless its owner is disabled.
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
