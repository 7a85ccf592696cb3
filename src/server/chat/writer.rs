//! Puts what the runs of this process wrote into the database: everything of one tick in one transaction, so that
//! five hundred answers cost the disk what one costs.
//!
//! Where the database cannot be written, nothing is given up: what the models say stays in memory, the readers are told,
//! and each tick tries again.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, mpsc, oneshot},
    time::{Instant, MissedTickBehavior},
};

use super::{Chats, Inner};
use crate::{
    domain::{RunId, limits},
    server::store::{Claimed, Ending, Progress, StoreError},
};

/// Time between two flushes of what was written.
const TICK: Duration = Duration::from_millis(400);
/// How long a claim holds without being renewed.
pub(super) const LEASE_SECONDS: i64 = 20;
/// Leases are renewed when the last renewal that was committed is so old: a quarter of a lease.
const RENEW_AFTER: Duration = Duration::from_millis(LEASE_SECONDS as u64 * 250);
/// Jobs taken into one transaction at most.
const BATCH: usize = 256;
/// Runs that wait in line and are looked at when others have ended.
const NEXT: u32 = 64;

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

    /// Claims a queued run, and holds it for this process. `None` where somebody else has it, it has to wait for its
    /// turn, or the process stops.
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
    // When leases were renewed last; after a panic nobody knows.
    let mut renewed = None::<Instant>;
    if !jobs.is_empty() {
        // Left by a panic, which one of them may have caused.
        write_singly(&inner, jobs, Vec::new()).await;
    }
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
        if flush && jobs.is_empty() && inner.hub.count_held() == 0 {
            continue;
        }
        let progress = if flush { inner.hub.take_unsaved() } else { Vec::new() };
        let renew = renewed.is_none_or(|at| at.elapsed() >= RENEW_AFTER);
        let begun = Instant::now();
        match write(&inner, jobs, &progress, flush, renew).await {
            Ok(done) => {
                inner.hub.set_save_delayed(false);
                if renew {
                    renewed = Some(begun);
                }
                done.tell(&inner, jobs);
            }
            Err(error) if error.is_passing() => {
                tracing::error!(%error, jobs = jobs.len(), answers = progress.len(), "answers could not be saved; trying again");
                inner.hub.mark_unsaved(&progress);
                inner.hub.set_save_delayed(true);
            }
            Err(error) => {
                tracing::error!(%error, jobs = jobs.len(), answers = progress.len(), "answers could not be saved together; trying one by one");
                write_singly(&inner, jobs, progress).await;
                // What was refused must not keep the others' leases from being renewed, nor their stops from being heard.
                if let Ok(done) = write(&inner, &[], &[], true, renew).await {
                    if renew {
                        renewed = Some(begun);
                    }
                    done.tell(&inner, &mut Vec::new());
                }
            }
        }
    }
}

/// Writes what could not be written in one transaction piece by piece, so that what is wrong with one answer costs no
/// other one anything. Where the database does not answer, the rest is left for later.
async fn write_singly(inner: &Arc<Inner>, jobs: &mut Vec<Job>, progress: Vec<Progress>) {
    for (at, one) in progress.iter().enumerate() {
        match write(inner, &[], std::slice::from_ref(one), false, false).await {
            Ok(done) => done.tell(inner, &mut Vec::new()),
            Err(error) if error.is_passing() => {
                inner.hub.mark_unsaved(&progress[at..]);
                return;
            }
            // Its ending tries once more.
            Err(error) => tracing::error!(%error, run = %one.run, "what an answer has so far could not be saved"),
        }
    }
    for _ in 0..jobs.len() {
        // Out of the queue, so that one at which this panics is not tried for ever.
        let mut alone = vec![jobs.remove(0)];
        match write(inner, &alone, &[], false, false).await {
            Ok(done) => done.tell(inner, &mut alone),
            Err(error) if error.is_passing() => {
                jobs.append(&mut alone);
                return;
            }
            Err(error) => {
                tracing::error!(%error, "a run could not be claimed or ended");
                give_up(&mut alone, jobs);
            }
        }
    }
}

/// A text that the database refuses must not keep a run open for ever: it ends with what was saved before. Whatever else
/// fails is given up.
fn give_up(alone: &mut Vec<Job>, jobs: &mut Vec<Job>) {
    for job in alone.drain(..) {
        match job {
            Job::Finish(mut ending, reply) if ending.progress.is_some() => {
                ending.progress = None;
                ending.last_words.clear();
                jobs.push(Job::Finish(ending, reply));
            }
            // Dropping the other end tells whoever waits.
            Job::Claim(..) | Job::Finish(..) => {}
        }
    }
}

/// What one transaction did.
struct Done {
    claims: Vec<Option<Claimed>>,
    finished: Vec<bool>,
    lost: Vec<RunId>,
    stops: Vec<RunId>,
    /// Those that were next in line and took the places of others that have ended.
    next: Vec<Claimed>,
}

async fn write(
    inner: &Inner,
    jobs: &[Job],
    progress: &[Progress],
    flush: bool,
    renew: bool,
) -> Result<Done, StoreError> {
    let mut tx = inner.store.write().await?;
    // After the wait for the transaction, which may have been long.
    let lease_until = inner.clock.now().plus_seconds(LEASE_SECONDS);
    let mut done =
        Done { claims: Vec::new(), finished: Vec::new(), lost: Vec::new(), stops: Vec::new(), next: Vec::new() };
    let mut room = limits::RUNS_PER_PROCESS.saturating_sub(inner.hub.count_held());
    for job in jobs {
        match job {
            Job::Claim(..) if room == 0 => done.claims.push(None),
            Job::Claim(run, _) => {
                let claimed = tx.claim_run(*run, inner.worker, lease_until, inner.answers_per_person).await?;
                room -= usize::from(claimed.is_some());
                done.claims.push(claimed);
            }
            Job::Finish(ending, _) => done.finished.push(tx.finish_run(ending).await?),
        }
    }
    if !done.finished.is_empty() && !inner.shutdown.is_cancelled() {
        // Those that end here are counted as held until their readers have heard of it.
        room += done.finished.len();
        for run in tx.list_claimable_runs(inner.clock.now(), inner.answers_per_person, NEXT).await? {
            if room == 0 {
                break;
            }
            let claimed = tx.claim_run(run, inner.worker, lease_until, inner.answers_per_person).await?;
            room -= usize::from(claimed.is_some());
            done.next.extend(claimed);
        }
    }
    for progress in progress {
        if !tx.write_progress(progress).await? {
            done.lost.push(progress.run);
        }
    }
    if renew {
        for run in inner.hub.held() {
            tx.renew_lease(run, inner.worker, lease_until).await?;
        }
    }
    if flush {
        done.stops = tx.list_stops(inner.worker).await?;
    }
    tx.commit().await?;
    Ok(done)
}

impl Done {
    fn tell(self, inner: &Arc<Inner>, jobs: &mut Vec<Job>) {
        let (mut claims, mut finished) = (self.claims.into_iter(), self.finished.into_iter());
        for job in jobs.drain(..) {
            match job {
                Job::Claim(_, reply) => {
                    let claimed = claims.next().flatten();
                    if let Some(claimed) = &claimed {
                        inner.hub.hold(claimed.id);
                    }
                    // Whoever asked may be gone; the lease ends then.
                    if let Err(Some(unwanted)) = reply.send(claimed) {
                        inner.hub.release(unwanted.id);
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
        for claimed in self.next {
            inner.hub.hold(claimed.id);
            Chats(inner.clone()).begin(claimed);
        }
    }
}
