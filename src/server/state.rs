//! What every request can reach.

use std::{fs, os::unix::fs::DirBuilderExt, sync::Arc, time::Duration};

use axum::extract::FromRef;
use leptos::prelude::LeptosOptions;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    auth::{Accounts, Factors, Identities, SessionBackend},
    chat::{Chats, RemoveChats},
    clock::Clock,
    config::{self, Config},
    egress::Egress,
    jobs::{Handler, Jobs},
    keys::{KeyError, Keys},
    mail::{MailError, Outbox},
    people::{Administration, RemoveFactors},
    privacy::{ApplyRetention, DeleteAccount, DeleteExpired, Exports, Privacy},
    profile::Profiles,
    secrets::{SecretError, Secrets},
    store::{Store, StoreError},
    supervisor::{AtStop, Duty, Supervisor},
};

/// Milliseconds by which the database's clock may differ from ours without a warning.
const CLOCK_DIFFERENCE: i64 = 2_000;
/// How long a check of readiness may take.
const READINESS: Duration = Duration::from_secs(2);
/// How long it is believed that writing works.
const READINESS_HOLDS: Duration = Duration::from_secs(1);
/// How long the last write and the closing of the database may take each when the server stops.
const LAST_STEPS: Duration = Duration::from_secs(1);

/// The parts of the running server, shared by cloning.
#[derive(Clone)]
pub struct AppState {
    /// What the operator decided.
    pub config: Arc<Config>,
    /// The time and new ids.
    pub clock: Clock,
    /// Where the page's scripts and styles are.
    pub leptos_options: LeptosOptions,
    /// Cancelled when the server begins to stop.
    pub stopping: CancellationToken,
    /// What is kept.
    pub store: Store,
    /// Where session records are kept.
    pub sessions: SessionBackend,
    /// Accounts and sign-ins.
    pub accounts: Accounts,
    /// Second factors.
    pub factors: Factors,
    /// Identity providers.
    pub identities: Identities,
    /// What administrators do.
    pub people: Administration,
    /// Names, pictures, languages and time zones.
    pub profiles: Profiles,
    /// Deletion and retention.
    pub privacy: Privacy,
    /// Downloads of one's own data.
    pub exports: Exports,
    /// The chats.
    pub chats: Chats,
    /// The jobs in the background.
    pub jobs: Jobs,
    /// The tasks in the background.
    pub supervisor: Supervisor,
    /// When something was written last to see whether that works.
    written: Arc<Mutex<Option<Instant>>>,
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos_options.clone()
    }
}

/// Why the server cannot start. Each sentence says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be made.
    #[error("The data folder {0} cannot be made: {1}. Choose another one with `data`, or make it writable.")]
    Folder(String, std::io::Error),
    /// The database cannot be used.
    #[error("The database cannot be used: {0}")]
    Store(#[from] StoreError),
    /// The installation's key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The keys that seal secrets cannot be used.
    #[error(transparent)]
    Secrets(#[from] SecretError),
    /// Redis is not there, or does not let us in.
    #[error("Redis cannot be used: {0}. Check `redis_url`, or leave it out to do without.")]
    Redis(fred::error::Error),
    /// Mails cannot be sent that way.
    #[error("Mails cannot be sent: {0}. Check `mail.smtp_url` and `mail.from`.")]
    Mail(#[from] MailError),
}

impl AppState {
    /// Opens everything that the configuration names and starts the engine of the runs.
    ///
    /// # Errors
    /// What cannot be opened, with a remedy.
    pub async fn open(
        config: Config,
        clock: Clock,
        leptos_options: LeptosOptions,
        stopping: CancellationToken,
    ) -> Result<Self, StartError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&config.data)
            .map_err(|error| StartError::Folder(config.data.display().to_string(), error))?;
        let store = Store::open(&config.data, config.database_url.as_ref()).await?;
        tell_clock_difference(&store, &clock).await?;
        // Before the first account there is nothing that a new key could make unreadable.
        let is_new = !store.read().await?.is_installed().await?;
        let keys = Keys::open(&config.data, is_new)?;
        let key = *keys.session_key();
        let sessions = match &config.redis_url {
            None => SessionBackend::in_database(store.clone(), key, clock.clone()),
            Some(url) => SessionBackend::through_redis(url, store.clone(), key, clock.clone())
                .await
                .map_err(StartError::Redis)?,
        };
        let configured = config.secrets_key.as_ref().and_then(config::key_bytes);
        let secrets = Secrets::open(&config.data, configured, &store, &clock).await?;
        let factors = Factors::new(store.clone(), clock.clone(), secrets, &config);
        let accounts = Accounts::new(store.clone(), clock.clone(), factors.clone(), &config);
        let egress = Egress::new(config.egress.allowed_networks.clone());
        let identities = Identities::new(&config, &egress, store.clone(), clock.clone(), accounts.clone());
        identities.prepare();
        let privacy = Privacy::new(store.clone(), clock.clone(), accounts.clone(), &config);
        let people = Administration::new(store.clone(), clock.clone(), accounts.clone(), privacy.clone(), &config);
        let profiles = Profiles::new(store.clone(), clock.clone());
        let exports = Exports::new(store.clone(), clock.clone(), accounts.clone(), &config);
        let mail = config.mail.as_ref().map(|mail| Outbox::new(store.clone(), clock.clone(), mail));
        let outbox = mail.transpose()?;
        let supervisor = Supervisor::new(stopping.clone());
        let chats = Chats::start(store.clone(), clock.clone(), &config, &egress, &supervisor, stopping.clone());
        let jobs = Jobs::new(store.clone(), clock.clone(), handlers(&people, &privacy, &exports, &chats, outbox));
        watch(&supervisor, &accounts, &jobs, &stopping);
        if let Err(fault) = chats.take_over().await {
            tracing::error!(%fault, "what an earlier process left behind is taken over later");
        }
        Ok(Self {
            config: Arc::new(config),
            clock,
            leptos_options,
            stopping,
            store,
            sessions,
            accounts,
            factors,
            identities,
            people,
            profiles,
            privacy,
            exports,
            chats,
            jobs,
            supervisor,
            written: Arc::default(),
        })
    }

    /// Whether this server can do its work now: whether its database can be read and written, and the tasks without which it
    /// is of no use work. Answers within 2 s.
    ///
    /// # Errors
    /// What does not work, in words.
    pub async fn is_ready(&self) -> Result<(), String> {
        let down = self.supervisor.down();
        if !down.is_empty() {
            return Err(format!("a background task is down: {}", down.join(", ")));
        }
        let (store, clock, last) = (self.store.clone(), self.clock.clone(), Arc::clone(&self.written));
        // In a task of its own: a transaction that is begun must not be dropped half-way. One at a time, and none where one
        // succeeded just now, so that nobody fills the line of those who write by asking.
        let check = tokio::spawn(async move {
            let mut last = last.lock().await;
            if last.is_none_or(|at: Instant| at.elapsed() >= READINESS_HOLDS) {
                *last = None;
                store.check_write(clock.now()).await?;
                *last = Some(Instant::now());
            }
            Ok::<_, StoreError>(())
        });
        match timeout(READINESS, check).await {
            Ok(Ok(Ok(()))) => return Ok(()),
            Ok(Ok(Err(error))) => tracing::warn!(%error, "not ready: the database cannot be written"),
            Ok(Err(panic)) => tracing::error!(error = %panic, "not ready: the check broke off"),
            Err(_) => tracing::warn!("not ready: the database does not answer in time"),
        }
        Err("the database cannot be written".to_owned())
    }

    /// Waits for the runs to put down what they have and for the tasks in the background, but not for long, then closes the
    /// database. Call it after `stopping`.
    pub async fn close(&self) {
        self.supervisor.finish(self.chats.drained()).await;
        match timeout(LAST_STEPS, self.accounts.write_deferred()).await {
            Ok(Ok(_)) => {}
            Ok(Err(fault)) => tracing::warn!(%fault, "what readers did last is not written down"),
            Err(_) => tracing::warn!("what readers did last is not written down: the database does not answer"),
        }
        if timeout(LAST_STEPS, self.store.close()).await.is_err() {
            tracing::warn!("the database could not be closed in time");
        }
    }
}

/// How far the database's clock is ahead of ours, in milliseconds; `None` where it is the same clock.
pub async fn clock_difference(store: &Store, clock: &Clock) -> Result<Option<i64>, StoreError> {
    let before = clock.now().micros();
    let theirs = store.time().await?;
    let ours = before.midpoint(clock.now().micros());
    Ok(theirs.map(|theirs| (theirs.micros() - ours) / 1_000))
}

/// Leases are ends of time that one instance writes and another one compares with its own clock.
async fn tell_clock_difference(store: &Store, clock: &Clock) -> Result<(), StoreError> {
    match clock_difference(store, clock).await? {
        Some(millis) if millis.abs() > CLOCK_DIFFERENCE => tracing::warn!(
            millis,
            "the database's clock and this machine's differ; set both by NTP, or instances take each other's work away"
        ),
        Some(millis) => tracing::info!(millis, "the database's clock is ahead of this machine's by so much"),
        None => {}
    }
    Ok(())
}

/// What runs the jobs of each kind.
fn handlers(
    people: &Administration,
    privacy: &Privacy,
    exports: &Exports,
    chats: &Chats,
    outbox: Option<Outbox>,
) -> Vec<Arc<dyn Handler>> {
    let mut handlers: Vec<Arc<dyn Handler>> = vec![
        Arc::new(exports.clone()),
        Arc::new(DeleteAccount(privacy.clone())),
        Arc::new(RemoveFactors(people.clone())),
        Arc::new(RemoveChats(chats.clone())),
        Arc::new(ApplyRetention(privacy.clone())),
        Arc::new(DeleteExpired(privacy.clone())),
    ];
    if let Some(outbox) = outbox {
        handlers.push(Arc::new(outbox));
    }
    handlers
}

/// Starts the tasks that look after accounts and jobs.
fn watch(supervisor: &Supervisor, accounts: &Accounts, jobs: &Jobs, stopping: &CancellationToken) {
    let duty = |name| Duty { name, vital: false, at_stop: AtStop::Finishes };
    let (noting, until) = (accounts.clone(), stopping.clone());
    supervisor.watch(duty("deferred writes"), move || noting.clone().watch_deferred(until.clone()));
    let (resetting, until) = (accounts.clone(), stopping.clone());
    supervisor.watch(duty("resets"), move || resetting.clone().watch_resets(until.clone()));
    let (jobs, until) = (jobs.clone(), stopping.clone());
    supervisor.watch(duty("jobs"), move || jobs.clone().work(until.clone()));
}
