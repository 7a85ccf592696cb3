//! Benchmarks of answers: delay, throughput, memory of open streams.

use std::{fs, time::Duration};

use crate::{
    Counts, Result,
    http::Person,
    report::{Report, percentile},
    server::{Installation, Server},
    streams::{self, Load, Outcome},
    upstream::Upstream,
};

/// Open files that this program needs: two for each stream, one to the server and one from the server to the upstream.
const OPEN_FILES: u64 = 2_048;
/// Milliseconds between two tokens of the paced upstream.
const TOKEN_INTERVAL_MS: u64 = 50;

/// Runs all of them on a new installation.
pub async fn measure(
    report: &mut Report,
    counts: &Counts,
    installation: &Installation,
    upstream: &Upstream,
) -> Result<()> {
    check_open_files()?;
    let server = installation.start().await?;
    let mut people = Vec::new();
    for index in 0..counts.people {
        people.push(Person::sign_up(server.address, &format!("person-{index}@example.org")).await?);
    }
    single(report, counts, &server, upstream, &people).await?;
    let some = streams::run(&server, upstream, &people, &paced(counts.some_streams, 4)).await?;
    report.record("delay 200", percentile(&some.added, 95), details(&some));
    server.stop().await?;

    // A new server: one that has already had this many streams would not need more memory for them.
    let server = installation.start().await?;
    streams::run(&server, upstream, &people, &warm_up()).await?;
    let before = server.resident_bytes()?;
    let many = streams::run(&server, upstream, &people, &paced(counts.many_streams, 5)).await?;
    report.record("delay 500", percentile(&many.added, 95), details(&many));
    let open = many.resident.ok_or("the streams were not all open at the same time, so their memory is not known")?;
    let kilobytes = open.saturating_sub(before) as f64 / 1e3;
    let detail =
        format!("{:.1} MB before, {:.1} MB with {}", before as f64 / 1e6, open as f64 / 1e6, counts.many_streams);
    report.record("stream memory", kilobytes / counts.many_streams as f64, detail);
    let burst = streams::run(&server, upstream, &people, &load_of(counts.many_streams, Duration::ZERO, 20)).await?;
    report.record("sends stored", percentile(&burst.accepted, 95), details(&burst));
    report.record("sends seen", percentile(&burst.seen, 95), "");
    throughput(report, counts, &server, upstream, &people).await?;
    server.stop().await
}

async fn single(
    report: &mut Report,
    counts: &Counts,
    server: &Server,
    upstream: &Upstream,
    people: &[Person],
) -> Result<()> {
    streams::run(server, upstream, people, &warm_up()).await?;
    let mut all = Outcome::default();
    for _ in 0..counts.single_streams {
        let one = streams::run(server, upstream, people, &load_of(1, Duration::ZERO, 20)).await?;
        all.accepted.extend(one.accepted);
        all.forwarded.extend(one.forwarded);
        all.added.extend(one.added);
        all.seen.extend(one.seen);
        all.reconnects += one.reconnects;
    }
    report.record("delay 1", percentile(&all.added, 50), details(&all));
    Ok(())
}

async fn throughput(
    report: &mut Report,
    counts: &Counts,
    server: &Server,
    upstream: &Upstream,
    people: &[Person],
) -> Result<()> {
    let tokens = counts.fast_tokens;
    let load = Load { streams: counts.many_streams, spread: Duration::ZERO, script: format!("fast {tokens}"), tokens };
    let outcome = streams::run(server, upstream, people, &load).await?;
    let all = (load.streams * tokens) as f64;
    let seconds = outcome.wall.as_secs_f64();
    let detail = format!("{all:.0} tokens in {seconds:.1} s; {}", details(&outcome));
    report.record("throughput", all / seconds, detail);
    Ok(())
}

fn warm_up() -> Load {
    load_of(1, Duration::ZERO, 20)
}

/// This many streams, started over `spread` seconds, each long enough that the last begins well before the first ends.
fn paced(streams: usize, spread: u64) -> Load {
    let tokens = (spread * 1_000 / TOKEN_INTERVAL_MS * 2).max(40);
    load_of(streams, Duration::from_secs(spread), tokens as usize)
}

fn load_of(streams: usize, spread: Duration, tokens: usize) -> Load {
    Load { streams, spread, script: format!("paced {tokens} {TOKEN_INTERVAL_MS}"), tokens }
}

fn details(outcome: &Outcome) -> String {
    let both = |times: &[Duration]| format!("{:.1}/{:.1}", percentile(times, 50), percentile(times, 95));
    format!(
        "p50/p95 in ms: added delay {}; from sending to the message stored {}, to the provider {}, to the first text seen {}; \
         {} reconnects",
        both(&outcome.added),
        both(&outcome.accepted),
        both(&outcome.forwarded),
        both(&outcome.seen),
        outcome.reconnects
    )
}

fn check_open_files() -> Result<()> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).ok_or("no limit in /proc")?;
    let allowed = line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(u64::MAX);
    if allowed < OPEN_FILES {
        return Err(format!("only {allowed} files may be open; run: ulimit -n {OPEN_FILES}").into());
    }
    Ok(())
}
