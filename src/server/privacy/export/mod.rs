//! Data export: the user requests it, a job builds it, and the user downloads it.

mod archive;
mod build;
mod job;

use std::{path::Path, sync::Arc};

use crate::{
    domain::{AppError, AuditAction, DataExport, ExportId, ExportState},
    server::{
        audit::RequestMeta,
        auth::{Accounts, Caller, DeferredEvent},
        clock::Clock,
        config::Config,
        fault::Fault,
        limits::RateLimits,
        mail::Notifier,
        profile::Profiles,
        store::{Store, Tx},
    },
};

/// How long an export is stored, in seconds.
const EXPORT_TTL_SECONDS: i64 = 3 * 86_400;

/// The data exports of all users.
#[derive(Debug, Clone)]
pub struct Exports {
    store: Store,
    clock: Clock,
    limits: RateLimits,
    notifier: Notifier,
    accounts: Accounts,
    profiles: Profiles,
    /// The directory of the temporary, unlinked file. Not shared between instances.
    directory: Arc<Path>,
}

impl Exports {
    /// Creates the service. Exports are built in the data directory, which is not shared between instances.
    pub fn new(store: Store, clock: Clock, accounts: Accounts, config: &Config) -> Self {
        Self {
            limits: RateLimits::new(store.clone(), clock.clone()),
            notifier: Notifier::new(clock.clone(), config.mail.is_some()),
            profiles: Profiles::new(store.clone(), clock.clone()),
            directory: config.data.as_path().into(),
            store,
            clock,
            accounts,
        }
    }

    /// Requests an export of the caller's data. The callers of this function check for recent authentication.
    ///
    /// # Errors
    /// `Conflict` while the previous export is being built; `RateLimited` after three in a day.
    pub async fn request(&self, caller: &Caller, meta: &RequestMeta) -> Result<DataExport, Fault> {
        let Self { store, clock, .. } = self;
        let (user, now) = (caller.user.id, clock.now());
        let id = ExportId::from_uuid(clock.new_id());
        let expires_at = now.plus_seconds(EXPORT_TTL_SECONDS);
        let already = || AppError::conflict(reason!("export_running"));
        if self.find(&mut store.read().await?, caller).await?.is_some_and(|last| last.is_open()) {
            return Err(already().into());
        }
        self.limits.count_export(meta, user).await?;
        let mut tx = store.write().await?;
        if !tx.owned_by(user).insert_export(id, now, expires_at).await? {
            return Err(already().into());
        }
        meta.record_own(&mut tx, clock, user, AuditAction::ExportData).await?;
        tx.commit().await?;
        Ok(DataExport { id, state: ExportState::Waiting, done: 0, total: 0, bytes: 0, created_at: now, expires_at })
    }

    /// The caller's last export.
    pub async fn find(&self, tx: &mut Tx, caller: &Caller) -> Result<Option<DataExport>, Fault> {
        Ok(tx.owned_by(caller.user.id).find_last_export(self.clock.now()).await?)
    }

    /// Starts a download of the caller's finished export, and records it in the audit log.
    ///
    /// # Errors
    /// `ReauthRequired` without recent authentication; `NotFound` if the export is not the caller's or does not exist.
    pub async fn open(&self, caller: &Caller, id: ExportId, meta: &RequestMeta) -> Result<DataExport, Fault> {
        self.accounts.require_recent_authentication(caller)?;
        let user = caller.user.id;
        let export = self.store.read().await?.owned_by(user).find_export(id, self.clock.now()).await?;
        let export = export.filter(|export| export.state == ExportState::Ready).ok_or(AppError::NotFound)?;
        self.accounts.defer_audit(user, DeferredEvent::Download, meta).await;
        Ok(export)
    }

    /// A chunk of the caller's export; `None` after the last one.
    pub async fn read_chunk(&self, caller: &Caller, id: ExportId, position: i64) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.store.read().await?.owned_by(caller.user.id).find_export_chunk(id, position).await?)
    }
}
