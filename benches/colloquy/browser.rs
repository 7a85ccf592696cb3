//! Benchmarks of a first visit in Chromium.

use std::{path::Path, process::Stdio, time::Duration};

use colloquy::domain::StartedRun;
use serde::Deserialize;

use crate::{Counts, Result, http::Person, report::Report, server::Server};

const VISITS_TIMEOUT: Duration = Duration::from_secs(180);

#[derive(Deserialize)]
struct Visits {
    bytes: f64,
    fcp_ms: f64,
    hydrated_ms: f64,
    requests: f64,
    kinds: String,
}

/// Visits a chat several times in Chromium.
pub async fn measure(
    report: &mut Report,
    counts: &Counts,
    server: &Server,
    person: &Person,
    sent: &StartedRun,
) -> Result<()> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("end2end/bench.mjs");
    let mut command = tokio::process::Command::new("node");
    command
        .arg(script)
        .env("BASE_URL", format!("http://{}", server.address))
        .env("VISIT", format!("/chats/{}", sent.chat))
        .env("COOKIE", &person.cookie)
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
    let visits: Visits = serde_json::from_slice(&output.stdout)?;
    let detail = format!("{:.0} requests: {}; {} visits", visits.requests, visits.kinds, counts.visits);
    report.record("first visit", visits.bytes / 1e3, detail);
    report.record("hydrated", visits.hydrated_ms, "");
    report.record("painted", visits.fcp_ms, "");
    Ok(())
}
