//! Executing a run: from the claim to the one ending.

use std::{sync::Arc, time::Duration};

use futures::StreamExt;
use tokio::time::{Instant, sleep_until};

use super::{Chats, hub::LiveRun, pipeline::Pipeline, prompt};
use crate::{
    domain::{Failure, Phase, RunId, last_words},
    server::{
        fault::Fault,
        llm::{Delta, Deltas, Finish, ModelError},
        store::{Claimed, Ending, Progress},
    },
};

/// Time between two updates to the readers: 25 a second look fluent.
const FRAME: Duration = Duration::from_millis(40);
/// An update may cost this share of the time between two: long open blocks are told less often.
const FRAME_SHARE: u32 = 10;

/// How the stream of an answer ended.
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

/// A run that this process has claimed, until this is dropped: at its end, and where its task panics too, or nobody
/// could ever take it for abandoned.
struct Held {
    chats: Chats,
    run: RunId,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.chats.0.hub.remove(self.run);
        self.chats.0.hub.release(self.run);
    }
}

impl Chats {
    /// Executes a run in the background, if it can still be claimed.
    pub(super) fn execute(&self, run: RunId) {
        self.execute_in_order(vec![run]);
    }

    /// Executes runs in the background, those that can still be claimed: the first of them is claimed first.
    pub(super) fn execute_in_order(&self, runs: Vec<RunId>) {
        let chats = self.clone();
        self.0.tasks.spawn(async move {
            for run in runs {
                if chats.0.shutdown.is_cancelled() {
                    return;
                }
                if let Some(claimed) = chats.0.writer.claim(run).await {
                    chats.begin(claimed);
                }
            }
        });
    }

    /// Executes a run that this process has claimed, in the background.
    pub(super) fn begin(&self, claimed: Claimed) {
        let chats = self.clone();
        let held = Held { chats: self.clone(), run: claimed.id };
        self.0.tasks.spawn(async move {
            chats.execute_claimed(claimed).await;
            drop(held);
        });
    }

    async fn execute_claimed(&self, claimed: Claimed) {
        let (chats, run) = (self.clone(), claimed.clone());
        // In a task of its own, so that a panic is an interrupted answer and not one that waits for ever.
        let work = tokio::spawn(async move { chats.answer(run).await });
        let error = match work.await {
            Ok(Ok(())) => return,
            Ok(Err(fault)) => fault.to_string(),
            Err(panic) => panic.to_string(),
        };
        tracing::error!(run = %claimed.id, %error, "a run broke off");
        match self.0.hub.get(claimed.id) {
            Some(live) => self.end(&live, Outcome::Interrupted).await,
            None => self.abandon(&claimed).await,
        }
    }

    /// Ends a run that never became live. Its answer keeps what it has: nothing was written.
    async fn abandon(&self, claimed: &Claimed) {
        let outcome = if claimed.stop_requested { Outcome::Stopped } else { Outcome::Interrupted };
        let ending = self.ending(claimed, None, outcome);
        if !self.0.writer.finish(ending).await {
            tracing::warn!(run = %claimed.id, "a run was ended by somebody else");
        }
    }

    /// What is put down at the end of a run. Without progress the answer keeps the text that it has.
    fn ending(&self, claimed: &Claimed, progress: Option<Progress>, outcome: Outcome) -> Ending {
        let failure = match outcome {
            Outcome::Failed(failure) => serde_json::to_value(failure).ok().and_then(|v| v.as_str().map(str::to_owned)),
            _ => None,
        };
        Ending {
            claim: claimed.into(),
            last_words: progress.as_ref().map_or_else(String::new, |progress| last_words(&progress.text)),
            progress,
            state: outcome.state(),
            failure,
            now: self.0.clock.now(),
        }
    }

    async fn answer(&self, claimed: Claimed) -> Result<(), Fault> {
        let assembled = prompt::assemble(&self.0.store, &claimed).await?;
        let live = self.0.hub.insert(claimed, &assembled);
        if live.claimed.stop_requested {
            live.stop.cancel();
        }
        let outcome = match self.0.models.find(&live.claimed.model).await {
            None => Outcome::Failed(Failure::ModelGone),
            Some((model, _)) => {
                let deltas = model.answer(assembled.prompt, live.stop.clone());
                self.listen(&live, deltas, assembled.left_out).await
            }
        };
        self.end(&live, outcome).await;
        Ok(())
    }

    /// Writes what the model says until it ends, or is ended.
    async fn listen(&self, live: &Arc<LiveRun>, mut deltas: Deltas, left_out: u32) -> Outcome {
        let mut pipeline = Pipeline::default();
        let mut next_frame = Instant::now();
        let mut untold = false;
        let outcome = loop {
            let delta = tokio::select! {
                biased;
                () = self.0.shutdown.cancelled() => break Outcome::Interrupted,
                () = live.stop.cancelled() => break Outcome::Stopped,
                () = sleep_until(next_frame), if untold => {
                    next_frame = tell(live);
                    untold = false;
                    continue;
                }
                delta = deltas.next() => delta,
            };
            match delta {
                Some(Ok(Delta::End(finish))) => {
                    pipeline.finish().for_each(|delta| write(live, delta, left_out));
                    break ended(live, finish);
                }
                Some(Ok(delta)) => {
                    // What the model says costs what it costs, whatever the stages let through.
                    live.change(|state| state.count(&delta));
                    pipeline.take(delta).for_each(|delta| write(live, delta, left_out));
                }
                Some(Err(error)) => break failed(live, &error),
                None if live.stop.is_cancelled() => break Outcome::Stopped,
                None => break failed(live, &ModelError::new(Failure::Cut, "the model's stream ended without an end")),
            }
            untold = true;
            if Instant::now() >= next_frame {
                next_frame = tell(live);
                untold = false;
            }
        };
        // Nothing is left where the model came to its end.
        pipeline.finish().for_each(|delta| write(live, delta, left_out));
        outcome
    }

    /// Puts the ending down, then tells the readers. If somebody else has ended the run, nothing is changed and
    /// the readers are sent to look again.
    async fn end(&self, live: &Arc<LiveRun>, outcome: Outcome) {
        let (run, chat, owner) = (live.claimed.id, live.claimed.chat_id, live.claimed.owner_id);
        let message = live.claimed.message_id;
        let progress = live.progress(matches!(outcome, Outcome::Failed(_)));
        let (prompt_tokens, answer_tokens) = (progress.prompt_tokens, progress.answer_tokens);
        let won = self.0.writer.finish(self.ending(&live.claimed, Some(progress), outcome)).await;
        self.0.hub.remove(run);
        if !won {
            tracing::warn!(%run, "a run was ended by somebody else");
            return;
        }
        if live.is_heard() {
            match self.find_message(owner, chat, message).await {
                Ok(message) => live.tell_end(&message),
                Err(fault) => tracing::warn!(%fault, %run, "the end of a run could not be told"),
            }
        }
        tracing::info!(%run, outcome = outcome.state(), prompt_tokens, answer_tokens, "a run ended");
    }
}

/// Writes what the pipeline let through. Of the turns that were to be read, `left_out` older ones were not offered.
fn write(live: &LiveRun, delta: Delta, left_out: u32) {
    live.change(|state| match delta {
        Delta::Queued(place) => state.set_phase(Phase::Waiting { place: Some(place) }),
        Delta::Loading => state.set_phase(Phase::Loading),
        Delta::LeftOut(more) => state.set_left_out(left_out.saturating_add(more)),
        Delta::Reasoning(piece) => state.push_reasoning(&piece),
        Delta::Text(piece) => state.push_text(&piece),
        Delta::TextWasReasoning => state.take_text_as_reasoning(),
        Delta::Usage(_) | Delta::End(_) => {}
    });
}

/// Tells the readers what is new, and says when the next update is due.
fn tell(live: &LiveRun) -> Instant {
    let begun = Instant::now();
    live.tell();
    let now = Instant::now();
    now + FRAME.max((now - begun) * FRAME_SHARE)
}

fn ended(live: &LiveRun, finish: Finish) -> Outcome {
    let failure = match finish {
        Finish::Length => Failure::LengthLimit,
        Finish::Withheld => Failure::Withheld,
        Finish::Stop | Finish::ToolCall if live.is_blank() => Failure::Empty,
        Finish::Stop | Finish::ToolCall => return Outcome::Complete,
    };
    tracing::info!(run = %live.claimed.id, ?finish, "the model ended before the end of its answer");
    Outcome::Failed(failure)
}

fn failed(live: &LiveRun, error: &ModelError) -> Outcome {
    tracing::warn!(run = %live.claimed.id, %error, "a model failed");
    Outcome::Failed(error.failure)
}
