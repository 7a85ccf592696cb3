//! One answer, from the request to its end.

use reqwest::{Response, header::CONTENT_TYPE};
use tokio::time::{Instant, timeout_at};

use super::{
    super::{Delta, Finish, ModelError, Prompt, Usage, pieces::Pieces},
    OpenAi,
    chunk::{Chunk, Ending, Parts},
    describe_json, faults,
    frames::Frames,
    sse::{Event, Unreadable},
};
use crate::{domain::Failure, server::egress::EgressError};

/// Reads one answer.
#[derive(Debug)]
pub struct Reader {
    model: OpenAi,
    /// What to ask; gone once it has been asked.
    prompt: Option<Prompt>,
    body: Option<Response>,
    frames: Frames,
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
    /// Whether the answer went on after a reason to end: then none says anything about the end.
    goes_on_after_reason: bool,
    /// What the body is said to be; for the log, because nothing depends on it.
    label: String,
    /// Whether objects came that belong to no answer.
    has_strange: bool,
    /// Whether anything of an answer came.
    has_begun: bool,
}

impl Reader {
    /// Asks nothing yet.
    pub fn new(model: OpenAi, prompt: Prompt) -> Self {
        let limits = &model.endpoint.limits;
        let now = Instant::now();
        Self {
            deadline: now + limits.whole,
            first: Some(now + limits.first),
            answer: Answer::new(limits.answer),
            prompt: Some(prompt),
            body: None,
            frames: Frames::default(),
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
                self.answer.fail(fault);
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
        let until = first.min(self.deadline);
        let asked = timeout_at(until, endpoint.ask(&self.model.name, prompt, until)).await;
        let (response, left_out) = asked.map_err(|_| too_late("no answer"))??;
        let label = response.headers().get(CONTENT_TYPE).and_then(|label| label.to_str().ok()).unwrap_or("none");
        self.answer.label = label.chars().take(100).collect();
        self.body = Some(response);
        if left_out > 0 {
            self.answer.pieces.tell(Delta::LeftOut(u32::try_from(left_out).unwrap_or(u32::MAX)));
        }
        Ok(())
    }

    /// Takes what the network has next. The end is `[DONE]` or the end of the stream, and never the reason alone: some
    /// give one with every step.
    async fn read(&mut self) -> Result<(), ModelError> {
        let limits = &self.model.endpoint.limits;
        let until = self.first.unwrap_or_else(|| Instant::now() + limits.between);
        let Some(body) = &mut self.body else {
            return Err(ModelError::new(Failure::Cut, "there is no connection"));
        };
        let answer = &mut self.answer;
        match timeout_at(until.min(self.deadline), body.chunk()).await {
            Ok(Ok(Some(bytes))) => {
                self.first = None;
                self.frames.push(&bytes, |event| answer.take(event, false)).map_err(unreadable)
            }
            Ok(Ok(None)) => {
                self.frames.finish(|event| answer.take(event, true)).map_err(unreadable)?;
                if answer.finish.is_some() {
                    answer.complete();
                }
                if answer.pieces.ended() { Ok(()) } else { Err(self.no_end()) }
            }
            // With a reason to end, the rest would only have been counts of tokens.
            Ok(Err(_)) | Err(_) if answer.finish.is_some() && !answer.goes_on_after_reason => {
                answer.complete();
                Ok(())
            }
            Ok(Err(fault)) => Err(EgressError::from(fault).into()),
            Err(_) => Err(too_late("the answer did not go on")),
        }
    }

    /// What is wrong with a body that has ended in an orderly way, but not the answer in it.
    fn no_end(&self) -> ModelError {
        let (failure, detail) = match &self.frames {
            _ if self.answer.has_begun => (Failure::Cut, "the stream ended before the answer"),
            _ if self.answer.has_strange => (Failure::UnknownJson, "JSON came that holds no answer"),
            Frames::Events(decoder) if !decoder.has_fields() => (Failure::PlainText, "plain text came"),
            _ => (Failure::Cut, "the stream ended before the answer"),
        };
        ModelError::new(failure, detail)
    }
}

impl Answer {
    fn new(limit: usize) -> Self {
        Self {
            pieces: Pieces::new(limit),
            usage: None,
            finish: None,
            goes_on_after_reason: false,
            label: String::new(),
            has_strange: false,
            has_begun: false,
        }
    }

    /// Takes one event; the `last` may be cut. Only unnamed ones and errors mean something; nothing that comes is ever
    /// a command.
    fn take(&mut self, event: Event<'_>, last: bool) {
        if self.pieces.ended() || !matches!(event.name, "" | "message" | "error") {
            return;
        }
        if event.data.trim() == "[DONE]" {
            return self.complete();
        }
        let chunks = match Chunk::parse(event.data) {
            Ok(chunks) => chunks,
            Err(_) if event.name == "error" => return self.fail(faults::of_stream(&event.data.into())),
            Err(_) if last => return,
            Err(fault) => {
                let detail = format!("an event is not in the expected form: {}", describe_json(&fault));
                return self.fail(ModelError::new(Failure::Garbled, detail));
            }
        };
        for chunk in &chunks {
            match chunk.error() {
                Some(error) => return self.fail(faults::of_stream(error)),
                None if event.name == "error" => return self.fail(faults::of_stream(chunk.value())),
                None => self.take_chunk(chunk),
            }
        }
    }

    fn take_chunk(&mut self, chunk: &Chunk) {
        if !chunk.is_of_an_answer() {
            self.has_strange = true;
            return;
        }
        self.has_begun = true;
        if let Some(counts) = chunk.usage() {
            // Each count as it was known last.
            let known = |new: u32, old: u32| if new == 0 { old } else { new };
            let old = self.usage.unwrap_or_default();
            let (prompt, answer) = (known(counts.prompt, old.prompt), known(counts.answer, old.answer));
            self.usage = Some(Usage { prompt, answer });
        }
        chunk.read(self);
        match chunk.ending() {
            Some(Ending::Failed(failure)) => {
                self.fail(ModelError::new(failure, "the provider ended the answer with an error"));
            }
            Some(Ending::Finish(finish)) => self.finish = Some(finish),
            None if chunk.is_whole() => self.finish = Some(self.finish.unwrap_or(Finish::Stop)),
            None => {}
        }
    }

    fn complete(&mut self) {
        self.pieces.finish(self.finish.unwrap_or(Finish::Stop), self.usage.take());
    }

    fn fail(&mut self, mut fault: ModelError) {
        let is_unreadable =
            matches!(fault.failure, Failure::Garbled | Failure::WebPage | Failure::UnknownJson | Failure::PlainText);
        if is_unreadable && !self.label.is_empty() {
            fault.detail = format!("{} (Content-Type: {})", fault.detail, self.label);
        }
        if let Some(usage) = self.usage.take().filter(|_| !self.pieces.ended()) {
            self.pieces.tell(Delta::Usage(usage));
        }
        self.pieces.fail(fault);
    }
}

impl Parts for Answer {
    fn reasoning(&mut self, piece: &str) {
        self.goes_on_after_reason |= self.finish.is_some() && !piece.is_empty();
        self.pieces.reasoning(piece);
    }

    fn text(&mut self, piece: &str) {
        self.goes_on_after_reason |= self.finish.is_some() && !piece.is_empty();
        self.pieces.text(piece);
    }
}

fn unreadable(fault: Unreadable) -> ModelError {
    let failure = if fault == Unreadable::WebPage { Failure::WebPage } else { Failure::Garbled };
    ModelError::new(failure, fault.to_string())
}

fn too_late(what: &str) -> ModelError {
    ModelError::new(Failure::TimedOut, format!("{what} in time"))
}
