//! Puts what the runs of this process wrote into the database: everything of one tick in one transaction, so that
//! five hundred answers cost the disk what one costs.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, mpsc, oneshot},
    time::MissedTickBehavior,
};

use super::Inner;
use crate::{
    domain::{RunId, Timestamp},
    server::store::{Claimed, Ending, Progress, StoreError, Tx},
};

/// Time between two flushes of what was written.
const TICK: Duration = Duration::from_millis(400);
/// How long a claim holds without being renewed.
pub(super) const LEASE_SECONDS: i64 = 20;
/// Ticks between two renewals: every 4.8 s.
const RENEW_TICKS: u32 = 12;
/// Jobs taken into one transaction at most.
const BATCH: usize = 256;

/// The way to the writing task.
pub(super) struct Writer(mpsc::UnboundedSender<Job>);

/// The writing task's end. It outlives a panic of the task.
pub(super) struct Queue {
    incoming: mpsc::UnboundedReceiver<Job>,
    /// Taken, and not written yet.
    jobs: Vec<Job>,
}

pub(super) enum Job {
    Claim(RunId, oneshot::Sender<Option<Claimed>>),
    Finish(Box<Ending>, oneshot::Sender<bool>),
}

impl Writer {
    pub fn new() -> (Self, Queue) {
        // Its length is bounded by the number of runs: each has at most one job at a time.
        let (send, incoming) = mpsc::unbounded_channel();
        (Self(send), Queue { incoming, jobs: Vec::new() })
    }

    /// Claims a queued run. `None` where somebody else has it, or the process stops.
    pub async fn claim(&self, run: RunId) -> Option<Claimed> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Job::Claim(run, reply)).ok()?;
        answer.await.ok().flatten()
    }

    /// Ends a run. Returns when that is on disk: `true` for the one who ended it.
    pub async fn finish(&self, ending: Ending) -> bool {
        let (reply, answer) = oneshot::channel();
        if self.0.send(Job::Finish(Box::new(ending), reply)).is_err() {
            return false;
        }
        answer.await.unwrap_or(false)
    }
}

/// The writing task. Ends when the process stops and no run is left.
pub(super) async fn work(inner: Arc<Inner>, queue: Arc<Mutex<Queue>>) {
    let mut queue = queue.lock().await;
    let Queue { incoming, jobs } = &mut *queue;
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ticks = 0_u32;
    loop {
        let mut flush = false;
        if jobs.is_empty() {
            tokio::select! {
                received = incoming.recv_many(jobs, BATCH) => if received == 0 { return },
                () = inner.runs_ended() => return,
                _ = tick.tick() => flush = true,
            }
        } else {
            // The last try failed. Wait a moment; the jobs are kept.
            tick.tick().await;
            flush = true;
        }
        if flush {
            ticks = ticks.wrapping_add(1);
        }
        if flush && jobs.is_empty() && inner.hub.len() == 0 {
            continue;
        }
        let renew = flush && ticks.is_multiple_of(RENEW_TICKS);
        let progress = if flush { inner.hub.take_unsaved() } else { Vec::new() };
        match write(&inner, jobs, &progress, flush, renew).await {
            Ok(done) => done.tell(&inner, jobs),
            Err(error) => {
                tracing::error!(%error, jobs = jobs.len(), answers = progress.len(), "answers could not be written; trying again");
                inner.hub.mark_unsaved(&progress);
            }
        }
    }
}

/// What one transaction did.
struct Done {
    claims: Vec<Option<Claimed>>,
    finished: Vec<bool>,
    lost: Vec<RunId>,
    stops: Vec<RunId>,
}

async fn write(
    inner: &Inner,
    jobs: &[Job],
    progress: &[Progress],
    flush: bool,
    renew: bool,
) -> Result<Done, StoreError> {
    let lease_until = inner.clock.now().plus_seconds(LEASE_SECONDS);
    let mut tx = inner.store.write().await?;
    let mut done = Done { claims: Vec::new(), finished: Vec::new(), lost: Vec::new(), stops: Vec::new() };
    for job in jobs {
        match job {
            Job::Claim(run, _) => done.claims.push(tx.claim_run(*run, inner.worker, lease_until).await?),
            Job::Finish(ending, _) => done.finished.push(tx.finish_run(ending).await?),
        }
    }
    for progress in progress {
        if !tx.write_progress(progress).await? {
            done.lost.push(progress.run);
        }
    }
    if renew {
        renew_leases(inner, &mut tx, lease_until).await?;
    }
    if flush {
        done.stops = tx.list_stops(inner.worker).await?;
    }
    tx.commit().await?;
    Ok(done)
}

async fn renew_leases(inner: &Inner, tx: &mut Tx, lease_until: Timestamp) -> Result<(), StoreError> {
    for run in inner.hub.list() {
        tx.renew_lease(run, inner.worker, lease_until).await?;
    }
    Ok(())
}

impl Done {
    fn tell(self, inner: &Inner, jobs: &mut Vec<Job>) {
        let (mut claims, mut finished) = (self.claims.into_iter(), self.finished.into_iter());
        for job in jobs.drain(..) {
            // Whoever asked may be gone; that changes nothing.
            match job {
                Job::Claim(_, reply) => drop(reply.send(claims.next().flatten())),
                Job::Finish(_, reply) => drop(reply.send(finished.next().unwrap_or(false))),
            }
        }
        for run in self.lost.into_iter().chain(self.stops) {
            if let Some(live) = inner.hub.get(run) {
                live.stop.cancel();
            }
        }
    }
}
