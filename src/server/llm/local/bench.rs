//! Measures the raw speed of llama.cpp: a minimal decoding loop without Colloquy's engine.

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

/// The number of tokens to generate.
pub const ANSWER_TOKENS: u32 = 256;

/// The prompt of the benchmark, used here and through the worker process. It asks for a long answer.
pub fn prompt() -> Prompt {
    let text = "Write a long story about a lighthouse keeper, his dog and a storm. Tell every detail.";
    Prompt {
        system: "You are a helpful assistant.".to_owned(),
        turns: vec![Turn { author: Author::User, text: text.to_owned() }],
        answer_so_far: None,
    }
}

/// The result, printed as JSON.
#[derive(Debug, Serialize)]
struct Measurement {
    /// Tokens in the prompt.
    prompt: usize,
    /// Seconds to read the prompt.
    prompt_seconds: f64,
    /// Tokens generated.
    tokens: u32,
    /// Seconds to generate them.
    seconds: f64,
    /// Generated tokens per second.
    tokens_per_second: f64,
}

/// Runs the benchmark and prints one line of JSON. Uses greedy sampling, which is the cheapest, and ignores
/// end-of-answer tokens.
///
/// # Errors
/// As for loading a model.
pub(super) fn run(args: &WorkerArgs) -> Result<(), ModelError> {
    let crashed = |fault: &dyn std::error::Error| ModelError::new(Failure::Crashed, fault.to_string());
    let backend = engine::init_backend()?;
    let model = engine::load_model(&backend, &args.model)?;
    let mut context = engine::new_context(&backend, &model, args.thread_count(), args.context)?;
    let fitted = Template::for_model(&model).fit(&prompt(), context.n_ctx() as usize / 2);
    let tokens = fitted.ok_or_else(|| ModelError::new(Failure::TooLong, "the context is too small"))?.tokens;
    let mut batch = LlamaBatch::new(512, 1);
    batch.add_sequence(&tokens, 0, false).map_err(|fault| crashed(&fault))?;
    let mut sampler = LlamaSampler::greedy();

    let started = Instant::now();
    context.decode(&mut batch).map_err(|fault| crashed(&fault))?;
    let prompt_seconds = started.elapsed().as_secs_f64();
    let started = Instant::now();
    for position in (batch.n_tokens()..).take(ANSWER_TOKENS as usize) {
        let token = sampler.sample(&context, -1);
        batch.clear();
        batch.add(token, position, &[0], true).map_err(|fault| crashed(&fault))?;
        context.decode(&mut batch).map_err(|fault| crashed(&fault))?;
    }
    let seconds = started.elapsed().as_secs_f64();
    let measurement = Measurement {
        prompt: tokens.len(),
        prompt_seconds,
        tokens: ANSWER_TOKENS,
        seconds,
        tokens_per_second: f64::from(ANSWER_TOKENS) / seconds,
    };
    let line = serde_json::to_string(&measurement).map_err(|fault| crashed(&fault))?;
    writeln!(io::stdout(), "{line}").map_err(|fault| crashed(&fault))
}
