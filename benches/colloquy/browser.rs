//! What Chromium says about a first visit.

use std::{path::Path, process::Stdio, time::Duration};

use colloquy::domain::Sent;
use serde::Deserialize;

use crate::{Counts, Result, http::Person, report::Report, server::Server};

const ALL_VISITS: Duration = Duration::from_secs(180);

#[derive(Deserialize)]
struct Visits {
    bytes: f64,
    fcp_ms: f64,
    hydrated_ms: f64,
    requests: f64,
    kinds: String,
}

/// Lets Chromium visit a chat several times.
pub async fn measure(
    report: &mut Report,
    counts: &Counts,
    server: &Server,
    person: &Person,
    sent: &Sent,
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
    let output = tokio::time::timeout(ALL_VISITS, command.output()).await?;
    let output = output.map_err(|fault| format!("node does not start: {fault}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let reason = said.lines().find(|line| line.contains("Error")).unwrap_or("no reason given");
        return Err(format!("end2end/bench.mjs failed: {reason}").into());
    }
    let visits: Visits = serde_json::from_slice(&output.stdout)?;
    let detail = format!("{:.0} requests: {}; {} visits", visits.requests, visits.kinds, counts.visits);
    report.found("first visit", visits.bytes / 1e3, detail);
    report.found("hydrated", visits.hydrated_ms, "");
    report.found("painted", visits.fcp_ms, "");
    Ok(())
}
