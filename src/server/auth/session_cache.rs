//! A Redis cache in front of the session records in the database.
//!
//! It saves one of two database queries on a cache hit, which helps only if several instances share a database
//! (`docs/decisions/0004-redis.md`). The database is the source of truth. If Redis does not answer within
//! [`REQUEST_TIMEOUT`], the cache is bypassed, and no request waits for it until a background ping succeeds. Records
//! that changed meanwhile are deleted from Redis before it is used again. A stale entry that is left all the same (by
//! an instance that crashed, say) grants no access: the row of the sign-in and its serial decide.

use std::{
    collections::HashSet,
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use fred::{
    error::{Error as RedisError, ErrorKind},
    prelude::{ClientLike, Config as RedisConfig, Pool},
    types::{Builder, config::ReconnectPolicy},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, sleep, timeout};
use tower_sessions::{
    SessionStore,
    cookie::time::{Duration as RecordAge, OffsetDateTime},
    session::{Id, Record},
    session_store::{Error, Result},
};
use tower_sessions_redis_store::RedisStore;

/// How long a request waits for Redis.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(250);
/// How long start-up waits for Redis.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Time between two pings while Redis is unavailable.
const PING_INTERVAL: Duration = Duration::from_millis(500);
/// How long an entry stays in the cache.
const ENTRY_TTL: Duration = Duration::from_secs(300);
/// Size of the connection pool.
const CONNECTIONS: usize = 4;
/// Maximum number of changed records to remember while Redis is unavailable. Beyond it, the cache is bypassed until all
/// its entries have expired.
const MAX_CHANGED_IDS: usize = 10_000;

/// The cache. Clones share it.
#[derive(Clone)]
pub(super) struct SessionCache(Arc<Inner>);

struct Inner {
    pool: Pool,
    records: RedisStore<Pool>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Whether Redis is unavailable and therefore bypassed.
    bypassed: bool,
    /// Records to delete from Redis before it is used again.
    changed_ids: HashSet<Id>,
    /// The cache is bypassed at least until then.
    bypassed_until: Option<Instant>,
}

impl fmt::Debug for SessionCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionCache").field("bypassed", &self.is_bypassed()).finish_non_exhaustive()
    }
}

impl SessionCache {
    /// Whether requests do not ask Redis at the moment, because it did not answer.
    pub fn is_bypassed(&self) -> bool {
        self.0.state().bypassed
    }

    /// Connects to Redis, or keeps reconnecting in the background if it is unavailable now.
    ///
    /// # Errors
    /// If the URL is invalid, if Redis refuses the credentials, or if the server is not Redis.
    pub async fn open(url: &SecretString) -> std::result::Result<Self, RedisError> {
        let config = RedisConfig::from_url(url.expose_secret())?;
        let failure = probe(config.clone()).await?;
        // With `fail_fast` a client would give up permanently if its first connection fails.
        let config = RedisConfig { fail_fast: false, ..config };
        let pool = Builder::from_config(config)
            .with_connection_config(|connection| {
                connection.connection_timeout = CONNECT_TIMEOUT;
                connection.internal_command_timeout = CONNECT_TIMEOUT;
                // A failed command is not retried: by then it may be wrong.
                connection.max_command_attempts = 1;
            })
            .with_performance_config(|performance| performance.default_command_timeout = REQUEST_TIMEOUT)
            .set_policy(ReconnectPolicy::new_constant(0, 500))
            .build_pool(CONNECTIONS)?;
        pool.connect();
        let state = Mutex::new(State { bypassed: failure.is_some(), ..State::default() });
        let inner = Arc::new(Inner { records: RedisStore::new(pool.clone()), pool, state });
        match failure {
            Some(reason) => inner.start_bypass(&reason),
            // A pool that has just answered a ping connects quickly.
            None => drop(timeout(CONNECT_TIMEOUT, inner.pool.wait_for_connect()).await),
        }
        Ok(Self(inner))
    }

    /// The cached copy of a record, if any. No retries.
    pub async fn get(&self, id: Id) -> Option<Record> {
        self.0.request(self.0.records.load(&id)).await.ok().flatten()
    }

    /// Caches a record that was read from the database or inserted there.
    pub async fn insert(&self, record: &Record) {
        let mut copy = copy_of(record);
        let cached = self.0.request(self.0.records.create(&mut copy)).await;
        // If two tasks cache the same record at the same time, the second copy gets another id.
        if cached.is_ok() && copy.id != record.id {
            self.remove(copy.id).await;
        }
    }

    /// Updates the cached copy of a record, if any.
    pub async fn replace(&self, record: &Record) {
        if self.0.request(self.0.records.save(&copy_of(record))).await.is_err() {
            self.0.remove_later(record.id);
        }
    }

    /// Removes the cached copy of a record.
    pub async fn remove(&self, id: Id) {
        if self.0.request(self.0.records.delete(&id)).await.is_err() {
            self.0.remove_later(id);
        }
    }
}

fn copy_of(record: &Record) -> Record {
    let ttl = RecordAge::try_from(ENTRY_TTL).unwrap_or(RecordAge::MINUTE);
    Record { expiry_date: OffsetDateTime::now_utc() + ttl, ..record.clone() }
}

/// Pings Redis. Returns `None` if it answers, otherwise the reason. Permanent errors are returned as errors.
async fn probe(config: RedisConfig) -> std::result::Result<Option<String>, RedisError> {
    let client = Builder::from_config(config)
        .with_connection_config(|connection| connection.connection_timeout = CONNECT_TIMEOUT)
        .build()?;
    let answer = timeout(CONNECT_TIMEOUT, async {
        client.init().await?;
        client.ping::<()>(None).await
    })
    .await;
    match answer {
        Err(_) => Ok(Some("timeout".to_owned())),
        Ok(Err(error)) if is_transient(&error) => Ok(Some(error.details().to_owned())),
        Ok(Err(error)) => Err(error),
        Ok(Ok(())) => {
            // The connection may fail at any time from now on.
            drop(timeout(REQUEST_TIMEOUT, client.quit()).await);
            Ok(None)
        }
    }
}

/// Whether an error is transient (server down, starting or busy), not a configuration error.
fn is_transient(error: &RedisError) -> bool {
    let prefixes = ["LOADING", "BUSY", "MASTERDOWN", "TRYAGAIN", "CLUSTERDOWN"];
    matches!(error.kind(), ErrorKind::IO | ErrorKind::Timeout | ErrorKind::Canceled)
        || prefixes.iter().any(|prefix| error.details().starts_with(prefix))
}

/// Redis was not asked, or did not answer.
struct Bypassed;

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a request with a timeout, unless Redis is known to be unavailable.
    async fn request<T>(self: &Arc<Self>, answer: impl Future<Output = Result<T>>) -> std::result::Result<T, Bypassed>
    where
        T: Default,
    {
        if self.state().bypassed {
            return Err(Bypassed);
        }
        let reason = match timeout(REQUEST_TIMEOUT, answer).await {
            Ok(Ok(answer)) => return Ok(answer),
            // An entry that cannot be decoded counts as a cache miss.
            Ok(Err(Error::Decode(_) | Error::Encode(_))) => return Ok(T::default()),
            Ok(Err(Error::Backend(reason))) => reason,
            Err(_) => "timeout".to_owned(),
        };
        if !std::mem::replace(&mut self.state().bypassed, true) {
            self.start_bypass(&reason);
        }
        Err(Bypassed)
    }

    /// Remembers a record to delete before Redis is used again.
    fn remove_later(self: &Arc<Self>, id: Id) {
        let mut state = self.state();
        if state.changed_ids.len() >= MAX_CHANGED_IDS {
            state.changed_ids.clear();
            state.bypassed_until = Some(Instant::now() + ENTRY_TTL);
        }
        state.changed_ids.insert(id);
        // Redis may have become available again since the failed request.
        let is_new = !std::mem::replace(&mut state.bypassed, true);
        drop(state);
        if is_new {
            self.start_bypass("a session changed during recovery");
        }
    }

    /// Logs that Redis is bypassed, and starts the background pings.
    fn start_bypass(self: &Arc<Self>, reason: &str) {
        tracing::warn!(reason, "cannot reach Redis; sessions are read from the database");
        tokio::spawn(wait_for_recovery(Arc::downgrade(self)));
    }

    /// Whether Redis may be used again: it answers, and the changed records are deleted.
    async fn try_recover(&self) -> bool {
        if self.state().bypassed_until.is_some_and(|until| Instant::now() < until) {
            return false;
        }
        if !matches!(timeout(REQUEST_TIMEOUT, self.pool.ping::<()>(None)).await, Ok(Ok(()))) {
            return false;
        }
        loop {
            let id = {
                let mut state = self.state();
                let Some(id) = state.changed_ids.iter().next().copied() else {
                    *state = State::default();
                    return true;
                };
                id
            };
            if !matches!(timeout(REQUEST_TIMEOUT, self.records.delete(&id)).await, Ok(Ok(()))) {
                return false;
            }
            self.state().changed_ids.remove(&id);
        }
    }
}

/// Pings Redis until it is available again. Stops when the cache is dropped.
async fn wait_for_recovery(cache: Weak<Inner>) {
    loop {
        sleep(PING_INTERVAL).await;
        let Some(cache) = cache.upgrade() else { return };
        if cache.try_recover().await {
            tracing::info!("Redis is available again");
            return;
        }
    }
}
