//! Saves the progress of this process's runs to the database. Everything of one tick goes into one transaction, so that
//! five hundred answers cost the disk as much as one.
//!
//! If the database cannot be written, nothing is lost: the output of the models stays in memory, the readers are
//! notified, and each tick retries.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, mpsc, oneshot},
    time::{Instant, MissedTickBehavior},
};

use super::{Chats, Inner};
use crate::{
    domain::{RunId, limits},
    server::store::{ClaimedRun, FinishedRun, RunProgress, StoreError},
};

/// Time between two flushes.
const FLUSH_INTERVAL: Duration = Duration::from_millis(400);
/// How long a claim is valid without renewal.
pub(super) const LEASE_SECONDS: i64 = 20;
/// Leases are renewed when the last committed renewal is this old: a quarter of a lease.
const LEASE_RENEWAL_INTERVAL: Duration = Duration::from_millis(LEASE_SECONDS as u64 * 250);
/// The maximum number of jobs in one transaction.
const MAX_JOBS_PER_TRANSACTION: usize = 256;
/// The maximum number of queued runs that are considered when others have ended.
const MAX_QUEUED_CANDIDATES: u32 = 64;

/// The sending end of the writer task's queue.
pub(super) struct Writer(mpsc::UnboundedSender<Job>);

/// The receiving end of the writer task's queue. Outlives a panic of the task.
pub(super) struct Queue {
    incoming: mpsc::UnboundedReceiver<Job>,
    /// Received, and not committed yet.
    jobs: Vec<Job>,
}

pub(super) enum Job {
    Claim(RunId, oneshot::Sender<Option<ClaimedRun>>),
    Finish(Box<FinishedRun>, oneshot::Sender<bool>),
}

impl Writer {
    pub fn new() -> (Self, Queue) {
        // Bounded by the number of runs: each has at most one job at a time.
        let (send, incoming) = mpsc::unbounded_channel();
        (Self(send), Queue { incoming, jobs: Vec::new() })
    }

    /// Claims a queued run for this process. `None` if another process has claimed it, if it has to stay in the queue,
    /// or if the process is stopping.
    pub async fn claim(&self, run: RunId) -> Option<ClaimedRun> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Job::Claim(run, reply)).ok()?;
        answer.await.ok().flatten()
    }

    /// Ends a run. Returns when that is on disk; `true` for the caller that ended it.
    pub async fn finish(&self, ending: FinishedRun) -> bool {
        let (reply, answer) = oneshot::channel();
        if self.0.send(Job::Finish(Box::new(ending), reply)).is_err() {
            return false;
        }
        answer.await.unwrap_or(false)
    }
}

/// The writer task. Returns when the process is stopping and no runs are left.
pub(super) async fn run_loop(inner: Arc<Inner>, queue: Arc<Mutex<Queue>>) {
    let mut queue = queue.lock().await;
    let Queue { incoming, jobs } = &mut *queue;
    let mut tick = tokio::time::interval(FLUSH_INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // When leases were last renewed. Unknown after a panic.
    let mut renewed = None::<Instant>;
    if !jobs.is_empty() {
        // Left over from a panic that one of them may have caused.
        write_one_by_one(&inner, jobs, Vec::new()).await;
    }
    loop {
        let mut flush = false;
        if jobs.is_empty() {
            tokio::select! {
                received = incoming.recv_many(jobs, MAX_JOBS_PER_TRANSACTION) => if received == 0 { return },
                () = inner.wait_for_shutdown() => return,
                _ = tick.tick() => flush = true,
            }
        } else {
            // The last attempt failed. Wait; the jobs are kept.
            tick.tick().await;
            flush = true;
        }
        if flush && jobs.is_empty() && inner.hub.count_claims() == 0 {
            continue;
        }
        let progress = if flush { inner.hub.take_unsaved() } else { Vec::new() };
        let renew = renewed.is_none_or(|at| at.elapsed() >= LEASE_RENEWAL_INTERVAL);
        let started = Instant::now();
        match write(&inner, jobs, &progress, flush, renew).await {
            Ok(result) => {
                inner.hub.set_save_delayed(false);
                if renew {
                    renewed = Some(started);
                }
                result.notify(&inner, jobs);
            }
            Err(error) if error.is_transient() => {
                tracing::error!(%error, jobs = jobs.len(), answers = progress.len(), "cannot save answers; retrying");
                inner.hub.mark_unsaved(&progress);
                inner.hub.set_save_delayed(true);
            }
            Err(error) => {
                tracing::error!(%error, jobs = jobs.len(), answers = progress.len(), "cannot save answers together; retrying one by one");
                write_one_by_one(&inner, jobs, progress).await;
                // The rejected data must not prevent the other runs' leases from being renewed and their stop requests
                // from being read.
                if let Ok(result) = write(&inner, &[], &[], true, renew).await {
                    if renew {
                        renewed = Some(started);
                    }
                    result.notify(&inner, &mut Vec::new());
                }
            }
        }
    }
}

/// Writes each item of a failed transaction on its own, so that an error in one answer does not affect the others. If
/// the database does not respond, the rest is kept for later.
async fn write_one_by_one(inner: &Arc<Inner>, jobs: &mut Vec<Job>, progress: Vec<RunProgress>) {
    for (at, item) in progress.iter().enumerate() {
        match write(inner, &[], std::slice::from_ref(item), false, false).await {
            Ok(result) => result.notify(inner, &mut Vec::new()),
            Err(error) if error.is_transient() => {
                inner.hub.mark_unsaved(&progress[at..]);
                return;
            }
            // Retried once when the run ends.
            Err(error) => tracing::error!(%error, run = %item.run, "cannot save the progress of an answer"),
        }
    }
    for _ in 0..jobs.len() {
        // Removed from the queue first, so that a job that causes a panic is not retried forever.
        let mut single = vec![jobs.remove(0)];
        match write(inner, &single, &[], false, false).await {
            Ok(result) => result.notify(inner, &mut single),
            Err(error) if error.is_transient() => {
                jobs.append(&mut single);
                return;
            }
            Err(error) => {
                tracing::error!(%error, "cannot claim or end a run");
                drop_failed_jobs(&mut single, jobs);
            }
        }
    }
}

/// Text that the database rejects must not keep a run open forever: the run ends with the text that was saved before.
/// Other failed jobs are dropped.
fn drop_failed_jobs(single: &mut Vec<Job>, jobs: &mut Vec<Job>) {
    for job in single.drain(..) {
        match job {
            Job::Finish(mut ending, reply) if ending.progress.is_some() => {
                ending.progress = None;
                ending.preview.clear();
                jobs.push(Job::Finish(ending, reply));
            }
            // Dropping the sender notifies the waiting task.
            Job::Claim(..) | Job::Finish(..) => {}
        }
    }
}

/// The result of one transaction.
struct WriteResult {
    claims: Vec<Option<ClaimedRun>>,
    finished: Vec<bool>,
    lost: Vec<RunId>,
    stops: Vec<RunId>,
    /// Queued runs that were claimed in place of those that have ended.
    started: Vec<ClaimedRun>,
}

async fn write(
    inner: &Inner,
    jobs: &[Job],
    progress: &[RunProgress],
    flush: bool,
    renew: bool,
) -> Result<WriteResult, StoreError> {
    let mut tx = inner.store.write().await?;
    // Computed after the wait for the transaction, which may have been long.
    let lease_until = inner.clock.now().plus_seconds(LEASE_SECONDS);
    let mut result = WriteResult {
        claims: Vec::new(),
        finished: Vec::new(),
        lost: Vec::new(),
        stops: Vec::new(),
        started: Vec::new(),
    };
    let mut free_slots = limits::MAX_RUNS_PER_PROCESS.saturating_sub(inner.hub.count_claims());
    for job in jobs {
        match job {
            Job::Claim(..) if free_slots == 0 => result.claims.push(None),
            Job::Claim(run, _) => {
                let claimed = tx.engine().claim_run(*run, inner.worker, lease_until, inner.answers_per_person).await?;
                free_slots -= usize::from(claimed.is_some());
                result.claims.push(claimed);
            }
            Job::Finish(ending, _) => result.finished.push(tx.engine().finish_run(ending).await?),
        }
    }
    if !result.finished.is_empty() && !inner.shutdown.is_cancelled() {
        // Runs that end here still count as held until their tasks are notified.
        free_slots += result.finished.len();
        for run in
            tx.engine().list_claimable_runs(inner.clock.now(), inner.answers_per_person, MAX_QUEUED_CANDIDATES).await?
        {
            if free_slots == 0 {
                break;
            }
            let claimed = tx.engine().claim_run(run, inner.worker, lease_until, inner.answers_per_person).await?;
            free_slots -= usize::from(claimed.is_some());
            result.started.extend(claimed);
        }
    }
    for progress in progress {
        if !tx.engine().write_progress(progress).await? {
            result.lost.push(progress.run);
        }
    }
    if renew {
        for run in inner.hub.claims() {
            tx.engine().renew_lease(run, inner.worker, lease_until).await?;
        }
    }
    if flush {
        result.stops = tx.engine().list_stop_requests(inner.worker).await?;
    }
    tx.commit().await?;
    Ok(result)
}

impl WriteResult {
    fn notify(self, inner: &Arc<Inner>, jobs: &mut Vec<Job>) {
        let (mut claims, mut finished) = (self.claims.into_iter(), self.finished.into_iter());
        for job in jobs.drain(..) {
            match job {
                Job::Claim(_, reply) => {
                    let claimed = claims.next().flatten();
                    if let Some(claimed) = &claimed {
                        inner.hub.add_claim(claimed.id);
                    }
                    // The task that requested the claim may be gone. Its lease then expires.
                    if let Err(Some(unwanted)) = reply.send(claimed) {
                        inner.hub.release_claim(unwanted.id);
                    }
                }
                Job::Finish(_, reply) => drop(reply.send(finished.next().unwrap_or(false))),
            }
        }
        for run in self.lost.into_iter().chain(self.stops) {
            if let Some(live) = inner.hub.get(run) {
                live.stop.cancel();
            }
        }
        for claimed in self.started {
            inner.hub.add_claim(claimed.id);
            Chats(inner.clone()).start_claimed(claimed);
        }
    }
}
