//! The worker: one download at a time on each instance, under a lease.

use std::{
    fs::File,
    io::Read,
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::Exports;
use crate::server::{fault::Fault, mail::Letter, store::ClaimedExport};

/// Time between two looks for what another instance was asked for, or has left.
const PERIOD: Duration = Duration::from_secs(5);
/// Time after which another instance takes over what is not held any more.
const LEASE: Duration = Duration::from_secs(60);
const LEASE_SECONDS: i64 = LEASE.as_secs().cast_signed();
/// Bytes of a piece. It is written in one transaction, which keeps others from writing.
const PIECE: u64 = 256_000;

/// A claim on a download, and how far it is.
pub(super) struct Hold<'a> {
    exports: &'a Exports,
    pub export: ClaimedExport,
    lease: Uuid,
    /// When the lease was last extended.
    renewed: Instant,
    pub done: i64,
    pub total: i64,
}

impl Hold<'_> {
    /// Notes how far it is, and holds it for another while, where a third of the lease is over.
    pub async fn renew(&mut self) -> Result<(), Fault> {
        if self.renewed.elapsed() < LEASE / 3 {
            return Ok(());
        }
        self.keep(None).await
    }

    async fn keep(&mut self, piece: Option<(i64, &[u8])>) -> Result<(), Fault> {
        let until = self.exports.accounts.clock.now().plus_seconds(LEASE_SECONDS);
        let store = &self.exports.accounts.store;
        let mut tx = store.write().await?;
        if !tx.hold_export(self.export.id, self.lease, (self.done, self.total), until).await? {
            return Err(Fault::internal("the download is somebody else's to put together, or was removed"));
        }
        if let Some((position, bytes)) = piece {
            tx.insert_export_piece(self.export.id, position, bytes).await?;
        }
        tx.commit().await?;
        store.copy_log().await?;
        self.renewed = Instant::now();
        Ok(())
    }
}

impl Exports {
    /// Puts downloads together and removes what has expired, again and again. What breaks off in the middle is done again when
    /// its lease is over.
    pub async fn work(self) {
        loop {
            tokio::select! {
                () = self.asked.notified() => {}
                () = tokio::time::sleep(PERIOD) => {}
            }
            if let Err(fault) = self.work_off().await {
                tracing::error!(%fault, "downloads of people's data cannot be put together; the next look tries again");
            }
        }
    }

    /// Removes what has expired and puts together all that waits. One that fails does not keep the others: it is done again
    /// when its lease is over.
    ///
    /// # Errors
    /// As the database says.
    pub async fn work_off(&self) -> Result<(), Fault> {
        let accounts = &self.accounts;
        accounts.store.remove_expired_exports(accounts.clock.now()).await?;
        loop {
            let now = accounts.clock.now();
            if !accounts.store.read().await?.has_due_export(now).await? {
                return Ok(());
            }
            let lease = accounts.clock.new_id();
            let mut tx = accounts.store.write().await?;
            tx.give_up_exports(now).await?;
            let claimed = tx.claim_export(lease, now, now.plus_seconds(LEASE_SECONDS)).await?;
            tx.commit().await?;
            let Some(export) = claimed else { return Ok(()) };
            let hold = Hold { exports: self, export, lease, renewed: Instant::now(), done: 0, total: 0 };
            if let Err(fault) = self.carry_out(hold).await {
                tracing::error!(%fault, export = %export.id, "a download of somebody's data failed; it is tried again");
            }
        }
    }

    async fn carry_out(&self, mut hold: Hold<'_>) -> Result<(), Fault> {
        self.accounts.store.remove_export_pieces(hold.export.id, hold.lease).await?;
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
