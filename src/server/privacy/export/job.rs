//! The job that builds a data export.

use std::{
    fs::File,
    io::Read,
    time::{Duration, Instant},
};

use futures::{FutureExt, future::BoxFuture};

use crate::{
    domain::{ExportId, JobKind},
    server::{
        fault::Fault,
        jobs::{Handler, Outcome, Policy, Run},
        mail::MailContent,
        privacy::Exports,
        store::{ExportRow, Tx},
    },
};

/// Maximum number of attempts to build an export.
const MAX_ATTEMPTS: i64 = 5;
/// Time between two updates of the progress.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(5);
/// Bytes per chunk. Each is written in one transaction, which blocks other writers.
const CHUNK_BYTES: u64 = 256_000;

/// An export being built, and its progress.
pub(super) struct ExportBuild<'a> {
    exports: &'a Exports,
    run: &'a Run,
    pub export: ExportRow,
    /// When the progress was last saved.
    saved_at: Instant,
    pub done: i64,
    pub total: i64,
}

impl ExportBuild<'_> {
    /// Saves the progress, at most every few seconds.
    pub async fn report_progress(&mut self) -> Result<(), Fault> {
        if self.saved_at.elapsed() < PROGRESS_INTERVAL {
            return Ok(());
        }
        self.save_progress(None).await
    }

    async fn save_progress(&mut self, chunk: Option<(i64, &[u8])>) -> Result<(), Fault> {
        let store = &self.exports.store;
        let progress = (self.done, self.total);
        self.run.progress(self.done, self.total);
        let mut tx = store.write().await?;
        self.renew_lease(&mut tx).await?;
        tx.engine().update_export_progress(self.export.id, progress).await?;
        if let Some((position, bytes)) = chunk {
            tx.engine().insert_export_chunk(self.export.id, position, bytes).await?;
        }
        tx.commit().await?;
        store.checkpoint_passively().await?;
        self.saved_at = Instant::now();
        Ok(())
    }

    async fn renew_lease(&self, tx: &mut Tx) -> Result<(), Fault> {
        if self.run.renew_lease(tx).await? { Ok(()) } else { Err(lease_lost()) }
    }
}

fn lease_lost() -> Fault {
    Fault::internal("the job lease of a data export was lost, or the export was deleted")
}

impl Handler for Exports {
    fn policy(&self) -> Policy {
        Policy { attempts: Some(MAX_ATTEMPTS), ..Policy::new(JobKind::BuildExport) }
    }

    fn run<'a>(&'a self, run: &'a Run) -> BoxFuture<'a, Result<Outcome, Fault>> {
        self.run_export(run).boxed()
    }
}

impl Exports {
    async fn run_export(&self, run: &Run) -> Result<Outcome, Fault> {
        let mut tx = self.store.write().await?;
        if !run.renew_lease(&mut tx).await? {
            return Err(lease_lost());
        }
        let begun = tx.engine().begin_export(ExportId::from_uuid(run.subject()), self.clock.now()).await?;
        tx.commit().await?;
        let Some(export) = begun else { return Ok(Outcome::Done) };
        self.store.remove_export_chunks(export.id, run.lease()).await?;
        let build = ExportBuild { exports: self, run, export, saved_at: Instant::now(), done: 0, total: 0 };
        self.store_chunks(build).await?;
        Ok(Outcome::Done)
    }

    async fn store_chunks(&self, mut build: ExportBuild<'_>) -> Result<(), Fault> {
        let path = self.directory.join(format!("export-{}", build.run.lease()));
        let mut file = self.build_archive(&mut build, path).await?;
        let (mut position, mut length) = (0, 0);
        loop {
            let (rest, chunk) = tokio::task::spawn_blocking(move || read_chunk(file)).await??;
            if chunk.is_empty() {
                break;
            }
            build.save_progress(Some((position, &chunk))).await?;
            position += 1;
            length += i64::try_from(chunk.len()).unwrap_or_default();
            file = rest;
        }
        let ExportRow { id, user_id, expires_at } = build.export;
        let mut tx = self.store.write().await?;
        if !build.run.finish(&mut tx).await? {
            return Err(lease_lost());
        }
        tx.engine().finish_export(id, length, self.clock.now()).await?;
        if let Some(user) = tx.owned_by(user_id).find_user().await? {
            self.notifier.enqueue(&mut tx, &user.email, |texts| MailContent::export_ready(texts, expires_at)).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

fn read_chunk(file: File) -> Result<(File, Vec<u8>), Fault> {
    let mut chunk = Vec::new();
    (&file).take(CHUNK_BYTES).read_to_end(&mut chunk).map_err(Fault::internal)?;
    Ok((file, chunk))
}
