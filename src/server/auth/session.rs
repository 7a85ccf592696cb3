//! Session records: where they are kept, and under which names.
//!
//! The browser holds a random id; the store only ever sees its keyed hash, so that a copy of the store lets nobody
//! in. A record holds the id of a sign-in (the `sign_ins` row decides), of one that waits for its second factor, or
//! of a passkey's ceremony, and nothing else. Records are in the database; where there is a Redis it has copies.

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
    account::SIGN_IN,
    factors::{CEREMONY, PENDING},
    session_cache::SessionCache,
};
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
    /// Keeps records in the database.
    pub fn in_database(store: Store, key: [u8; 32], clock: Clock) -> Self {
        Self { store, cache: None, key, clock }
    }

    /// Keeps records in the database, with copies in Redis, which is asked first. Redis may be away, now or later.
    ///
    /// # Errors
    /// Where the URL is wrong, where Redis does not let us in, or where something else than Redis answers.
    pub async fn through_redis(
        url: &SecretString,
        store: Store,
        key: [u8; 32],
        clock: Clock,
    ) -> std::result::Result<Self, fred::error::Error> {
        Ok(Self { store, cache: Some(SessionCache::open(url).await?), key, clock })
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

/// What a record names: a sign-in before all, else one that waits for its second factor, else a ceremony.
fn named_by(record: &Record) -> Option<Uuid> {
    let named = [SIGN_IN, PENDING, CEREMONY].iter().find_map(|entry| record.data.get(*entry));
    named.and_then(|id| id.as_str()).and_then(|id| Uuid::parse_str(id).ok())
}

#[async_trait::async_trait]
impl SessionStore for SessionBackend {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let hidden = self.hidden(record);
        let mut tx = self.store.write().await.map_err(backend)?;
        let (text, named) = (encode(&hidden)?, named_by(&hidden));
        tx.insert_session(key(hidden.id), &text, named, self.expires_at()).await.map_err(backend)?;
        tx.commit().await.map_err(backend)?;
        if let Some(cache) = &self.cache {
            cache.keep(&hidden).await;
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let hidden = self.hidden(record);
        let mut tx = self.store.write().await.map_err(backend)?;
        // A record that a sign-out deleted in the meantime stays deleted.
        let (text, named) = (encode(&hidden)?, named_by(&hidden));
        let is_there = tx.update_session(key(hidden.id), &text, named, self.expires_at()).await.map_err(backend)?;
        tx.commit().await.map_err(backend)?;
        match &self.cache {
            Some(cache) if is_there => cache.replace(&hidden).await,
            Some(cache) => cache.forget(hidden.id).await,
            None => {}
        }
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let hidden = self.hashed(*id);
        let named = |record: Record| Record { id: *id, ..record };
        if let Some(cache) = &self.cache
            && let Some(record) = cache.find(hidden).await
        {
            return Ok(Some(named(record)));
        }
        let mut tx = self.store.read().await.map_err(backend)?;
        let text = tx.find_session(key(hidden), self.clock.now()).await.map_err(backend)?;
        drop(tx);
        let Some(text) = text else { return Ok(None) };
        let record: Record = serde_json::from_str(&text).map_err(|error| Error::Decode(error.to_string()))?;
        if let Some(cache) = self.cache.clone() {
            // Nobody waits for the copy.
            let record = record.clone();
            tokio::spawn(async move { cache.keep(&record).await });
        }
        Ok(Some(named(record)))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let hidden = self.hashed(*id);
        let mut tx = self.store.write().await.map_err(backend)?;
        tx.delete_session(key(hidden)).await.map_err(backend)?;
        tx.commit().await.map_err(backend)?;
        if let Some(cache) = &self.cache {
            cache.forget(hidden).await;
        }
        Ok(())
    }
}
