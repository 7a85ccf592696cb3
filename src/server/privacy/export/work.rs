//! The job that builds a download.

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
        mail::Letter,
        privacy::Exports,
        store::{ExportRow, Tx},
    },
};

/// Times that a download is begun before it is given up.
const ATTEMPTS: i64 = 5;
/// Time between two notes of how far it is.
const PROGRESS: Duration = Duration::from_secs(5);
/// Bytes of a piece. It is written in one transaction, which keeps others from writing.
const PIECE: u64 = 256_000;

/// A download that is being built, and how far it is.
pub(super) struct Building<'a> {
    exports: &'a Exports,
    run: &'a Run,
    pub export: ExportRow,
    /// When it was last noted how far it is.
    noted: Instant,
    pub done: i64,
    pub total: i64,
}

impl Building<'_> {
    /// Notes how far it is, every few seconds.
    pub async fn note(&mut self) -> Result<(), Fault> {
        if self.noted.elapsed() < PROGRESS {
            return Ok(());
        }
        self.keep(None).await
    }

    async fn keep(&mut self, piece: Option<(i64, &[u8])>) -> Result<(), Fault> {
        let store = &self.exports.store;
        let progress = (self.done, self.total);
        self.run.progress(self.done, self.total);
        let mut tx = store.write().await?;
        self.hold(&mut tx).await?;
        tx.update_export_progress(self.export.id, progress).await?;
        if let Some((position, bytes)) = piece {
            tx.insert_export_piece(self.export.id, position, bytes).await?;
        }
        tx.commit().await?;
        store.copy_log().await?;
        self.noted = Instant::now();
        Ok(())
    }

    async fn hold(&self, tx: &mut Tx) -> Result<(), Fault> {
        if self.run.hold(tx).await? { Ok(()) } else { Err(lost()) }
    }
}

fn lost() -> Fault {
    Fault::internal("the download is somebody else's to build, or was removed")
}

impl Handler for Exports {
    fn policy(&self) -> Policy {
        Policy { attempts: Some(ATTEMPTS), ..Policy::new(JobKind::BuildExport) }
    }

    fn run<'a>(&'a self, run: &'a Run) -> BoxFuture<'a, Result<Outcome, Fault>> {
        self.carry_out(run).boxed()
    }
}

impl Exports {
    async fn carry_out(&self, run: &Run) -> Result<Outcome, Fault> {
        let mut tx = self.store.write().await?;
        if !run.hold(&mut tx).await? {
            return Err(lost());
        }
        let begun = tx.begin_export(ExportId::from_uuid(run.subject()), self.clock.now()).await?;
        tx.commit().await?;
        let Some(export) = begun else { return Ok(Outcome::Done) };
        self.store.remove_export_pieces(export.id, run.lease()).await?;
        let building = Building { exports: self, run, export, noted: Instant::now(), done: 0, total: 0 };
        self.build_pieces(building).await?;
        Ok(Outcome::Done)
    }

    async fn build_pieces(&self, mut building: Building<'_>) -> Result<(), Fault> {
        let path = self.folder.join(format!("export-{}", building.run.lease()));
        let mut file = self.build(&mut building, path).await?;
        let (mut position, mut length) = (0, 0);
        loop {
            let (rest, piece) = tokio::task::spawn_blocking(move || read_piece(file)).await??;
            if piece.is_empty() {
                break;
            }
            building.keep(Some((position, &piece))).await?;
            position += 1;
            length += i64::try_from(piece.len()).unwrap_or_default();
            file = rest;
        }
        let ExportRow { id, user_id, expires_at } = building.export;
        let mut tx = self.store.write().await?;
        if !building.run.finish(&mut tx).await? {
            return Err(lost());
        }
        tx.finish_export(id, length, self.clock.now()).await?;
        if let Some(user) = tx.find_user(user_id).await? {
            self.notices.post(&mut tx, &user.email, |texts| Letter::export_ready(texts, expires_at)).await?;
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
