//! The worker: one download at a time on each instance, under a lease.

use std::{fs::File, io::Read, time::Duration};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Exports;
use crate::server::{fault::Fault, mail::Letter, store::ClaimedExport};

/// Time between two looks for what another instance was asked for, or has left.
const PERIOD: Duration = Duration::from_secs(5);
/// Seconds after which another instance takes over what is not held any more.
const LEASE_SECONDS: i64 = 60;
/// Bytes of a piece.
const PIECE: u64 = 1_000_000;

/// A claim on a download, and how far it is.
pub(super) struct Hold<'a> {
    exports: &'a Exports,
    pub export: ClaimedExport,
    lease: Uuid,
    pub done: i64,
    pub total: i64,
}

impl Hold<'_> {
    /// Notes how far it is, and holds it for another while.
    pub async fn renew(&self) -> Result<(), Fault> {
        self.keep(None).await
    }

    async fn keep(&self, piece: Option<(i64, &[u8])>) -> Result<(), Fault> {
        let until = self.exports.accounts.clock.now().plus_seconds(LEASE_SECONDS);
        let mut tx = self.exports.accounts.store.write().await?;
        if !tx.hold_export(self.export.id, self.lease, (self.done, self.total), until).await? {
            return Err(Fault::internal("the download is somebody else's to put together, or was removed"));
        }
        if let Some((position, bytes)) = piece {
            tx.insert_export_piece(self.export.id, position, bytes).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

impl Exports {
    /// Puts downloads together and removes what has expired, until `shutdown`.
    pub async fn work(self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.asked.notified() => {}
                () = tokio::time::sleep(PERIOD) => {}
            }
            // What is dropped here in the middle is done again when its lease is over.
            let worked = tokio::select! {
                () = shutdown.cancelled() => return,
                worked = self.work_off() => worked,
            };
            if let Err(fault) = worked {
                tracing::error!(%fault, "a download of somebody's data failed; it is tried again");
            }
        }
    }

    /// Removes what has expired and puts together all that waits.
    ///
    /// # Errors
    /// As the database or the disk says; what was begun is then done again when its lease is over.
    pub async fn work_off(&self) -> Result<(), Fault> {
        let accounts = &self.accounts;
        loop {
            let now = accounts.clock.now();
            if !accounts.store.read().await?.has_due_export(now).await? {
                return Ok(());
            }
            let lease = accounts.clock.new_id();
            let mut tx = accounts.store.write().await?;
            tx.sweep_exports(now).await?;
            let claimed = tx.claim_export(lease, now, now.plus_seconds(LEASE_SECONDS)).await?;
            tx.commit().await?;
            let Some(export) = claimed else { return Ok(()) };
            self.carry_out(Hold { exports: self, export, lease, done: 0, total: 0 }).await?;
        }
    }

    async fn carry_out(&self, mut hold: Hold<'_>) -> Result<(), Fault> {
        let path = self.folder.join(format!("export-{}", hold.lease));
        let mut file = self.build(&mut hold, path).await?;
        let (mut position, mut length) = (0, 0);
        loop {
            let (rest, piece) = tokio::task::spawn_blocking(move || read_piece(file)).await??;
            if piece.is_empty() {
                break;
            }
            hold.keep(Some((position, &piece))).await?;
            position += 1;
            length += i64::try_from(piece.len()).unwrap_or_default();
            file = rest;
        }
        let ClaimedExport { id, user_id, expires_at } = hold.export;
        let accounts = &self.accounts;
        let mut tx = accounts.store.write().await?;
        if tx.finish_export(id, hold.lease, length, accounts.clock.now()).await?
            && let Some(user) = tx.find_user(user_id).await?
        {
            accounts.post(&mut tx, &user.email, &Letter::export_ready(expires_at)).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

fn read_piece(file: File) -> Result<(File, Vec<u8>), Fault> {
    let mut piece = Vec::new();
    (&file).take(PIECE).read_to_end(&mut piece).map_err(Fault::internal)?;
    Ok((file, piece))
}
