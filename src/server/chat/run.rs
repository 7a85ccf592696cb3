//! Executes a run, from the claim to its end.

use std::{sync::Arc, time::Duration};

use futures::StreamExt;
use tokio::time::{Instant, sleep_until};

use super::{Chats, hub::LiveRun, pipeline::Pipeline, prompt};
use crate::{
    domain::{Failure, Phase, RunId},
    server::{
        fault::Fault,
        llm::{Delta, DeltaStream, FinishReason, ModelError},
        markdown,
        store::{ClaimedRun, FinishedRun, RunProgress},
    },
};

/// The minimum time between two updates to the readers. 25 updates a second look smooth.
const MIN_UPDATE_INTERVAL: Duration = Duration::from_millis(40);
/// The time between two updates is at least this many times the cost of one, so that long open blocks are sent less
/// often.
const UPDATE_COST_FACTOR: u32 = 10;

/// The outcome of an answer stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Complete,
    Stopped,
    Interrupted,
    Failed(Failure),
}

impl Outcome {
    const fn state(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Stopped => "stopped",
            Self::Interrupted => "interrupted",
            Self::Failed(_) => "failed",
        }
    }
}

/// Holds the claim of a run and releases it on drop, also when the task panics. A claim that is never released would
/// keep the run from being recovered.
struct ClaimGuard {
    chats: Chats,
    run: RunId,
}

impl Drop for ClaimGuard {
    fn drop(&mut self) {
        self.chats.0.hub.remove(self.run);
        self.chats.0.hub.release_claim(self.run);
    }
}

impl Chats {
    /// Executes a run in the background if it can still be claimed.
    pub(super) fn execute(&self, run: RunId) {
        self.execute_in_order(vec![run]);
    }

    /// Executes runs in the background, as far as they can still be claimed. Claims them in this order.
    pub(super) fn execute_in_order(&self, runs: Vec<RunId>) {
        let chats = self.clone();
        self.0.tasks.spawn(async move {
            for run in runs {
                if chats.0.shutdown.is_cancelled() {
                    return;
                }
                if let Some(claimed) = chats.0.writer.claim(run).await {
                    chats.start_claimed(claimed);
                }
            }
        });
    }

    /// Executes a run in the background that this process has already claimed.
    pub(super) fn start_claimed(&self, claimed: ClaimedRun) {
        let chats = self.clone();
        let guard = ClaimGuard { chats: self.clone(), run: claimed.id };
        self.0.tasks.spawn(async move {
            chats.execute_claimed(claimed).await;
            drop(guard);
        });
    }

    async fn execute_claimed(&self, claimed: ClaimedRun) {
        let (chats, run) = (self.clone(), claimed.clone());
        // In a separate task, so that a panic interrupts the answer instead of leaving it open forever.
        let work = tokio::spawn(async move { chats.answer(run).await });
        let error = match work.await {
            Ok(Ok(())) => return,
            Ok(Err(fault)) => fault.to_string(),
            Err(panic) => panic.to_string(),
        };
        tracing::error!(run = %claimed.id, %error, "a run failed unexpectedly");
        match self.0.hub.get(claimed.id) {
            Some(live) => self.end(&live, Outcome::Interrupted).await,
            None => self.end_unstarted(&claimed).await,
        }
    }

    /// Ends a run that never became live. Its answer is unchanged, because nothing was generated.
    async fn end_unstarted(&self, claimed: &ClaimedRun) {
        let outcome = if claimed.stop_requested { Outcome::Stopped } else { Outcome::Interrupted };
        let finished = self.finished_run(claimed, None, outcome);
        if !self.0.writer.finish(finished).await {
            tracing::warn!(run = %claimed.id, "another worker has already ended the run");
        }
    }

    /// The final state of a run for the database. Without progress, the answer keeps its text.
    fn finished_run(&self, claimed: &ClaimedRun, progress: Option<RunProgress>, outcome: Outcome) -> FinishedRun {
        let failure = match outcome {
            Outcome::Failed(failure) => serde_json::to_value(failure).ok().and_then(|v| v.as_str().map(str::to_owned)),
            _ => None,
        };
        // A reader shows the end of the answer. A reader of another process marks the chat as read again.
        let is_read = || self.0.hub.get(claimed.id).is_some_and(|live| live.has_readers());
        let is_unread = matches!(outcome, Outcome::Complete | Outcome::Failed(_)) && !is_read();
        FinishedRun {
            claim: claimed.into(),
            preview: progress.as_ref().map_or_else(String::new, |progress| markdown::preview(&progress.text)),
            progress,
            state: outcome.state(),
            failure,
            unread: is_unread,
            write_title: outcome == Outcome::Complete && self.writes_titles(&claimed.model),
            now: self.0.clock.now(),
        }
    }

    async fn answer(&self, claimed: ClaimedRun) -> Result<(), Fault> {
        let assembled = prompt::assemble(&self.0.store, &claimed).await?;
        let live = self.0.hub.insert(claimed, &assembled);
        if live.claimed.stop_requested {
            live.stop.cancel();
        }
        let outcome = match self.0.models.find(&live.claimed.model).await {
            None => Outcome::Failed(Failure::ModelGone),
            Some((model, _)) => {
                let deltas = model.answer(assembled.prompt, live.stop.clone());
                self.stream_answer(&live, deltas, assembled.truncated_messages).await
            }
        };
        self.end(&live, outcome).await;
        Ok(())
    }

    /// Applies the output of the model until it ends or is stopped.
    async fn stream_answer(&self, live: &Arc<LiveRun>, mut deltas: DeltaStream, truncated_messages: u32) -> Outcome {
        let mut pipeline = Pipeline::default();
        let mut next_update = Instant::now();
        let mut has_unpublished = false;
        let outcome = loop {
            let delta = tokio::select! {
                biased;
                () = self.0.shutdown.cancelled() => break Outcome::Interrupted,
                () = live.stop.cancelled() => break Outcome::Stopped,
                () = sleep_until(next_update), if has_unpublished => {
                    next_update = publish(live);
                    has_unpublished = false;
                    continue;
                }
                delta = deltas.next() => delta,
            };
            match delta {
                Some(Ok(Delta::End(finish))) => {
                    pipeline.finish().for_each(|delta| apply_delta(live, delta, truncated_messages));
                    break finished_outcome(live, finish);
                }
                Some(Ok(delta)) => {
                    // Counted before the pipeline: tokens cost the same whatever the stages pass on.
                    live.update(|state| state.count_tokens(&delta));
                    pipeline.process(delta).for_each(|delta| apply_delta(live, delta, truncated_messages));
                }
                Some(Err(error)) => break failed_outcome(live, &error),
                None if live.stop.is_cancelled() => break Outcome::Stopped,
                None => {
                    break failed_outcome(
                        live,
                        &ModelError::new(Failure::Cut, "the model's stream ended without a finish reason"),
                    );
                }
            }
            has_unpublished = true;
            if Instant::now() >= next_update {
                next_update = publish(live);
                has_unpublished = false;
            }
        };
        // Empty if the model finished normally.
        pipeline.finish().for_each(|delta| apply_delta(live, delta, truncated_messages));
        outcome
    }

    /// Saves the end of the run, then notifies the readers. If another worker has already ended the run, nothing
    /// changes, and the readers reconnect.
    async fn end(&self, live: &Arc<LiveRun>, outcome: Outcome) {
        let (run, chat, owner) = (live.claimed.id, live.claimed.chat_id, live.claimed.owner_id);
        let message = live.claimed.message_id;
        let progress = live.progress(matches!(outcome, Outcome::Failed(_)));
        let (prompt_tokens, answer_tokens) = (progress.prompt_tokens, progress.answer_tokens);
        let won = self.0.writer.finish(self.finished_run(&live.claimed, Some(progress), outcome)).await;
        self.0.hub.remove(run);
        if !won {
            tracing::warn!(%run, "another worker has already ended the run");
            return;
        }
        if live.has_readers() {
            match self.find_message(owner, chat, message).await {
                Ok(message) => live.publish_end(&message),
                Err(fault) => tracing::warn!(%fault, %run, "cannot notify the readers of the end of a run"),
            }
        }
        tracing::info!(%run, outcome = outcome.state(), prompt_tokens, answer_tokens, "run ended");
    }
}

/// Applies a delta from the pipeline. `truncated_messages` older messages were not part of the prompt at all.
fn apply_delta(live: &LiveRun, delta: Delta, truncated_messages: u32) {
    live.update(|state| match delta {
        Delta::Queued(position) => state.set_phase(Phase::Waiting { position: Some(position) }),
        Delta::Loading => state.set_phase(Phase::Loading),
        Delta::TruncatedMessages(more) => state.set_truncated_messages(truncated_messages.saturating_add(more)),
        Delta::Reasoning(chunk) => state.push_reasoning(&chunk),
        Delta::Text(chunk) => state.push_text(&chunk),
        Delta::TextWasReasoning => state.convert_text_to_reasoning(),
        Delta::Usage(_) | Delta::End(_) => {}
    });
}

/// Sends the readers what is new. Returns when the next update is due.
fn publish(live: &LiveRun) -> Instant {
    let started = Instant::now();
    live.publish();
    let now = Instant::now();
    now + MIN_UPDATE_INTERVAL.max((now - started) * UPDATE_COST_FACTOR)
}

fn finished_outcome(live: &LiveRun, finish: FinishReason) -> Outcome {
    let failure = match finish {
        FinishReason::Length => Failure::LengthLimit,
        FinishReason::Withheld => Failure::Withheld,
        FinishReason::Stop | FinishReason::ToolCall if live.is_blank() => Failure::Empty,
        FinishReason::Stop | FinishReason::ToolCall => return Outcome::Complete,
    };
    tracing::info!(run = %live.claimed.id, ?finish, "the model stopped before its answer was complete");
    Outcome::Failed(failure)
}

fn failed_outcome(live: &LiveRun, error: &ModelError) -> Outcome {
    tracing::warn!(run = %live.claimed.id, %error, "the model failed");
    Outcome::Failed(error.failure)
}
