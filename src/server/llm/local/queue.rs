//! The request queue of a local model: one answer at a time, first in, first out.

use std::collections::VecDeque;

use futures::{StreamExt, stream::FuturesUnordered};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::super::{Delta, ModelError, Prompt};

/// The receiving end of an answer.
pub type AnswerReceiver = mpsc::UnboundedReceiver<Result<Delta, ModelError>>;

/// A request to a model.
#[derive(Debug)]
pub struct Job {
    /// The prompt.
    pub prompt: Prompt,
    /// Unbounded, because a model writes slowly and its output is limited.
    out: mpsc::UnboundedSender<Result<Delta, ModelError>>,
    stop: CancellationToken,
}

impl Job {
    /// A request, and the receiver of its answer.
    pub fn new(prompt: Prompt, stop: CancellationToken) -> (Self, AnswerReceiver) {
        let (out, answers) = mpsc::unbounded_channel();
        (Self { prompt, out, stop }, answers)
    }

    /// Sends a delta or an error to the client. [`Job::cancelled`] reports when the receiver is gone.
    pub fn send(&self, item: Result<Delta, ModelError>) {
        let _ = self.out.send(item);
    }

    /// Completes when the request is cancelled or the receiver is dropped.
    pub async fn cancelled(&self) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = self.out.closed() => {}
        }
    }

    /// Whether the request is cancelled or the receiver is dropped.
    pub fn is_cancelled(&self) -> bool {
        self.stop.is_cancelled() || self.out.is_closed()
    }
}

/// The waiting requests.
#[derive(Debug)]
pub struct Queue {
    incoming: mpsc::UnboundedReceiver<Job>,
    is_open: bool,
    /// The requests, each with the position that was reported to it last.
    waiting: VecDeque<(u32, Job)>,
}

impl Queue {
    /// An empty queue that is fed from this channel.
    pub const fn new(incoming: mpsc::UnboundedReceiver<Job>) -> Self {
        Self { incoming, is_open: true, waiting: VecDeque::new() }
    }

    /// Waits for the next request. `None` once the channel is closed and the queue is empty.
    pub async fn next(&mut self) -> Option<Job> {
        loop {
            self.remove_cancelled();
            if let Some((_, job)) = self.waiting.pop_front() {
                self.report_positions();
                return Some(job);
            }
            let job = self.incoming.recv().await?;
            self.waiting.push_back((0, job));
        }
    }

    /// Accepts requests and reports queue positions while another answer is generated. Never returns. Cancel safe.
    pub async fn maintain(&mut self) -> std::convert::Infallible {
        loop {
            tokio::select! {
                job = self.incoming.recv(), if self.is_open => match job {
                    Some(job) => self.waiting.push_back((0, job)),
                    None => self.is_open = false,
                },
                () = any_cancelled(&self.waiting) => self.remove_cancelled(),
            }
            self.report_positions();
        }
    }

    fn remove_cancelled(&mut self) {
        self.waiting.retain(|(_, job)| !job.is_cancelled());
    }

    /// Reports the position in the queue to each request whose position has changed.
    fn report_positions(&mut self) {
        for (position, (reported, job)) in (1..).zip(&mut self.waiting) {
            if std::mem::replace(reported, position) != position {
                job.send(Ok(Delta::Queued(position)));
            }
        }
    }
}

/// Completes when one of the requests is cancelled. Never completes if there are none.
async fn any_cancelled(waiting: &VecDeque<(u32, Job)>) {
    let mut cancelled: FuturesUnordered<_> = waiting.iter().map(|(_, job)| job.cancelled()).collect();
    if cancelled.next().await.is_none() {
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn job() -> (Job, AnswerReceiver, CancellationToken) {
        let stop = CancellationToken::new();
        let prompt = Prompt { system: String::new(), turns: Vec::new(), answer_so_far: None };
        let (job, answers) = Job::new(prompt, stop.clone());
        (job, answers, stop)
    }

    fn positions(answers: &mut AnswerReceiver) -> Vec<u32> {
        let items = std::iter::from_fn(|| answers.try_recv().ok());
        items.map(|item| if let Ok(Delta::Queued(position)) = item { position } else { panic!("{item:?}") }).collect()
    }

    async fn maintain(queue: &mut Queue) {
        // `Err` is the timeout: `maintain` never returns.
        assert!(tokio::time::timeout(Duration::from_millis(20), queue.maintain()).await.is_err());
    }

    #[tokio::test]
    async fn requests_are_served_in_order_and_informed_of_their_position() {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut queue = Queue::new(receiver);
        let (jobs, mut clients): (Vec<Job>, Vec<_>) =
            (0..4).map(|_| job()).map(|(job, answers, stop)| (job, (answers, stop))).unzip();
        jobs.into_iter().for_each(|job| sender.send(job).expect("the channel is open"));

        let first = queue.next().await.expect("the first");
        assert!(
            first.out.same_channel(&first.out) && positions(&mut clients[0].0).is_empty(),
            "a request that does not wait has no position"
        );
        maintain(&mut queue).await;
        assert_eq!([1, 2, 3].map(|i| positions(&mut clients[i].0)), [[1], [2], [3]]);

        clients[1].1.cancel();
        maintain(&mut queue).await;
        assert_eq!([2, 3].map(|i| positions(&mut clients[i].0)), [[1], [2]], "a cancelled request frees its position");

        let (_, left) = (queue.next().await.expect("the third"), clients.pop().expect("the fourth"));
        drop(left);
        drop(sender);
        assert!(queue.next().await.is_none(), "a dropped stream leaves too, and the channel is closed");
    }
}
