//! A loaded model. Answers one prompt at a time.

use std::{
    num::NonZeroU32,
    path::Path,
    time::{Duration, Instant},
};

use llama_cpp_2::{
    DecodeError,
    context::{LlamaContext, params::LlamaContextParams},
    llama_backend::LlamaBackend,
    llama_batch::LlamaBatch,
    model::{LlamaModel, params::LlamaModelParams},
    sampling::LlamaSampler,
    token::LlamaToken,
};

use super::{
    super::{FinishReason, ModelError, Prompt, Usage, reasoning, window},
    template::{FittedPrompt, Template},
    utf8::Utf8Decoder,
};
use crate::domain::Failure;

/// The maximum context length in tokens unless the operator sets one. Its memory is allocated up front.
pub const DEFAULT_CONTEXT: u32 = 8_192;
/// The maximum length of an answer in tokens. A longer one can be continued.
const MAX_ANSWER_TOKENS: usize = 2_048;
/// The maximum number of prompt tokens per batch.
const MAX_BATCH_TOKENS: usize = 512;
/// The target time for one batch. Commands are only handled between batches, and a stop must take effect within 200 ms.
/// Larger batches are faster per token.
const TARGET_BATCH_TIME: Duration = Duration::from_millis(140);

/// Initialises llama.cpp. Once per process.
pub(super) fn init_backend() -> Result<LlamaBackend, ModelError> {
    LlamaBackend::init().map_err(|fault| ModelError::new(Failure::Crashed, fault.to_string()))
}

/// Receives the progress of an answer.
pub trait ProgressSink {
    /// This many of the oldest turns were omitted from the prompt.
    fn truncated(&mut self, count: usize);
    /// Called between steps. Returns `false` to cancel the answer.
    fn should_continue(&mut self) -> bool;
    /// Part of the prompt has been read.
    fn prompt_progress(&mut self);
    /// A chunk of text was generated.
    fn text(&mut self, chunk: &str);
}

/// A model in memory, with the state of the last prompt.
pub struct Engine<'m> {
    model: &'m LlamaModel,
    template: Template<'m>,
    context: LlamaContext<'m>,
    batch: LlamaBatch<'static>,
    /// The tokens whose state is in the KV cache. The next prompt often has the same prefix.
    cached_tokens: Vec<LlamaToken>,
    /// The current batch size for reading prompts, adapted to the measured speed.
    batch_tokens: usize,
}

/// Loads a model file.
///
/// # Errors
/// `ModelGone`, if the file is missing; `BadFile`, if it cannot be used.
pub fn load_model(backend: &LlamaBackend, file: &Path) -> Result<LlamaModel, ModelError> {
    if !file.is_file() {
        return Err(ModelError::new(Failure::ModelGone, "the model file is missing"));
    }
    LlamaModel::load_from_file(backend, file, &LlamaModelParams::default())
        .map_err(|fault| ModelError::new(Failure::BadFile, format!("the model file cannot be used: {fault}")))
}

/// Creates a context as long as the model was trained for, at most `limit` or 8,192 tokens.
///
/// # Errors
/// `Crashed`, if there is not enough memory.
pub fn new_context<'m>(
    backend: &LlamaBackend,
    model: &'m LlamaModel,
    threads: i32,
    limit: Option<u32>,
) -> Result<LlamaContext<'m>, ModelError> {
    let length = model.n_ctx_train().min(limit.unwrap_or(DEFAULT_CONTEXT)).max(64);
    let parameters = LlamaContextParams::default()
        .with_n_ctx(NonZeroU32::new(length))
        .with_n_batch(MAX_BATCH_TOKENS as u32)
        .with_n_threads(threads)
        .with_n_threads_batch(threads)
        .with_no_perf(true);
    model
        .new_context(backend, parameters)
        .map_err(|fault| ModelError::new(Failure::Crashed, format!("a context of {length} tokens: {fault}")))
}

impl<'m> Engine<'m> {
    /// An engine for a model and its context.
    pub fn new(model: &'m LlamaModel, context: LlamaContext<'m>) -> Self {
        let template = Template::for_model(model);
        Self {
            model,
            template,
            context,
            batch: LlamaBatch::new(MAX_BATCH_TOKENS, 1),
            cached_tokens: Vec::new(),
            batch_tokens: 32,
        }
    }

    /// The context window in tokens.
    pub fn window(&self) -> u32 {
        self.context.n_ctx()
    }

    /// Answers a prompt. The finish reason is `None` if the sink cancelled.
    ///
    /// # Errors
    /// `TooLong`, if the newest turn does not fit; `Crashed`, if the library fails.
    pub fn answer(
        &mut self,
        prompt: &Prompt,
        sink: &mut impl ProgressSink,
    ) -> Result<(Option<FinishReason>, Usage), ModelError> {
        let room = self.window() - window::answer_reserve(self.window()).min(MAX_ANSWER_TOKENS as u32);
        let fitted = self.template.fit(prompt, room as usize);
        let fitted = fitted.ok_or_else(ModelError::too_long)?;
        if fitted.truncated_messages > 0 {
            sink.truncated(fitted.truncated_messages);
        }
        let mut usage = Usage { prompt: fitted.tokens.len() as u32, ..Usage::default() };
        let done = self.read_prompt(&fitted.tokens, sink).and_then(|read| match read {
            true => self.generate(&fitted, sink, &mut usage),
            false => Ok(None),
        });
        match done {
            Ok(finish) => Ok((finish, usage)),
            Err(fault) => {
                // The state of the context is unknown now.
                self.cached_tokens.clear();
                self.context.clear_kv_cache();
                Err(ModelError::new(Failure::Crashed, fault.to_string()))
            }
        }
    }

    /// Reads the part of the prompt that is not in the KV cache. Returns `false` if the sink cancelled.
    fn read_prompt(&mut self, prompt: &[LlamaToken], sink: &mut impl ProgressSink) -> Result<bool, DecodeError> {
        let same = self.cached_tokens.iter().zip(prompt).take_while(|(old, new)| old == new).count();
        // The last token is always read, because the first answer token is sampled from it.
        let mut kept = same.min(prompt.len().saturating_sub(1));
        let cut = u32::try_from(kept).unwrap_or(u32::MAX);
        if self.context.kv_cache_seq_rm(0, Some(cut), None).is_err() {
            // Some model types cannot drop part of the cache.
            self.context.clear_kv_cache();
            kept = 0;
        }
        self.cached_tokens.truncate(kept);
        while self.cached_tokens.len() < prompt.len() {
            if !sink.should_continue() {
                return Ok(false);
            }
            let started = Instant::now();
            let from = self.cached_tokens.len();
            let end = prompt.len().min(from + self.batch_tokens);
            self.decode(&prompt[from..end])?;
            self.batch_tokens = next_batch_size(end - from, started.elapsed());
            sink.prompt_progress();
        }
        Ok(true)
    }

    fn generate(
        &mut self,
        fitted: &FittedPrompt,
        sink: &mut impl ProgressSink,
        usage: &mut Usage,
    ) -> Result<Option<FinishReason>, DecodeError> {
        let vocabulary = self.model.vocab();
        let mut sampler = sampler(self.model);
        let room = (self.window() as usize - fitted.tokens.len()).min(MAX_ANSWER_TOKENS);
        let (mut bytes, mut decoder, mut spaces) =
            (Vec::with_capacity(32), Utf8Decoder::default(), fitted.trailing_spaces);
        let finish = loop {
            if !sink.should_continue() {
                break None;
            }
            let token = sampler.sample(&self.context, -1);
            let is_control = vocabulary.is_control(token);
            bytes.clear();
            vocabulary.token_to_piece_into(token, &mut bytes, is_control, None);
            // Any other special token within an answer starts a turn of another role, unless it marks reasoning.
            if vocabulary.is_eog(token) || (is_control && !reasoning::is_reasoning_tag(&bytes)) {
                break Some(FinishReason::Stop);
            }
            let text = decoder.push(&bytes);
            let text = strip_leading_spaces(&text, &mut spaces);
            if !text.is_empty() {
                sink.text(text);
            }
            usage.answer += 1;
            if usage.answer as usize >= room {
                break Some(FinishReason::Length);
            }
            self.decode(&[token])?;
        };
        match decoder.finish() {
            "" => {}
            rest => sink.text(rest),
        }
        Ok(finish)
    }

    /// Feeds tokens to the model after those that it has read.
    fn decode(&mut self, tokens: &[LlamaToken]) -> Result<(), DecodeError> {
        self.batch.clear();
        for (index, &token) in tokens.iter().enumerate() {
            let position = i32::try_from(self.cached_tokens.len() + index).unwrap_or(i32::MAX);
            let last = index + 1 == tokens.len();
            self.batch.add(token, position, &[0], last).map_err(|_| DecodeError::NTokensZero)?;
        }
        self.context.decode(&mut self.batch)?;
        self.cached_tokens.extend_from_slice(tokens);
        Ok(())
    }
}

/// The next batch size, given how long the last batch took: as many tokens as fit into [`TARGET_BATCH_TIME`], changed
/// by at most a factor of two.
fn next_batch_size(tokens: usize, elapsed: Duration) -> usize {
    let fitting = tokens as f64 * TARGET_BATCH_TIME.as_secs_f64() / elapsed.as_secs_f64().max(0.001);
    (fitting as usize).clamp(tokens / 2, tokens * 2).clamp(4, MAX_BATCH_TOKENS)
}

/// The sampler chain. A repetition penalty keeps small models from looping, and models under a billion parameters get a
/// lower temperature to stay coherent. Top-k comes first: without it, every later stage would process the whole
/// vocabulary.
fn sampler(model: &LlamaModel) -> LlamaSampler {
    let temperature = if model.n_params() < 1_000_000_000 { 0.2 } else { 0.6 };
    LlamaSampler::chain_simple([
        LlamaSampler::top_k(64),
        LlamaSampler::penalties(model.n_vocab(), 256, 1.1, 0.0, 0.0),
        LlamaSampler::top_p(0.92, 1),
        LlamaSampler::min_p(0.05, 1),
        LlamaSampler::temp(temperature),
        LlamaSampler::dist(rand::random()),
    ])
}

/// Strips up to `spaces` spaces from the start: those that already end the answer being continued.
fn strip_leading_spaces<'a>(text: &'a str, spaces: &mut usize) -> &'a str {
    if *spaces == 0 || text.is_empty() {
        return text;
    }
    let found = text.len() - text.trim_start_matches(' ').len();
    let stripped = found.min(*spaces);
    *spaces = if stripped < text.len() { 0 } else { *spaces - stripped };
    &text[stripped..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batch_sizes_adapt_to_the_speed_of_the_machine() {
        for (tokens, millis, next) in [
            (32, 140, 32),
            (32, 70, 64),
            (32, 1, 64),
            (32, 280, 16),
            (32, 5_000, 16),
            (4, 5_000, 4),
            (512, 20, 512),
            (40, 100, 56),
        ] {
            assert_eq!(next_batch_size(tokens, Duration::from_millis(millis)), next, "{tokens} in {millis} ms");
        }
    }

    #[test]
    fn spaces_of_a_continued_answer_are_not_duplicated() {
        for (spaces, chunks, expected) in [
            (1, [" the", " end"], "the end"),
            (0, [" the", " end"], " the end"),
            (2, [" ", " the"], "the"),
            (2, ["the", "  end"], "the  end"),
            (1, ["", "  end"], " end"),
        ] {
            let mut left = spaces;
            let joined: String = chunks.map(|chunk| strip_leading_spaces(chunk, &mut left)).concat();
            assert_eq!(joined, expected);
        }
    }
}
