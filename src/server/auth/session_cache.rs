//! Redis in front of the session records in the database.
//!
//! It spares a look into the database where it has a record. The database is the truth: where Redis does not answer within
//! [`PATIENCE`] it is left alone, and no request waits for it, until it answers a question of our own again. What changed
//! meanwhile is forgotten there before it is asked for anything. A copy that is left behind all the same (by an instance
//! that died, say) lets nobody in: the row of the sign-in and its serial decide.

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

/// How long a request waits for Redis, once.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long the start waits for it.
const START_PATIENCE: Duration = Duration::from_secs(3);
/// How often it is asked whether it is back.
const PAUSE: Duration = Duration::from_millis(500);
/// How long it keeps a copy of a record.
const KEPT: Duration = Duration::from_secs(300);
/// Connections to it.
const CONNECTIONS: usize = 4;
/// Records that changed while it was away and are remembered. Where there are more it is left alone until all that it
/// kept has expired.
const CHANGED: usize = 10_000;

/// The cache, shared by cloning.
#[derive(Clone)]
pub(super) struct SessionCache(Arc<Inner>);

struct Inner {
    pool: Pool,
    records: RedisStore<Pool>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Whether Redis is left alone.
    away: bool,
    /// What it must forget before it is asked again.
    changed: HashSet<Id>,
    /// Until when it is left alone in any case.
    until: Option<Instant>,
}

impl fmt::Debug for SessionCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionCache").field("away", &self.0.state().away).finish_non_exhaustive()
    }
}

impl SessionCache {
    /// Connects to Redis, or goes on trying where it is not there now.
    ///
    /// # Errors
    /// Where the URL is wrong, where Redis does not let us in, or where something else than Redis answers.
    pub async fn open(url: &SecretString) -> std::result::Result<Self, RedisError> {
        let config = RedisConfig::from_url(url.expose_secret())?;
        let away = first_answer(config.clone()).await?;
        // With `fail_fast` a client would give up for good where its first connection fails.
        let config = RedisConfig { fail_fast: false, ..config };
        let pool = Builder::from_config(config)
            .with_connection_config(|connection| {
                connection.connection_timeout = START_PATIENCE;
                connection.internal_command_timeout = START_PATIENCE;
                // What could not be said is not said later: by then it may be wrong.
                connection.max_command_attempts = 1;
            })
            .with_performance_config(|performance| performance.default_command_timeout = PATIENCE)
            .set_policy(ReconnectPolicy::new_constant(0, 500))
            .build_pool(CONNECTIONS)?;
        pool.connect();
        let state = Mutex::new(State { away: away.is_some(), ..State::default() });
        let inner = Arc::new(Inner { records: RedisStore::new(pool.clone()), pool, state });
        match away {
            Some(reason) => inner.left(&reason),
            // A pool that has just answered once is there in a moment.
            None => drop(timeout(START_PATIENCE, inner.pool.wait_for_connect()).await),
        }
        Ok(Self(inner))
    }

    /// The copy of a record, if there is one. Asks once.
    pub async fn find(&self, id: Id) -> Option<Record> {
        self.0.ask(self.0.records.load(&id)).await.ok().flatten()
    }

    /// Keeps a copy of a record that was found in the database or is new there.
    pub async fn keep(&self, record: &Record) {
        let mut copy = copy_of(record);
        let kept = self.0.ask(self.0.records.create(&mut copy)).await;
        // Of two that do so at once, the second one's copy is put under another id.
        if kept.is_ok() && copy.id != record.id {
            self.forget(copy.id).await;
        }
    }

    /// Replaces the copy of a record, if there is one.
    pub async fn replace(&self, record: &Record) {
        if self.0.ask(self.0.records.save(&copy_of(record))).await.is_err() {
            self.0.forget_later(record.id);
        }
    }

    /// Forgets the copy of a record.
    pub async fn forget(&self, id: Id) {
        if self.0.ask(self.0.records.delete(&id)).await.is_err() {
            self.0.forget_later(id);
        }
    }
}

fn copy_of(record: &Record) -> Record {
    let age = RecordAge::try_from(KEPT).unwrap_or(RecordAge::MINUTE);
    Record { expiry_date: OffsetDateTime::now_utc() + age, ..record.clone() }
}

/// Whether Redis answers now; if not, why. Errors that waiting will not cure are errors.
async fn first_answer(config: RedisConfig) -> std::result::Result<Option<String>, RedisError> {
    let client = Builder::from_config(config)
        .with_connection_config(|connection| connection.connection_timeout = START_PATIENCE)
        .build()?;
    let answer = timeout(START_PATIENCE, async {
        client.init().await?;
        client.ping::<()>(None).await
    })
    .await;
    match answer {
        Err(_) => Ok(Some("it does not answer".to_owned())),
        Ok(Err(error)) if may_pass(&error) => Ok(Some(error.details().to_owned())),
        Ok(Err(error)) => Err(error),
        Ok(Ok(())) => {
            // It may break now or later.
            drop(timeout(PATIENCE, client.quit()).await);
            Ok(None)
        }
    }
}

/// Whether an error is one of a server that is away, starting or busy, and not one of the operator's.
fn may_pass(error: &RedisError) -> bool {
    let passing = ["LOADING", "BUSY", "MASTERDOWN", "TRYAGAIN", "CLUSTERDOWN"];
    matches!(error.kind(), ErrorKind::IO | ErrorKind::Timeout | ErrorKind::Canceled)
        || passing.iter().any(|word| error.details().starts_with(word))
}

/// Redis was not asked, or did not answer.
struct Unasked;

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for an answer, if Redis is there, and not for long.
    async fn ask<T>(self: &Arc<Self>, answer: impl Future<Output = Result<T>>) -> std::result::Result<T, Unasked>
    where
        T: Default,
    {
        if self.state().away {
            return Err(Unasked);
        }
        let reason = match timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => return Ok(answer),
            // A copy that cannot be read is no copy.
            Ok(Err(Error::Decode(_) | Error::Encode(_))) => return Ok(T::default()),
            Ok(Err(Error::Backend(reason))) => reason,
            Err(_) => "it does not answer".to_owned(),
        };
        if !std::mem::replace(&mut self.state().away, true) {
            self.left(&reason);
        }
        Err(Unasked)
    }

    /// Notes what Redis must forget before it is asked again.
    fn forget_later(self: &Arc<Self>, id: Id) {
        let mut state = self.state();
        if state.changed.len() >= CHANGED {
            state.changed.clear();
            state.until = Some(Instant::now() + KEPT);
        }
        state.changed.insert(id);
        // It may have come back between the question and this note.
        let is_new = !std::mem::replace(&mut state.away, true);
        drop(state);
        if is_new {
            self.left("a change came while it returned");
        }
    }

    /// Tells that Redis is left alone, and watches for its return.
    fn left(self: &Arc<Self>, reason: &str) {
        tracing::warn!(reason, "Redis does not answer: sessions come from the database alone");
        tokio::spawn(watch(Arc::downgrade(self)));
    }

    /// Whether Redis may be asked again: it answers, and has forgotten what changed.
    async fn returned(&self) -> bool {
        if self.state().until.is_some_and(|until| Instant::now() < until) {
            return false;
        }
        if !matches!(timeout(PATIENCE, self.pool.ping::<()>(None)).await, Ok(Ok(()))) {
            return false;
        }
        loop {
            let id = {
                let mut state = self.state();
                let Some(id) = state.changed.iter().next().copied() else {
                    *state = State::default();
                    return true;
                };
                id
            };
            if !matches!(timeout(PATIENCE, self.records.delete(&id)).await, Ok(Ok(()))) {
                return false;
            }
            self.state().changed.remove(&id);
        }
    }
}

/// Asks from time to time whether Redis is back. Ends with the cache.
async fn watch(cache: Weak<Inner>) {
    loop {
        sleep(PAUSE).await;
        let Some(cache) = cache.upgrade() else { return };
        if cache.returned().await {
            tracing::info!("Redis answers again");
            return;
        }
    }
}
