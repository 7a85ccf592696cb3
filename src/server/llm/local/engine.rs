//! A loaded model, which answers one prompt at a time.

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
    super::{Finish, ModelError, Prompt, Usage, think, window},
    template::{Fitted, Template},
    utf8::Assembly,
};
use crate::domain::Failure;

/// The longest context that is set up unless the operator says otherwise, in tokens: its memory is taken at once.
const CONTEXT: u32 = 8_192;
/// The longest answer, in tokens. A longer one can be continued.
const ANSWER_TOKENS: usize = 2_048;
/// The most tokens that are read in one step.
const STEP: usize = 512;
/// How long one step of reading should take. Nothing else is heard meanwhile, and a stop is to be heard within 200 ms; but
/// many tokens at once take less time each.
const STEP_TIME: Duration = Duration::from_millis(140);

/// Starts the library; a process does so once.
pub(super) fn start_library() -> Result<LlamaBackend, ModelError> {
    LlamaBackend::init().map_err(|fault| ModelError::new(Failure::Crashed, fault.to_string()))
}

/// What an answer does while it is written. Returning `false` cancels it.
pub trait Listener {
    /// So many of the oldest turns are not read.
    fn left_out(&mut self, count: usize);
    /// A step was done; whether to go on.
    fn goes_on(&mut self) -> bool;
    /// A part of the prompt was read.
    fn reading(&mut self);
    /// A piece was written.
    fn text(&mut self, piece: &str);
}

/// A model in memory, with what it has read last.
pub struct Engine<'m> {
    model: &'m LlamaModel,
    template: Template<'m>,
    context: LlamaContext<'m>,
    batch: LlamaBatch<'static>,
    /// The tokens whose state is in the context: the next prompt often begins in the same way.
    read: Vec<LlamaToken>,
    /// How many tokens of a prompt to read in one step, as learnt from the steps before.
    step: usize,
}

/// Reads a model file.
///
/// # Errors
/// `ModelGone`, if the file is missing; `BadFile`, if it cannot be used.
pub fn load(backend: &LlamaBackend, file: &Path) -> Result<LlamaModel, ModelError> {
    if !file.is_file() {
        return Err(ModelError::new(Failure::ModelGone, "the model's file is not there"));
    }
    LlamaModel::load_from_file(backend, file, &LlamaModelParams::default())
        .map_err(|fault| ModelError::new(Failure::BadFile, format!("the model's file cannot be used: {fault}")))
}

/// Sets up a context for a model: as long as the model was trained for, within `limit` or 8,192 tokens.
///
/// # Errors
/// `Crashed`, if there is not enough memory.
pub fn new_context<'m>(
    backend: &LlamaBackend,
    model: &'m LlamaModel,
    threads: i32,
    limit: Option<u32>,
) -> Result<LlamaContext<'m>, ModelError> {
    let length = model.n_ctx_train().min(limit.unwrap_or(CONTEXT)).max(64);
    let parameters = LlamaContextParams::default()
        .with_n_ctx(NonZeroU32::new(length))
        .with_n_batch(STEP as u32)
        .with_n_threads(threads)
        .with_n_threads_batch(threads)
        .with_no_perf(true);
    model
        .new_context(backend, parameters)
        .map_err(|fault| ModelError::new(Failure::Crashed, format!("a context of {length} tokens: {fault}")))
}

impl<'m> Engine<'m> {
    /// A model with its context.
    pub fn new(model: &'m LlamaModel, context: LlamaContext<'m>) -> Self {
        let template = Template::of(model);
        Self { model, template, context, batch: LlamaBatch::new(STEP, 1), read: Vec::new(), step: 32 }
    }

    /// The context window in tokens.
    pub fn window(&self) -> u32 {
        self.context.n_ctx()
    }

    /// Answers a prompt. `None` in place of a reason where the listener cancelled.
    ///
    /// # Errors
    /// `TooLong`, if the newest turn does not fit; `Crashed`, if the library fails.
    pub fn answer(
        &mut self,
        prompt: &Prompt,
        listener: &mut impl Listener,
    ) -> Result<(Option<Finish>, Usage), ModelError> {
        let room = self.window() - window::answer_room(self.window()).min(ANSWER_TOKENS as u32);
        let fitted = self.template.fit(prompt, room as usize);
        let fitted = fitted
            .ok_or_else(|| ModelError::new(Failure::TooLong, "the newest message does not fit into the context"))?;
        if fitted.left_out > 0 {
            listener.left_out(fitted.left_out);
        }
        let mut usage = Usage { prompt: fitted.tokens.len() as u32, answer: 0 };
        let done = self.read_prompt(&fitted.tokens, listener).and_then(|read| match read {
            true => self.write(&fitted, listener, &mut usage),
            false => Ok(None),
        });
        match done {
            Ok(finish) => Ok((finish, usage)),
            Err(fault) => {
                // Nobody knows what is in the context now.
                self.read.clear();
                self.context.clear_kv_cache();
                Err(ModelError::new(Failure::Crashed, fault.to_string()))
            }
        }
    }

    /// Reads what the context does not hold already; `false` where the listener cancelled.
    fn read_prompt(&mut self, prompt: &[LlamaToken], listener: &mut impl Listener) -> Result<bool, DecodeError> {
        let same = self.read.iter().zip(prompt).take_while(|(old, new)| old == new).count();
        // The last token is always read, because the first of the answer follows from it.
        let mut kept = same.min(prompt.len().saturating_sub(1));
        let cut = u32::try_from(kept).unwrap_or(u32::MAX);
        if self.context.kv_cache_seq_rm(0, Some(cut), None).is_err() {
            // Some kinds of models cannot forget a part.
            self.context.clear_kv_cache();
            kept = 0;
        }
        self.read.truncate(kept);
        while self.read.len() < prompt.len() {
            if !listener.goes_on() {
                return Ok(false);
            }
            let begun = Instant::now();
            let from = self.read.len();
            let end = prompt.len().min(from + self.step);
            self.decode(&prompt[from..end])?;
            self.step = next_step(end - from, begun.elapsed());
            listener.reading();
        }
        Ok(true)
    }

    fn write(
        &mut self,
        fitted: &Fitted,
        listener: &mut impl Listener,
        usage: &mut Usage,
    ) -> Result<Option<Finish>, DecodeError> {
        let vocabulary = self.model.vocab();
        let mut sampler = sampler(self.model);
        let room = (self.window() as usize - fitted.tokens.len()).min(ANSWER_TOKENS);
        let (mut bytes, mut assembly, mut blanks) = (Vec::with_capacity(32), Assembly::default(), fitted.blanks);
        let finish = loop {
            if !listener.goes_on() {
                break None;
            }
            let token = sampler.sample(&self.context, -1);
            let is_control = vocabulary.is_control(token);
            bytes.clear();
            vocabulary.token_to_piece_into(token, &mut bytes, is_control, None);
            // A special token inside an answer is the beginning of somebody else's turn, unless it marks thinking.
            if vocabulary.is_eog(token) || (is_control && !think::is_mark(&bytes)) {
                break Some(Finish::Stop);
            }
            let text = assembly.push(&bytes);
            let text = without_blanks(&text, &mut blanks);
            if !text.is_empty() {
                listener.text(text);
            }
            usage.answer += 1;
            if usage.answer as usize >= room {
                break Some(Finish::Length);
            }
            self.decode(&[token])?;
        };
        match assembly.finish() {
            "" => {}
            rest => listener.text(rest),
        }
        Ok(finish)
    }

    /// Lets the model read tokens behind what it has read.
    fn decode(&mut self, tokens: &[LlamaToken]) -> Result<(), DecodeError> {
        self.batch.clear();
        for (index, &token) in tokens.iter().enumerate() {
            let position = i32::try_from(self.read.len() + index).unwrap_or(i32::MAX);
            let last = index + 1 == tokens.len();
            self.batch.add(token, position, &[0], last).map_err(|_| DecodeError::NTokensZero)?;
        }
        self.context.decode(&mut self.batch)?;
        self.read.extend_from_slice(tokens);
        Ok(())
    }
}

/// How many tokens to read next, where so many took so long: what fits into [`STEP_TIME`], changing by a factor of two at
/// most.
fn next_step(tokens: usize, took: Duration) -> usize {
    let fitting = tokens as f64 * STEP_TIME.as_secs_f64() / took.as_secs_f64().max(0.001);
    (fitting as usize).clamp(tokens / 2, tokens * 2).clamp(4, STEP)
}

/// How tokens are chosen: with a brake on repetition, without which small models run in circles, and with less freedom
/// for models under a thousand million parameters, which lose the thread otherwise. The cut to 64 candidates comes first:
/// without it, every other step takes the time of the whole vocabulary.
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

/// Takes up to `blanks` blanks from the beginning: those at the end of the answer that is continued.
fn without_blanks<'a>(text: &'a str, blanks: &mut usize) -> &'a str {
    if *blanks == 0 || text.is_empty() {
        return text;
    }
    let found = text.len() - text.trim_start_matches(' ').len();
    let taken = found.min(*blanks);
    *blanks = if taken < text.len() { 0 } else { *blanks - taken };
    &text[taken..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_reading_follow_the_speed_of_the_machine() {
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
            assert_eq!(next_step(tokens, Duration::from_millis(millis)), next, "{tokens} in {millis} ms");
        }
    }

    #[test]
    fn blanks_of_a_continued_answer_are_not_doubled() {
        for (blanks, pieces, expected) in [
            (1, [" the", " end"], "the end"),
            (0, [" the", " end"], " the end"),
            (2, [" ", " the"], "the"),
            (2, ["the", "  end"], "the  end"),
            (1, ["", "  end"], " end"),
        ] {
            let mut left = blanks;
            let joined: String = pieces.map(|piece| without_blanks(piece, &mut left)).concat();
            assert_eq!(joined, expected);
        }
    }
}
