//! Session records: where they are kept, and under which names.
//!
//! The browser holds a random id; the store only ever sees its keyed hash, so that a copy of the store lets nobody
//! in. A record holds the id of a sign-in (the `sign_ins` row decides), of one that waits for its second factor, or
//! of a passkey's ceremony, and nothing else.

use std::fmt;

use fred::prelude::{ClientLike, Config as RedisConfig, Pool};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tower_sessions::{
    Expiry, SessionManagerLayer, SessionStore,
    cookie::{SameSite, time::OffsetDateTime},
    session::{Id, Record},
    session_store::{Error, Result},
};
use tower_sessions_redis_store::RedisStore;
use uuid::Uuid;

use crate::{
    domain::Timestamp,
    server::{
        clock::Clock,
        store::{Store, StoreError},
    },
};

/// How long a record is kept without a change; longer than any sign-in lasts without a new record.
const RECORD_DAYS: i64 = 120;

/// Where session records are kept.
#[derive(Clone)]
pub struct SessionBackend {
    kept_in: KeptIn,
    key: [u8; 32],
    clock: Clock,
}

#[derive(Clone)]
enum KeptIn {
    Database(Store),
    Redis(RedisStore<Pool>),
}

impl fmt::Debug for SessionBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept_in = match self.kept_in {
            KeptIn::Database(_) => "database",
            KeptIn::Redis(_) => "redis",
        };
        f.debug_struct("SessionBackend").field("kept_in", &kept_in).finish_non_exhaustive()
    }
}

impl SessionBackend {
    /// Keeps records in the database.
    pub fn in_database(store: Store, key: [u8; 32], clock: Clock) -> Self {
        Self { kept_in: KeptIn::Database(store), key, clock }
    }

    /// Keeps records in Redis.
    ///
    /// # Errors
    /// Where the URL is wrong or the server does not answer within 5 s.
    pub async fn in_redis(
        url: &SecretString,
        key: [u8; 32],
        clock: Clock,
    ) -> std::result::Result<Self, fred::error::Error> {
        let config = RedisConfig::from_url(url.expose_secret())?;
        let pool = fred::types::Builder::from_config(config)
            .with_connection_config(|connection| {
                connection.connection_timeout = std::time::Duration::from_secs(5);
                connection.internal_command_timeout = std::time::Duration::from_secs(2);
            })
            .with_performance_config(|performance| {
                performance.default_command_timeout = std::time::Duration::from_secs(2);
            })
            .set_policy(fred::types::config::ReconnectPolicy::new_linear(0, 2_000, 100))
            .build_pool(4)?;
        pool.init().await?;
        Ok(Self { kept_in: KeptIn::Redis(RedisStore::new(pool)), key, clock })
    }

    fn hashed(&self, id: Id) -> Id {
        let mut hasher = Sha256::new();
        hasher.update(self.key);
        hasher.update(id.0.to_be_bytes());
        let digest = hasher.finalize();
        let mut first = [0; 16];
        first.copy_from_slice(&digest[..16]);
        Id(i128::from_be_bytes(first))
    }

    fn hidden(&self, record: &Record) -> Record {
        let mut hidden = record.clone();
        hidden.id = self.hashed(record.id);
        hidden.expiry_date = OffsetDateTime::now_utc() + time::Duration::days(RECORD_DAYS);
        hidden
    }

    fn expires_at(&self) -> Timestamp {
        self.clock.now().plus_seconds(RECORD_DAYS * 86_400)
    }
}

fn backend(error: StoreError) -> Error {
    Error::Backend(error.to_string())
}

const fn key(id: Id) -> Uuid {
    Uuid::from_bytes(id.0.to_be_bytes())
}

fn encode(record: &Record) -> Result<String> {
    serde_json::to_string(record).map_err(|error| Error::Encode(error.to_string()))
}

#[async_trait::async_trait]
impl SessionStore for SessionBackend {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let store = match &self.kept_in {
            KeptIn::Redis(redis) => return redis.create(&mut self.hidden(record)).await,
            KeptIn::Database(store) => store,
        };
        let hidden = self.hidden(record);
        let mut tx = store.write().await.map_err(backend)?;
        tx.insert_session(key(hidden.id), &encode(&hidden)?, self.expires_at()).await.map_err(backend)?;
        tx.commit().await.map_err(backend)
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let store = match &self.kept_in {
            KeptIn::Redis(redis) => return redis.save(&self.hidden(record)).await,
            KeptIn::Database(store) => store,
        };
        let hidden = self.hidden(record);
        let mut tx = store.write().await.map_err(backend)?;
        // A record that a sign-out deleted in the meantime stays deleted.
        tx.update_session(key(hidden.id), &encode(&hidden)?, self.expires_at()).await.map_err(backend)?;
        tx.commit().await.map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let hidden = self.hashed(*id);
        let found = match &self.kept_in {
            KeptIn::Redis(redis) => redis.load(&hidden).await?,
            KeptIn::Database(store) => {
                let mut tx = store.read().await.map_err(backend)?;
                let text = tx.find_session(key(hidden), self.clock.now()).await.map_err(backend)?;
                text.map(|text| serde_json::from_str::<Record>(&text))
                    .transpose()
                    .map_err(|error| Error::Decode(error.to_string()))?
            }
        };
        Ok(found.map(|mut record| {
            record.id = *id;
            record
        }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let hidden = self.hashed(*id);
        match &self.kept_in {
            KeptIn::Redis(redis) => redis.delete(&hidden).await,
            KeptIn::Database(store) => {
                let mut tx = store.write().await.map_err(backend)?;
                tx.delete_session(key(hidden)).await.map_err(backend)?;
                tx.commit().await.map_err(backend)
            }
        }
    }
}

/// The cookie's name: with the prefix that makes browsers insist on `Secure` and this host, where there is https.
pub const fn cookie_name(https: bool) -> &'static str {
    if https { "__Host-colloquy" } else { "colloquy" }
}

/// The name of the cookie that binds a way to an identity provider to its browser, likewise.
pub const fn flow_cookie_name(https: bool) -> &'static str {
    if https { "__Host-colloquy-flow" } else { "colloquy-flow" }
}

/// The layer that reads and writes session cookies.
pub fn layer(backend: SessionBackend, https: bool) -> SessionManagerLayer<SessionBackend> {
    SessionManagerLayer::new(backend)
        .with_name(cookie_name(https))
        .with_secure(https)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnSessionEnd)
}
