//! The library's own speed: the loop that any program would write, with nothing around it.

use std::{
    io::{self, Write},
    time::Instant,
};

use llama_cpp_2::{llama_batch::LlamaBatch, sampling::LlamaSampler};
use serde::Serialize;

use super::{
    super::{ModelError, Prompt, Turn},
    engine,
    template::Template,
    worker_args::WorkerArgs,
};
use crate::domain::{Author, Failure};

/// How many tokens are written.
pub const TOKENS: u32 = 256;

/// What is asked in the measurement, here and through the process: something that takes many words.
pub fn prompt() -> Prompt {
    let text = "Write a long story about a lighthouse keeper, his dog and a storm. Tell every detail.";
    Prompt {
        system: "You are a helpful assistant.".to_owned(),
        turns: vec![Turn { author: Author::User, text: text.to_owned() }],
        answer_so_far: None,
    }
}

/// What was measured.
#[derive(Debug, Serialize)]
struct Measured {
    /// Tokens of the prompt.
    prompt: usize,
    /// Seconds for reading it.
    prompt_seconds: f64,
    /// Tokens written.
    tokens: u32,
    /// Seconds for writing them.
    seconds: f64,
    /// Written tokens a second.
    tokens_per_second: f64,
}

/// Measures and prints one line of JSON. The most likely token is taken, which is the cheapest choice there is, and the
/// end of the answer is ignored.
///
/// # Errors
/// As for loading a model.
pub(super) fn run(args: &WorkerArgs) -> Result<(), ModelError> {
    let crashed = |fault: &dyn std::error::Error| ModelError::new(Failure::Crashed, fault.to_string());
    let backend = engine::start_library()?;
    let model = engine::load(&backend, &args.model)?;
    let mut context = engine::new_context(&backend, &model, args.thread_count(), args.context)?;
    let fitted = Template::of(&model).fit(&prompt(), context.n_ctx() as usize / 2);
    let tokens = fitted.ok_or_else(|| ModelError::new(Failure::TooLong, "the context is too small"))?.tokens;
    let mut batch = LlamaBatch::new(512, 1);
    batch.add_sequence(&tokens, 0, false).map_err(|fault| crashed(&fault))?;
    let mut sampler = LlamaSampler::greedy();

    let begun = Instant::now();
    context.decode(&mut batch).map_err(|fault| crashed(&fault))?;
    let prompt_seconds = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    for position in (batch.n_tokens()..).take(TOKENS as usize) {
        let token = sampler.sample(&context, -1);
        batch.clear();
        batch.add(token, position, &[0], true).map_err(|fault| crashed(&fault))?;
        context.decode(&mut batch).map_err(|fault| crashed(&fault))?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let measured = Measured {
        prompt: tokens.len(),
        prompt_seconds,
        tokens: TOKENS,
        seconds,
        tokens_per_second: f64::from(TOKENS) / seconds,
    };
    let line = serde_json::to_string(&measured).map_err(|fault| crashed(&fault))?;
    writeln!(io::stdout(), "{line}").map_err(|fault| crashed(&fault))
}
