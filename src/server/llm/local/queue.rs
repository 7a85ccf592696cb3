//! Who is next at a model: one answer at a time, in the order in which they were asked.

use std::collections::VecDeque;

use futures::{StreamExt, stream::FuturesUnordered};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::super::{Delta, ModelError, Prompt};

/// What comes back for a question.
pub type Answers = mpsc::UnboundedReceiver<Result<Delta, ModelError>>;

/// A question on its way to a model.
#[derive(Debug)]
pub struct Job {
    /// What is asked.
    pub prompt: Prompt,
    /// Not bounded, because a model writes slowly and no more than its limit.
    out: mpsc::UnboundedSender<Result<Delta, ModelError>>,
    stop: CancellationToken,
}

impl Job {
    /// A question, and the end at which its answer comes out.
    pub fn new(prompt: Prompt, stop: CancellationToken) -> (Self, Answers) {
        let (out, answers) = mpsc::unbounded_channel();
        (Self { prompt, out, stop }, answers)
    }

    /// Gives a delta or a fault to whoever asked. That nobody listens any more is seen by [`Job::gone`].
    pub fn tell(&self, item: Result<Delta, ModelError>) {
        let _ = self.out.send(item);
    }

    /// Ends when nobody waits for the answer any more.
    pub async fn gone(&self) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = self.out.closed() => {}
        }
    }

    /// Whether nobody waits any more.
    pub fn is_gone(&self) -> bool {
        self.stop.is_cancelled() || self.out.is_closed()
    }
}

/// The questions that wait.
#[derive(Debug)]
pub struct Queue {
    incoming: mpsc::UnboundedReceiver<Job>,
    open: bool,
    /// With the place that each was told last.
    waiting: VecDeque<(u32, Job)>,
}

impl Queue {
    /// An empty queue of what comes through this channel.
    pub const fn new(incoming: mpsc::UnboundedReceiver<Job>) -> Self {
        Self { incoming, open: true, waiting: VecDeque::new() }
    }

    /// The next question, as soon as there is one; `None` where none can come any more.
    pub async fn next(&mut self) -> Option<Job> {
        loop {
            self.leave();
            if let Some((_, job)) = self.waiting.pop_front() {
                self.number();
                return Some(job);
            }
            let job = self.incoming.recv().await?;
            self.waiting.push_back((0, job));
        }
    }

    /// Tends those who wait while another answer is being written; never ends. May be dropped at any time.
    pub async fn tend(&mut self) -> std::convert::Infallible {
        loop {
            tokio::select! {
                job = self.incoming.recv(), if self.open => match job {
                    Some(job) => self.waiting.push_back((0, job)),
                    None => self.open = false,
                },
                () = any_gone(&self.waiting) => self.leave(),
            }
            self.number();
        }
    }

    fn leave(&mut self) {
        self.waiting.retain(|(_, job)| !job.is_gone());
    }

    /// Tells each its place, where it has changed.
    fn number(&mut self) {
        for (place, (told, job)) in (1..).zip(&mut self.waiting) {
            if std::mem::replace(told, place) != place {
                job.tell(Ok(Delta::Queued(place)));
            }
        }
    }
}

/// Ends when one of these has left; never where there is none.
async fn any_gone(waiting: &VecDeque<(u32, Job)>) {
    let mut gone: FuturesUnordered<_> = waiting.iter().map(|(_, job)| job.gone()).collect();
    if gone.next().await.is_none() {
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn job() -> (Job, Answers, CancellationToken) {
        let stop = CancellationToken::new();
        let prompt = Prompt { system: String::new(), turns: Vec::new(), answer_so_far: None };
        let (job, answers) = Job::new(prompt, stop.clone());
        (job, answers, stop)
    }

    fn places(answers: &mut Answers) -> Vec<u32> {
        let told = std::iter::from_fn(|| answers.try_recv().ok());
        told.map(|item| if let Ok(Delta::Queued(place)) = item { place } else { panic!("{item:?}") }).collect()
    }

    async fn tend(queue: &mut Queue) {
        // `Err` says that the time is up: tending never ends.
        assert!(tokio::time::timeout(Duration::from_millis(20), queue.tend()).await.is_err());
    }

    #[tokio::test]
    async fn those_who_wait_are_served_in_order_and_told_their_places() {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut queue = Queue::new(receiver);
        let (jobs, mut asked): (Vec<Job>, Vec<_>) =
            (0..4).map(|_| job()).map(|(job, answers, stop)| (job, (answers, stop))).unzip();
        jobs.into_iter().for_each(|job| sender.send(job).expect("the channel is open"));

        let first = queue.next().await.expect("the first");
        assert!(
            first.out.same_channel(&first.out) && places(&mut asked[0].0).is_empty(),
            "who does not wait has no place"
        );
        tend(&mut queue).await;
        assert_eq!([1, 2, 3].map(|i| places(&mut asked[i].0)), [[1], [2], [3]]);

        asked[1].1.cancel();
        tend(&mut queue).await;
        assert_eq!([2, 3].map(|i| places(&mut asked[i].0)), [[1], [2]], "who leaves makes room");

        let (_, left) = (queue.next().await.expect("the third"), asked.pop().expect("the fourth"));
        drop(left);
        drop(sender);
        assert!(queue.next().await.is_none(), "a dropped stream leaves too, and the channel is closed");
    }
}
