//! One answer, from the request to its end.

use reqwest::Response;
use tokio::time::{Instant, timeout_at};

use super::{
    super::{Delta, Finish, ModelError, Prompt, Usage, pieces::Pieces},
    OpenAi, describe_json, faults,
    sse::{Decoder, Event},
    wire::{self, Chunk},
};
use crate::domain::Failure;

/// Reads one answer.
#[derive(Debug)]
pub struct Reader {
    model: OpenAi,
    /// What to ask; gone once it has been asked.
    prompt: Option<Prompt>,
    body: Option<Response>,
    decoder: Decoder,
    answer: Answer,
    /// When all of it has to be there.
    deadline: Instant,
    /// When the first byte has to be there.
    first: Option<Instant>,
}

/// What the events have said so far.
#[derive(Debug)]
struct Answer {
    pieces: Pieces,
    usage: Option<Usage>,
    finish: Option<Finish>,
}

impl Reader {
    /// Asks nothing yet.
    pub fn new(model: OpenAi, prompt: Prompt) -> Self {
        let limits = &model.endpoint.limits;
        let now = Instant::now();
        Self {
            deadline: now + limits.whole,
            first: Some(now + limits.first),
            answer: Answer { pieces: Pieces::new(limits.answer), usage: None, finish: None },
            prompt: Some(prompt),
            body: None,
            decoder: Decoder::default(),
            model,
        }
    }

    /// What can be given on at once.
    pub fn ready(&mut self) -> Option<Result<Delta, ModelError>> {
        self.answer.pieces.next()
    }

    /// The next delta or fault; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Delta, ModelError>> {
        loop {
            if let Some(item) = self.ready() {
                return Some(item);
            }
            if self.answer.pieces.ended() {
                return None;
            }
            let step = match self.prompt.take() {
                Some(prompt) => self.open(&prompt).await,
                None => self.read().await,
            };
            if let Err(fault) = step {
                self.answer.pieces.fail(fault);
            }
            if self.answer.pieces.ended() {
                // Closes the connection now, not when the last delta has been taken.
                self.body = None;
            }
        }
    }

    /// Sends the request and waits for the head of the response.
    async fn open(&mut self, prompt: &Prompt) -> Result<(), ModelError> {
        let endpoint = &self.model.endpoint;
        // Counted from here, because a stream may lie for a while before it is polled.
        let now = Instant::now();
        let first = now + endpoint.limits.first;
        self.deadline = now + endpoint.limits.whole;
        self.first = Some(first);
        let (messages, left_out) = wire::messages(prompt, endpoint.context)
            .ok_or_else(|| ModelError::new(Failure::TooLong, "the newest message does not fit into the context"))?;
        let asked = timeout_at(first.min(self.deadline), endpoint.ask(&self.model.name, &messages)).await;
        self.body = Some(asked.map_err(|_| too_late("no answer"))??);
        if left_out > 0 {
            self.answer.pieces.tell(Delta::LeftOut(u32::try_from(left_out).unwrap_or(u32::MAX)));
        }
        Ok(())
    }

    /// Takes what the network has next.
    async fn read(&mut self) -> Result<(), ModelError> {
        let limits = &self.model.endpoint.limits;
        let until = match (self.first, self.answer.finish) {
            (Some(first), _) => first,
            (None, None) => Instant::now() + limits.between,
            (None, Some(_)) => Instant::now() + limits.after_end,
        };
        let Some(body) = &mut self.body else {
            return Err(ModelError::new(Failure::Cut, "there is no connection"));
        };
        match timeout_at(until.min(self.deadline), body.chunk()).await {
            Ok(Ok(Some(bytes))) => {
                self.first = None;
                let answer = &mut self.answer;
                self.decoder
                    .push(&bytes, |event| answer.take(event))
                    .map_err(|fault| ModelError::new(Failure::Garbled, fault.to_string()))
            }
            // With a reason to end, the rest would only have been counts of tokens.
            Ok(_) | Err(_) if self.answer.finish.is_some() => {
                self.answer.complete();
                Ok(())
            }
            Ok(Ok(None)) if self.decoder.unfinished() == Some("[DONE]") => {
                self.answer.complete();
                Ok(())
            }
            Ok(Ok(None)) => Err(ModelError::new(Failure::Cut, "the stream ended before the answer")),
            Ok(Err(fault)) => Err(faults::of_body(fault)),
            Err(_) => Err(too_late("the answer did not go on")),
        }
    }
}

impl Answer {
    /// Takes one event. Only unnamed ones and errors mean something; nothing that comes is ever a command.
    fn take(&mut self, event: Event<'_>) {
        if self.pieces.ended() || !matches!(event.name, "" | "message" | "error") {
            return;
        }
        if event.data.trim() == "[DONE]" {
            return self.complete();
        }
        // Some send two objects in one event.
        for chunk in serde_json::Deserializer::from_str(event.data).into_iter() {
            match chunk {
                Ok(chunk) => self.take_chunk(chunk),
                Err(fault) => {
                    let detail = format!("an event is not in the expected form: {}", describe_json(&fault));
                    return self.pieces.fail(ModelError::new(Failure::Garbled, detail));
                }
            }
        }
    }

    fn take_chunk(&mut self, chunk: Chunk<'_>) {
        if let Some(error) = chunk.error.filter(|error| !error.is_null()) {
            return self.pieces.fail(faults::of_stream(&error));
        }
        if let Some(counts) = chunk.usage {
            self.usage = Some(counts.into());
        }
        for choice in chunk.choices.into_iter().flatten().filter(|choice| choice.index == 0) {
            if let Some(step) = &choice.delta {
                self.pieces.reasoning(step.thinking());
                self.pieces.text(&step.content.0);
            }
            if choice.finish_reason.0 == "error" {
                return self
                    .pieces
                    .fail(ModelError::new(Failure::Upstream, "the provider ended the answer with an error"));
            }
            self.finish = choice.finish_reason.as_finish().or(self.finish);
        }
    }

    fn complete(&mut self) {
        self.pieces.finish(self.finish.unwrap_or(Finish::Stop), self.usage);
    }
}

fn too_late(what: &str) -> ModelError {
    ModelError::new(Failure::TimedOut, format!("{what} in time"))
}
