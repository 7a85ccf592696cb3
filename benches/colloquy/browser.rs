//! Benchmarks of a first visit in Chromium.

use std::{path::Path, process::Stdio, time::Duration};

use colloquy::domain::StartedRun;
use serde::Deserialize;

use crate::{Counts, Result, http::Person, report::Report, server::Server};

const VISITS_TIMEOUT: Duration = Duration::from_secs(180);

#[derive(Deserialize)]
struct Visits {
    bytes: f64,
    wasm_bytes: f64,
    fcp_ms: f64,
    hydrated_ms: f64,
    requests: f64,
    kinds: String,
}

/// Visits a chat and the sign-in page several times in Chromium.
pub async fn measure(
    report: &mut Report,
    counts: &Counts,
    server: &Server,
    person: &Person,
    sent: &StartedRun,
) -> Result<()> {
    let chat = visit(counts, server, &format!("/chats/{}", sent.chat), &person.cookie).await?;
    report.record("first visit", chat.bytes / 1e3, chat.detail(counts));
    report.record("first visit wasm", chat.wasm_bytes / 1e3, "");
    report.record("hydrated", chat.hydrated_ms, "");
    report.record("painted", chat.fcp_ms, "");
    let sign_in = visit(counts, server, "/sign-in", "").await?;
    report.record("sign-in visit", sign_in.bytes / 1e3, sign_in.detail(counts));
    Ok(())
}

async fn visit(counts: &Counts, server: &Server, path: &str, cookie: &str) -> Result<Visits> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("end2end/bench.mjs");
    let mut command = tokio::process::Command::new("node");
    command
        .arg(script)
        .env("BASE_URL", format!("http://{}", server.address))
        .env("VISIT", path)
        .env("COOKIE", cookie)
        .env("VISITS", counts.visits.to_string())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(VISITS_TIMEOUT, command.output()).await?;
    let output = output.map_err(|error| format!("node does not start: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let reason = said.lines().find(|line| line.contains("Error")).unwrap_or("no reason given");
        return Err(format!("end2end/bench.mjs failed: {reason}").into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

impl Visits {
    fn detail(&self, counts: &Counts) -> String {
        format!("{:.0} requests: {}; {} visits", self.requests, self.kinds, counts.visits)
    }
}
