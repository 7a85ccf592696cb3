//! People take their data away: they ask for it, a job builds the download, they fetch it.

mod archive;
mod build;
mod work;

use std::{path::Path, sync::Arc};

use crate::{
    domain::{AppError, AuditAction, DataExport, ExportId, ExportState},
    server::{
        audit::RequestMeta,
        auth::{Accounts, Caller, Reading},
        clock::Clock,
        config::Config,
        fault::Fault,
        limits::RateLimits,
        mail::Notices,
        profile::Profiles,
        store::Store,
    },
};

/// Seconds for which a download is kept.
const KEPT_SECONDS: i64 = 3 * 86_400;

/// The downloads of all people.
#[derive(Debug, Clone)]
pub struct Exports {
    store: Store,
    clock: Clock,
    limits: RateLimits,
    notices: Notices,
    accounts: Accounts,
    profiles: Profiles,
    /// Where a file lies, without a name, while it is put together.
    folder: Arc<Path>,
}

impl Exports {
    /// Downloads of these accounts' data, put together in a folder that is not shared.
    pub fn new(store: Store, clock: Clock, accounts: Accounts, config: &Config) -> Self {
        Self {
            limits: RateLimits::new(store.clone(), clock.clone()),
            notices: Notices::new(clock.clone(), config.mail.is_some()),
            profiles: Profiles::new(store.clone(), clock.clone()),
            folder: config.data.as_path().into(),
            store,
            clock,
            accounts,
        }
    }

    /// The caller asks for their data. Whoever calls this has checked that they proved who they are.
    ///
    /// # Errors
    /// `Conflict` while the one before is being put together; `RateLimited` after the third in a day.
    pub async fn request(&self, caller: &Caller, meta: &RequestMeta) -> Result<DataExport, Fault> {
        let Self { store, clock, .. } = self;
        let (user, now) = (caller.user.id, clock.now());
        let id = ExportId::from_uuid(clock.new_id());
        let expires_at = now.plus_seconds(KEPT_SECONDS);
        let already = || AppError::conflict(reason!("export_running"));
        if self.find(caller).await?.is_some_and(|last| last.is_open()) {
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

    /// The caller's last download.
    pub async fn find(&self, caller: &Caller) -> Result<Option<DataExport>, Fault> {
        let now = self.clock.now();
        Ok(self.store.read().await?.owned_by(caller.user.id).find_last_export(now).await?)
    }

    /// A download of the caller's that is ready, and that they take now.
    ///
    /// # Errors
    /// `Stale` where they did not prove who they are a short while ago; `NotFound` where it is not theirs or not there.
    pub async fn open(&self, caller: &Caller, id: ExportId, meta: &RequestMeta) -> Result<DataExport, Fault> {
        self.accounts.require_fresh(caller)?;
        let user = caller.user.id;
        let export = self.store.read().await?.owned_by(user).find_export(id, self.clock.now()).await?;
        let export = export.filter(|export| export.state == ExportState::Ready).ok_or(AppError::NotFound)?;
        self.accounts.defer_audit(user, Reading::Download, meta).await;
        Ok(export)
    }

    /// A piece of a download of the caller's; `None` after the last one.
    pub async fn piece(&self, caller: &Caller, id: ExportId, position: i64) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.store.read().await?.owned_by(caller.user.id).find_export_piece(id, position).await?)
    }
}
