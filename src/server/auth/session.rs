//! The session store: where session records are stored, and under which keys.
//!
//! The browser holds a random session id; the store only sees its keyed hash, so a leaked copy of the store grants no
//! access. A record holds only the id of a sign-in (the `sign_ins` row decides), of a pending sign-in, or of a passkey
//! ceremony. Records are in the database; Redis, if configured, caches them.

use secrecy::SecretString;
use sha2::{Digest, Sha256};
use tower_sessions::{
    SessionStore,
    cookie::time::OffsetDateTime,
    session::{Id, Record},
    session_store::{Error, Result},
};
use uuid::Uuid;

use super::{
    session_cache::SessionCache,
    session_state::{CEREMONY_KEY, PENDING_KEY, SIGN_IN_KEY, SIGN_UP_KEY},
};
use crate::{
    domain::Timestamp,
    server::{
        clock::Clock,
        store::{Store, StoreError},
    },
};

/// How long an unchanged record is stored, in days; longer than any sign-in lasts without a new record.
const RECORD_TTL_DAYS: i64 = 120;

/// The session store.
#[derive(Clone)]
pub struct SessionBackend {
    store: Store,
    cache: Option<SessionCache>,
    key: [u8; 32],
    clock: Clock,
}

impl std::fmt::Debug for SessionBackend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionBackend").field("cache", &self.cache).finish_non_exhaustive()
    }
}

impl SessionBackend {
    /// Stores records in the database only.
    pub fn in_database(store: Store, key: [u8; 32], clock: Clock) -> Self {
        Self { store, cache: None, key, clock }
    }

    /// Stores records in the database, with Redis as a cache. Redis may be unavailable, now or later.
    ///
    /// # Errors
    /// If the URL is invalid, if Redis refuses the credentials, or if the server is not Redis.
    pub async fn with_redis(
        url: &SecretString,
        store: Store,
        key: [u8; 32],
        clock: Clock,
    ) -> std::result::Result<Self, fred::error::Error> {
        Ok(Self { store, cache: Some(SessionCache::open(url).await?), key, clock })
    }

    /// Whether there is a cache that is bypassed at the moment, because Redis did not answer.
    pub fn is_cache_bypassed(&self) -> bool {
        self.cache.as_ref().is_some_and(SessionCache::is_bypassed)
    }

    fn hash_id(&self, id: Id) -> Id {
        let mut hasher = Sha256::new();
        hasher.update(self.key);
        hasher.update(id.0.to_be_bytes());
        let digest = hasher.finalize();
        let mut first = [0; 16];
        first.copy_from_slice(&digest[..16]);
        Id(i128::from_be_bytes(first))
    }

    fn with_hashed_id(&self, record: &Record) -> Record {
        let mut hashed = record.clone();
        hashed.id = self.hash_id(record.id);
        hashed.expiry_date = OffsetDateTime::now_utc() + time::Duration::days(RECORD_TTL_DAYS);
        hashed
    }

    fn expires_at(&self) -> Timestamp {
        self.clock.now().plus_seconds(RECORD_TTL_DAYS * 86_400)
    }
}

fn backend_error(error: StoreError) -> Error {
    Error::Backend(error.to_string())
}

const fn key(id: Id) -> Uuid {
    Uuid::from_bytes(id.0.to_be_bytes())
}

fn encode(record: &Record) -> Result<String> {
    serde_json::to_string(record).map_err(|error| Error::Encode(error.to_string()))
}

/// The id that a record refers to: a sign-in, else a pending sign-in, else a passkey ceremony.
fn referenced_id(record: &Record) -> Option<Uuid> {
    let reference =
        [SIGN_IN_KEY, PENDING_KEY, SIGN_UP_KEY, CEREMONY_KEY].iter().find_map(|entry| record.data.get(*entry));
    reference.and_then(|id| id.as_str()).and_then(|id| Uuid::parse_str(id).ok())
}

#[async_trait::async_trait]
impl SessionStore for SessionBackend {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let hashed = self.with_hashed_id(record);
        let mut tx = self.store.write().await.map_err(backend_error)?;
        let (text, reference) = (encode(&hashed)?, referenced_id(&hashed));
        tx.insert_session(key(hashed.id), &text, reference, self.expires_at()).await.map_err(backend_error)?;
        tx.commit().await.map_err(backend_error)?;
        if let Some(cache) = &self.cache {
            cache.insert(&hashed).await;
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let hashed = self.with_hashed_id(record);
        let mut tx = self.store.write().await.map_err(backend_error)?;
        // A record that a sign-out deleted in the meantime stays deleted.
        let (text, reference) = (encode(&hashed)?, referenced_id(&hashed));
        let exists =
            tx.update_session(key(hashed.id), &text, reference, self.expires_at()).await.map_err(backend_error)?;
        tx.commit().await.map_err(backend_error)?;
        match &self.cache {
            Some(cache) if exists => cache.replace(&hashed).await,
            Some(cache) => cache.remove(hashed.id).await,
            None => {}
        }
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let hashed = self.hash_id(*id);
        let with_id = |record: Record| Record { id: *id, ..record };
        if let Some(cache) = &self.cache
            && let Some(record) = cache.get(hashed).await
        {
            return Ok(Some(with_id(record)));
        }
        let mut tx = self.store.read().await.map_err(backend_error)?;
        let text = tx.find_session(key(hashed), self.clock.now()).await.map_err(backend_error)?;
        drop(tx);
        let Some(text) = text else { return Ok(None) };
        let record: Record = serde_json::from_str(&text).map_err(|error| Error::Decode(error.to_string()))?;
        if let Some(cache) = self.cache.clone() {
            // The request does not wait for the cache.
            let record = record.clone();
            tokio::spawn(async move { cache.insert(&record).await });
        }
        Ok(Some(with_id(record)))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let hashed = self.hash_id(*id);
        let mut tx = self.store.write().await.map_err(backend_error)?;
        tx.delete_session(key(hashed)).await.map_err(backend_error)?;
        tx.commit().await.map_err(backend_error)?;
        if let Some(cache) = &self.cache {
            cache.remove(hashed).await;
        }
        Ok(())
    }
}
