//! The application state, available to every request.

use std::{fs, ops::Deref, os::unix::fs::DirBuilderExt, sync::Arc, time::Duration};

use axum::extract::FromRef;
use leptos::prelude::LeptosOptions;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    auth::{Accounts, Factors, Identities, SessionBackend},
    chat::{Chats, RemoveChats, WriteTitle},
    clock::Clock,
    config::{self, Config},
    egress::Egress,
    jobs::{Handler, Jobs},
    keys::{KeyError, Keys},
    mail::{MailError, Outbox},
    page_data::{PageData, Services},
    people::{Administration, RemoveFactors},
    privacy::{ApplyRetention, DeleteAccount, DeleteExpired, Exports, Privacy},
    profile::Profiles,
    secrets::{SecretError, Secrets},
    site::Site,
    store::{Store, StoreError},
    supervisor::{OnShutdown, Supervisor, TaskSpec},
};

/// The maximum difference between the database's clock and ours without a warning, in milliseconds.
const MAX_CLOCK_SKEW_MILLIS: i64 = 2_000;
/// The timeout of a readiness check.
const READINESS_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a successful write check is cached.
const READINESS_CACHE: Duration = Duration::from_secs(1);
/// The timeouts of the last write and of closing the database at shutdown.
const CLOSE_STEP_TIMEOUT: Duration = Duration::from_secs(1);

/// The running server. Cloning it is cheap: every request does so several times.
#[derive(Clone)]
pub struct AppState(Arc<AppParts>);

impl Deref for AppState {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.0
    }
}

/// The parts of the running server.
pub struct AppParts {
    /// The configuration.
    pub config: Arc<Config>,
    /// The source of time and of new ids.
    pub clock: Clock,
    /// Where the scripts and styles of the pages are.
    pub leptos_options: LeptosOptions,
    /// The built files of the pages.
    pub site: Site,
    /// Cancelled when the server starts to shut down.
    pub stopping: CancellationToken,
    /// The database.
    pub store: Store,
    /// The storage of session records.
    pub sessions: SessionBackend,
    /// Accounts and sign-in.
    pub accounts: Accounts,
    /// Second factors.
    pub factors: Factors,
    /// Identity providers.
    pub identities: Identities,
    /// Administration of users, invitations, jobs and the audit log.
    pub people: Administration,
    /// Names, pictures, languages and time zones.
    pub profiles: Profiles,
    /// Account deletion and data retention.
    pub privacy: Privacy,
    /// Data exports.
    pub exports: Exports,
    /// Chats.
    pub chats: Chats,
    /// The data of whole pages.
    pub page_data: PageData,
    /// Background jobs.
    pub jobs: Jobs,
    /// Background tasks.
    pub supervisor: Supervisor,
    /// The time of the last successful write check.
    last_write_check: Arc<Mutex<Option<Instant>>>,
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos_options.clone()
    }
}

/// Why the server cannot start. Each message tells how to fix it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be created.
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
    /// Redis cannot be reached or rejects us.
    #[error("Redis cannot be used: {0}. Check `redis_url`, or leave it out to do without.")]
    Redis(fred::error::Error),
    /// The mail configuration cannot be used.
    #[error("Mails cannot be sent: {0}. Check `mail.smtp_url` and `mail.from`.")]
    Mail(#[from] MailError),
}

impl AppState {
    /// Opens everything that the configuration names and starts the background tasks.
    ///
    /// # Errors
    /// What cannot be opened, and how to fix it.
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
        warn_about_clock_skew(&store, &clock).await?;
        // Before the first account there is no data that a new key could make unreadable.
        let is_new = !store.read().await?.is_installed().await?;
        let keys = Keys::open(&config.data, is_new)?;
        let key = *keys.session_key();
        let sessions = match &config.redis_url {
            None => SessionBackend::in_database(store.clone(), key, clock.clone()),
            Some(url) => {
                SessionBackend::with_redis(url, store.clone(), key, clock.clone()).await.map_err(StartError::Redis)?
            }
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
        let page_data = PageData::new(Services {
            store: store.clone(),
            clock: clock.clone(),
            accounts: accounts.clone(),
            factors: factors.clone(),
            identities: identities.clone(),
            profiles: profiles.clone(),
            privacy: privacy.clone(),
            exports: exports.clone(),
            chats: chats.clone(),
        });
        let jobs = Jobs::new(store.clone(), clock.clone(), handlers(&people, &privacy, &exports, &chats, outbox));
        start_tasks(&supervisor, &accounts, &jobs, &stopping);
        if let Err(fault) = chats.recover_runs().await {
            tracing::error!(%fault, "cannot take over the runs of an earlier process yet");
        }
        Ok(Self(Arc::new(AppParts {
            config: Arc::new(config),
            clock,
            site: Site::read(&leptos_options),
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
            page_data,
            jobs,
            supervisor,
            last_write_check: Arc::default(),
        })))
    }

    /// Whether this server can serve requests now: the database can be read and written, and all vital tasks are
    /// running. Answers within 2 s.
    ///
    /// # Errors
    /// A description of what does not work.
    pub async fn is_ready(&self) -> Result<(), String> {
        let down = self.supervisor.down();
        if !down.is_empty() {
            return Err(format!("a background task is down: {}", down.join(", ")));
        }
        let (store, clock, last) = (self.store.clone(), self.clock.clone(), Arc::clone(&self.last_write_check));
        // In a task of its own, because an open transaction must not be dropped half-way. One check at a time, and none
        // shortly after a successful one, so that frequent health checks do not fill the queue of writers.
        let check = tokio::spawn(async move {
            let mut last = last.lock().await;
            if last.is_none_or(|at: Instant| at.elapsed() >= READINESS_CACHE) {
                *last = None;
                store.check_write(clock.now()).await?;
                *last = Some(Instant::now());
            }
            Ok::<_, StoreError>(())
        });
        match timeout(READINESS_TIMEOUT, check).await {
            Ok(Ok(Ok(()))) => return Ok(()),
            Ok(Ok(Err(error))) => tracing::warn!(%error, "not ready: the database cannot be written"),
            Ok(Err(panic)) => tracing::error!(error = %panic, "not ready: the check panicked"),
            Err(_) => tracing::warn!("not ready: the database does not answer in time"),
        }
        Err("the database cannot be written".to_owned())
    }

    /// Waits, with a timeout, until the runs have saved their state and the background tasks have ended, then closes
    /// the database. Call it after `stopping` is cancelled.
    pub async fn close(&self) {
        self.supervisor.finish(self.chats.wait_for_runs()).await;
        match timeout(CLOSE_STEP_TIMEOUT, self.accounts.write_deferred()).await {
            Ok(Ok(_)) => {}
            Ok(Err(fault)) => tracing::warn!(%fault, "cannot flush the deferred writes"),
            Err(_) => tracing::warn!("cannot flush the deferred writes: the database does not answer"),
        }
        if timeout(CLOSE_STEP_TIMEOUT, self.store.close()).await.is_err() {
            tracing::warn!("the database could not be closed in time");
        }
    }
}

/// The difference of the database's clock from ours, in milliseconds, positive if it is ahead; `None` if it is the same
/// clock.
pub async fn clock_skew_millis(store: &Store, clock: &Clock) -> Result<Option<i64>, StoreError> {
    let before = clock.now().micros();
    let theirs = store.database_time().await?;
    let ours = before.midpoint(clock.now().micros());
    Ok(theirs.map(|theirs| (theirs.micros() - ours) / 1_000))
}

/// Warns about clock skew: one instance writes the expiry of leases, and another one compares it with its own clock.
async fn warn_about_clock_skew(store: &Store, clock: &Clock) -> Result<(), StoreError> {
    match clock_skew_millis(store, clock).await? {
        Some(millis) if millis.abs() > MAX_CLOCK_SKEW_MILLIS => tracing::warn!(
            millis,
            "the clocks of the database and this machine differ; synchronise both with NTP, or leases are lost"
        ),
        Some(millis) => tracing::info!(millis, "clock difference to the database"),
        None => {}
    }
    Ok(())
}

/// The handlers of all job kinds.
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
        Arc::new(WriteTitle(chats.clone())),
        Arc::new(RemoveChats(chats.clone())),
        Arc::new(ApplyRetention(privacy.clone())),
        Arc::new(DeleteExpired(privacy.clone())),
    ];
    if let Some(outbox) = outbox {
        handlers.push(Arc::new(outbox));
    }
    handlers
}

/// Starts the background tasks of accounts and jobs.
fn start_tasks(supervisor: &Supervisor, accounts: &Accounts, jobs: &Jobs, stopping: &CancellationToken) {
    let spec = |name| TaskSpec { name, vital: false, on_shutdown: OnShutdown::Wait };
    let (writing, until) = (accounts.clone(), stopping.clone());
    supervisor.spawn(spec("deferred writes"), move || writing.clone().run_deferred_writer(until.clone()));
    let (mailing, until) = (accounts.clone(), stopping.clone());
    supervisor.spawn(spec("requested mails"), move || mailing.clone().run_request_mailer(until.clone()));
    let (jobs, until) = (jobs.clone(), stopping.clone());
    supervisor.spawn(spec("jobs"), move || jobs.clone().work(until.clone()));
}
