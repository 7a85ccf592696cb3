//! The speed of the embedded model's process, compared with the library alone.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use colloquy::server::llm::{
    Delta, Model,
    local::{LocalModel, Settings, bench},
};
use futures::StreamExt;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::{Counts, Result, report::Report};

/// The longest time for one round.
const ROUND_TIMEOUT: Duration = Duration::from_secs(180);

#[derive(Deserialize)]
struct BareResult {
    tokens_per_second: f64,
}

/// Measures both alternately.
pub async fn measure(report: &mut Report, counts: &Counts, program: &Path) -> Result<()> {
    let file = std::env::var_os("TEST_MODEL").map(PathBuf::from).ok_or("TEST_MODEL names no model file")?;
    if !file.is_file() {
        return Err(format!("there is no model file {}", file.display()).into());
    }
    let (mut bare, mut through) = (Vec::new(), Vec::new());
    for _ in 0..counts.model_rounds {
        bare.push(tokio::time::timeout(ROUND_TIMEOUT, run_bare(program, &file)).await??);
        through.push(tokio::time::timeout(ROUND_TIMEOUT, run_through_server(program, &file)).await??);
    }
    let (bare, through) = (median(bare), median(through));
    let detail = format!("{through:.1} tokens a second, the library alone {bare:.1}; {} rounds", counts.model_rounds);
    report.record("model", through / bare * 100.0, detail);
    Ok(())
}

async fn run_bare(program: &Path, file: &Path) -> Result<f64> {
    let mut command = tokio::process::Command::new(program);
    command.args(["model-worker", "--bench", "--model"]).arg(file).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await?;
    if !output.status.success() {
        return Err(format!("model-worker --bench failed: {}", String::from_utf8_lossy(&output.stdout)).into());
    }
    Ok(serde_json::from_slice::<BareResult>(&output.stdout)?.tokens_per_second)
}

async fn run_through_server(program: &Path, file: &Path) -> Result<f64> {
    // A new process for each round, as in `run_bare`.
    let model = LocalModel::new(file, Settings::new(program.to_owned()));
    let mut deltas = model.answer(bench::prompt(), CancellationToken::new());
    // A delta is one token, or several if a character is spread over them.
    let (mut first, mut last, mut tokens) = (None, Instant::now(), 0_u32);
    while let Some(delta) = deltas.next().await {
        match delta? {
            Delta::Text(_) => {
                last = Instant::now();
                first.get_or_insert(last);
                tokens += 1;
            }
            Delta::Usage(usage) => tokens = tokens.max(usage.answer),
            _ => {}
        }
        if tokens > bench::ANSWER_TOKENS {
            break;
        }
    }
    let first = first.ok_or("the model said nothing")?;
    if tokens < 32 {
        return Err(format!("an answer of {tokens} tokens is too short to measure").into());
    }
    // The time until the first token is that of the prompt and does not count.
    Ok(f64::from(tokens - 1) / (last - first).as_secs_f64())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
