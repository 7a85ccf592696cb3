//! Reads one answer, from the request to the end of the stream.

use reqwest::{Response, header::CONTENT_TYPE};
use tokio::time::{Instant, timeout_at};

use super::{
    super::{Delta, FinishReason, ModelError, Prompt, Usage, delta_buffer::DeltaBuffer},
    OpenAi,
    body::BodyDecoder,
    chunk::{AnswerSink, Chunk, End},
    describe_json_error, errors,
    sse::{DecodeError, Event},
};
use crate::{domain::Failure, server::egress::EgressError};

/// The state of one answer.
#[derive(Debug)]
pub struct AnswerReader {
    model: OpenAi,
    /// The prompt to send. `None` once it has been sent.
    prompt: Option<Prompt>,
    body: Option<Response>,
    decoder: BodyDecoder,
    answer: Answer,
    /// When the whole answer must have arrived.
    deadline: Instant,
    /// When the first byte must have arrived. `None` once it has.
    first_byte_deadline: Option<Instant>,
}

/// The answer as far as it has been received.
#[derive(Debug)]
struct Answer {
    buffer: DeltaBuffer,
    usage: Option<Usage>,
    finish: Option<FinishReason>,
    /// Whether text came after a finish reason. Such a provider's finish reasons say nothing about the end.
    continues_after_finish: bool,
    /// The content type of the body. Only logged; nothing depends on it.
    content_type: String,
    /// Whether JSON objects came that are not part of an answer.
    has_unknown_json: bool,
    /// Whether any part of an answer came.
    has_started: bool,
}

impl AnswerReader {
    /// Sends nothing yet.
    pub fn new(model: OpenAi, prompt: Prompt) -> Self {
        let limits = &model.endpoint.limits;
        let now = Instant::now();
        Self {
            deadline: now + limits.total_timeout,
            first_byte_deadline: Some(now + limits.first_byte_timeout),
            answer: Answer::new(limits.max_answer_bytes),
            prompt: Some(prompt),
            body: None,
            decoder: BodyDecoder::default(),
            model,
        }
    }

    /// A delta or error that is already buffered.
    pub fn next_buffered(&mut self) -> Option<Result<Delta, ModelError>> {
        self.answer.buffer.next()
    }

    /// The next delta or error. `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Delta, ModelError>> {
        loop {
            if let Some(item) = self.next_buffered() {
                return Some(item);
            }
            if self.answer.buffer.has_ended() {
                return None;
            }
            let result = match self.prompt.take() {
                Some(prompt) => self.send_request(&prompt).await,
                None => self.read_chunk().await,
            };
            if let Err(fault) = result {
                self.answer.fail(fault);
            }
            if self.answer.buffer.has_ended() {
                // Closes the connection now rather than when the last delta has been read.
                self.body = None;
            }
        }
    }

    /// Sends the request and waits for the response headers.
    async fn send_request(&mut self, prompt: &Prompt) -> Result<(), ModelError> {
        let endpoint = &self.model.endpoint;
        // The timeouts start here, because a stream may not be polled immediately.
        let now = Instant::now();
        let first = now + endpoint.limits.first_byte_timeout;
        self.deadline = now + endpoint.limits.total_timeout;
        self.first_byte_deadline = Some(first);
        let until = first.min(self.deadline);
        let response = timeout_at(until, endpoint.request_answer(&self.model.name, prompt, until)).await;
        let (response, truncated_messages) = response.map_err(|_| timed_out("no answer"))??;
        let content_type =
            response.headers().get(CONTENT_TYPE).and_then(|content_type| content_type.to_str().ok()).unwrap_or("none");
        self.answer.content_type = content_type.chars().take(100).collect();
        self.body = Some(response);
        if truncated_messages > 0 {
            self.answer.buffer.push(Delta::TruncatedMessages(u32::try_from(truncated_messages).unwrap_or(u32::MAX)));
        }
        Ok(())
    }

    /// Reads the next bytes from the network. The answer ends with `[DONE]` or the end of the stream, never with the
    /// finish reason alone: some providers send one with every chunk.
    async fn read_chunk(&mut self) -> Result<(), ModelError> {
        let limits = &self.model.endpoint.limits;
        let until = self.first_byte_deadline.unwrap_or_else(|| Instant::now() + limits.idle_timeout);
        let Some(body) = &mut self.body else {
            return Err(ModelError::new(Failure::Cut, "there is no connection"));
        };
        let answer = &mut self.answer;
        match timeout_at(until.min(self.deadline), body.chunk()).await {
            Ok(Ok(Some(bytes))) => {
                self.first_byte_deadline = None;
                self.decoder.push(&bytes, |event| answer.process_event(event, false)).map_err(decode_error)
            }
            Ok(Ok(None)) => {
                self.decoder.finish(|event| answer.process_event(event, true)).map_err(decode_error)?;
                if answer.finish.is_some() {
                    answer.complete();
                }
                if answer.buffer.has_ended() { Ok(()) } else { Err(self.missing_end_error()) }
            }
            // After a finish reason, only token counts would have followed.
            Ok(Err(_)) | Err(_) if answer.finish.is_some() && !answer.continues_after_finish => {
                answer.complete();
                Ok(())
            }
            Ok(Err(fault)) => Err(EgressError::from(fault).into()),
            Err(_) => Err(timed_out("no progress")),
        }
    }

    /// The error for a body that ended cleanly without the end of an answer.
    fn missing_end_error(&self) -> ModelError {
        let (failure, detail) = match &self.decoder {
            _ if self.answer.has_started => (Failure::Cut, "the stream ended before the end of the answer"),
            _ if self.answer.has_unknown_json => (Failure::UnknownJson, "the response is JSON but not an answer"),
            BodyDecoder::Events(decoder) if !decoder.has_fields() => (Failure::PlainText, "the response is plain text"),
            _ => (Failure::Cut, "the stream ended before the end of the answer"),
        };
        ModelError::new(failure, detail)
    }
}

impl Answer {
    fn new(limit: usize) -> Self {
        Self {
            buffer: DeltaBuffer::new(limit),
            usage: None,
            finish: None,
            continues_after_finish: false,
            content_type: String::new(),
            has_unknown_json: false,
            has_started: false,
        }
    }

    /// Processes one event. The `last` one may be incomplete. Only unnamed events, messages and errors have a meaning;
    /// nothing in a response is ever executed.
    fn process_event(&mut self, event: Event<'_>, last: bool) {
        if self.buffer.has_ended() || !matches!(event.name, "" | "message" | "error") {
            return;
        }
        if event.data.trim() == "[DONE]" {
            return self.complete();
        }
        let chunks = match Chunk::parse(event.data) {
            Ok(chunks) => chunks,
            Err(_) if event.name == "error" => return self.fail(errors::from_stream(&event.data.into())),
            Err(_) if last => return,
            Err(fault) => {
                let detail = format!("an event is not valid JSON: {}", describe_json_error(&fault));
                return self.fail(ModelError::new(Failure::Garbled, detail));
            }
        };
        for chunk in &chunks {
            match chunk.error() {
                Some(error) => return self.fail(errors::from_stream(error)),
                None if event.name == "error" => return self.fail(errors::from_stream(chunk.value())),
                None => self.process_chunk(chunk),
            }
        }
    }

    fn process_chunk(&mut self, chunk: &Chunk) {
        if !chunk.is_part_of_answer() {
            self.has_unknown_json = true;
            return;
        }
        self.has_started = true;
        if let Some(counts) = chunk.usage() {
            // Keeps the last known value of each count.
            let known = |new: u32, old: u32| if new == 0 { old } else { new };
            let old = self.usage.unwrap_or_default();
            let (prompt, answer) = (known(counts.prompt, old.prompt), known(counts.answer, old.answer));
            self.usage = Some(Usage { prompt, answer });
        }
        chunk.write_to(self);
        match chunk.end() {
            Some(End::Failed(failure)) => {
                self.fail(ModelError::new(failure, "the provider ended the answer with an error"));
            }
            Some(End::Finish(finish)) => self.finish = Some(finish),
            None if chunk.is_whole_answer() => self.finish = Some(self.finish.unwrap_or(FinishReason::Stop)),
            None => {}
        }
    }

    fn complete(&mut self) {
        self.buffer.finish(self.finish.unwrap_or(FinishReason::Stop), self.usage.take());
    }

    fn fail(&mut self, mut fault: ModelError) {
        let is_unreadable =
            matches!(fault.failure, Failure::Garbled | Failure::WebPage | Failure::UnknownJson | Failure::PlainText);
        if is_unreadable && !self.content_type.is_empty() {
            fault.detail = format!("{} (Content-Type: {})", fault.detail, self.content_type);
        }
        if let Some(usage) = self.usage.take().filter(|_| !self.buffer.has_ended()) {
            self.buffer.push(Delta::Usage(usage));
        }
        self.buffer.fail(fault);
    }
}

impl AnswerSink for Answer {
    fn push_reasoning(&mut self, chunk: &str) {
        self.continues_after_finish |= self.finish.is_some() && !chunk.is_empty();
        self.buffer.push_reasoning(chunk);
    }

    fn push_text(&mut self, chunk: &str) {
        self.continues_after_finish |= self.finish.is_some() && !chunk.is_empty();
        self.buffer.push_text(chunk);
    }
}

fn decode_error(fault: DecodeError) -> ModelError {
    let failure = if fault == DecodeError::WebPage { Failure::WebPage } else { Failure::Garbled };
    ModelError::new(failure, fault.to_string())
}

fn timed_out(what: &str) -> ModelError {
    ModelError::new(Failure::TimedOut, format!("{what} in time"))
}
