//! Reads one answer, from the request to the end of the stream.

use std::fmt::Debug;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use reqwest::{Response, header::CONTENT_TYPE};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{
    super::{Delta, DeltaStream, FinishReason, ModelError, Prompt, Usage, delta_buffer::DeltaBuffer},
    Limits,
    body::BodyDecoder,
    errors,
    json::{describe_json_error, parse_objects},
    sse::{DecodeError, Event},
};
use crate::{domain::Failure, server::egress::EgressError};

/// One answer through the interface of a provider: how it is requested, and what its events mean.
#[async_trait]
pub trait Exchange: Send + Debug {
    /// The limits of the answer.
    fn limits(&self) -> &Limits;

    /// Requests the answer and waits until `until` for the head of the response. Returns the response and the number of
    /// oldest turns that were omitted.
    ///
    /// # Errors
    /// There is no successful response.
    async fn request(&mut self, prompt: &Prompt, until: Instant) -> Result<(Response, usize), ModelError>;

    /// Processes an event, or a JSON object outside of an event stream. The `last` one may be incomplete.
    fn process(&mut self, event: Event<'_>, last: bool, answer: &mut Answer);
}

/// The stream of an answer. It ends within 200 ms after `stop` is cancelled.
pub fn stream_answer(exchange: impl Exchange + 'static, prompt: Prompt, stop: CancellationToken) -> DeltaStream {
    let reader = AnswerReader::new(Box::new(exchange), prompt);
    // Ending the stream drops the reader and with it the connection.
    stream::unfold((reader, stop), |(mut reader, stop)| async move {
        let item = match reader.next_buffered() {
            Some(item) => item,
            None => stop.run_until_cancelled(reader.next()).await??,
        };
        (!stop.is_cancelled()).then_some((item, (reader, stop)))
    })
    .boxed()
}

/// The state of one answer.
#[derive(Debug)]
struct AnswerReader {
    exchange: Box<dyn Exchange>,
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
pub struct Answer {
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
    fn new(exchange: Box<dyn Exchange>, prompt: Prompt) -> Self {
        let limits = exchange.limits();
        let now = Instant::now();
        Self {
            deadline: now + limits.total_timeout,
            first_byte_deadline: Some(now + limits.first_byte_timeout),
            answer: Answer::new(limits.max_answer_bytes),
            prompt: Some(prompt),
            body: None,
            decoder: BodyDecoder::default(),
            exchange,
        }
    }

    /// A delta or error that is already buffered.
    fn next_buffered(&mut self) -> Option<Result<Delta, ModelError>> {
        self.answer.buffer.next()
    }

    /// The next delta or error. `None` at the end.
    async fn next(&mut self) -> Option<Result<Delta, ModelError>> {
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
        let limits = self.exchange.limits();
        // The timeouts start here, because a stream may not be polled immediately.
        let now = Instant::now();
        let first = now + limits.first_byte_timeout;
        self.deadline = now + limits.total_timeout;
        self.first_byte_deadline = Some(first);
        let until = first.min(self.deadline);
        let response = timeout_at(until, self.exchange.request(prompt, until)).await;
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
        let idle_timeout = self.exchange.limits().idle_timeout;
        let until = self.first_byte_deadline.unwrap_or_else(|| Instant::now() + idle_timeout);
        let Some(body) = &mut self.body else {
            return Err(ModelError::new(Failure::Cut, "there is no connection"));
        };
        let (exchange, answer) = (&mut self.exchange, &mut self.answer);
        let mut process = |event: Event<'_>, last: bool| {
            if !answer.has_ended() {
                exchange.process(event, last, answer);
            }
        };
        match timeout_at(until.min(self.deadline), body.chunk()).await {
            Ok(Ok(Some(bytes))) => {
                self.first_byte_deadline = None;
                self.decoder.push(&bytes, |event| process(event, false)).map_err(decode_error)
            }
            Ok(Ok(None)) => {
                self.decoder.finish(|event| process(event, true)).map_err(decode_error)?;
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

    /// Whether the answer has ended.
    pub const fn has_ended(&self) -> bool {
        self.buffer.has_ended()
    }

    /// The JSON objects of an event. One that is broken ends the answer, unless it is the `last`.
    pub fn parse(&mut self, event: Event<'_>, last: bool) -> Vec<Value> {
        match parse_objects(event.data) {
            Ok(objects) => return objects,
            Err(_) if event.name == "error" => self.fail(errors::from_stream(&event.data.into())),
            Err(_) if last => {}
            Err(fault) => {
                let detail = format!("an event is not valid JSON: {}", describe_json_error(&fault));
                self.fail(ModelError::new(Failure::Garbled, detail));
            }
        }
        Vec::new()
    }

    /// A part of an answer came, even if it is empty.
    pub const fn start(&mut self) {
        self.has_started = true;
    }

    /// JSON came that is not part of an answer.
    pub const fn note_unknown_json(&mut self) {
        self.has_unknown_json = true;
    }

    /// Adds a chunk of reasoning, possibly empty.
    pub fn push_reasoning(&mut self, chunk: &str) {
        self.note_continuation(chunk);
        self.buffer.push_reasoning(chunk);
    }

    /// Adds a chunk of the answer, possibly empty, in which tags may mark reasoning.
    pub fn push_tagged_text(&mut self, chunk: &str) {
        self.note_continuation(chunk);
        self.buffer.push_text(chunk);
    }

    /// Adds a chunk of the answer, possibly empty, from an interface that separates reasoning itself.
    pub fn push_text(&mut self, chunk: &str) {
        self.note_continuation(chunk);
        self.buffer.push_plain_text(chunk);
    }

    fn note_continuation(&mut self, chunk: &str) {
        self.continues_after_finish |= self.finish.is_some() && !chunk.is_empty();
    }

    /// Reports token counts. A count of 0 is not known and leaves the last known one.
    pub fn set_usage(&mut self, counts: Usage) {
        let known = |new: u32, old: u32| if new == 0 { old } else { new };
        let old = self.usage.unwrap_or_default();
        self.usage = Some(Usage {
            prompt: known(counts.prompt, old.prompt),
            cached: known(counts.cached, old.cached),
            answer: known(counts.answer, old.answer),
        });
    }

    /// The finish reason as far as it is known.
    pub const fn finish(&self) -> Option<FinishReason> {
        self.finish
    }

    /// Sets the finish reason. The answer goes on until [`Answer::complete`] or the end of the stream.
    pub const fn set_finish(&mut self, finish: FinishReason) {
        self.finish = Some(finish);
    }

    /// Ends the answer, with the last finish reason.
    pub fn complete(&mut self) {
        self.buffer.finish(self.finish.unwrap_or(FinishReason::Stop), self.usage.take());
    }

    /// Ends the answer with an error. Its text so far is kept.
    pub fn fail(&mut self, mut fault: ModelError) {
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

fn decode_error(fault: DecodeError) -> ModelError {
    let failure = if fault == DecodeError::WebPage { Failure::WebPage } else { Failure::Garbled };
    ModelError::new(failure, fault.to_string())
}

fn timed_out(what: &str) -> ModelError {
    ModelError::new(Failure::TimedOut, format!("{what} in time"))
}
