//! `make bench`: measures the built program and writes docs/benchmarks.md. All connections are on the loopback device;
//! times and counts are limited.
//!
//! | Variable | |
//! |---|---|
//! | `COLLOQUY_BIN` | the program; otherwise `release/colloquy` in the build folder |
//! | `LEPTOS_SITE_ROOT` | the files of the site; otherwise `site` beside the program |
//! | `TEST_MODEL` | the file of the embedded model |
//! | `BENCH_ONLY=pages,answers` | these parts alone (see `PARTS`); prints the table and leaves docs/benchmarks.md alone |
//! | `BENCH_QUICK=1` | small counts, to check that it works; prints the table and does not write docs/benchmarks.md |
//! | `BENCH_DATE` | the date on the page; otherwise the current date |

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

mod answers;
mod browser;
mod http;
mod maintenance;
mod model;
mod pages;
mod people;
#[path = "../../tests/support/redis.rs"]
mod redis;
mod report;
mod seed;
mod server;
mod sign_ins;
mod streams;
#[path = "../../tests/support/upstream.rs"]
mod upstream;

use report::Report;
use server::Installation;
use upstream::Upstream;

/// The result of functions whose errors are only reported.
type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// The parts that can be measured alone, in order.
const PARTS: [&str; 6] = ["pages", "answers", "sign-ins", "people", "model", "maintenance"];

/// How many of everything the benchmarks use.
#[derive(Clone, Copy)]
struct Counts {
    few_chats: usize,
    many_chats: usize,
    long_chat: usize,
    starts: usize,
    /// Idle time before the memory is measured.
    idle: Duration,
    sign_in_pages: usize,
    pages: usize,
    /// Duration of measurements per second.
    rate: Duration,
    visits: usize,
    people: usize,
    single_streams: usize,
    some_streams: usize,
    many_streams: usize,
    fast_tokens: usize,
    sign_ins: usize,
    guesses: usize,
    model_rounds: usize,
    many_people: usize,
    checks: usize,
    removed_chats: usize,
    purged_messages: usize,
    other_sessions: usize,
}

impl Counts {
    const FULL: Self = Self {
        few_chats: 1_000,
        many_chats: 10_000,
        long_chat: 5_000,
        starts: 5,
        idle: Duration::from_secs(5),
        sign_in_pages: 2_000,
        pages: 200,
        rate: Duration::from_secs(5),
        visits: 5,
        // Each may have at most 32 open streams.
        people: 20,
        single_streams: 20,
        some_streams: 200,
        many_streams: 500,
        fast_tokens: 1_000,
        sign_ins: 200,
        guesses: 90,
        model_rounds: 3,
        many_people: 10_000,
        checks: 5_000,
        removed_chats: 100,
        purged_messages: 100_000,
        other_sessions: 20_000,
    };
    const QUICK: Self = Self {
        few_chats: 50,
        many_chats: 200,
        long_chat: 200,
        starts: 2,
        idle: Duration::from_secs(1),
        sign_in_pages: 100,
        pages: 20,
        rate: Duration::from_secs(1),
        visits: 1,
        people: 2,
        single_streams: 2,
        some_streams: 8,
        many_streams: 16,
        fast_tokens: 200,
        sign_ins: 10,
        guesses: 5,
        model_rounds: 1,
        many_people: 200,
        checks: 100,
        removed_chats: 5,
        purged_messages: 2_000,
        other_sessions: 500,
    };
}

#[tokio::main]
async fn main() -> Result<()> {
    let quick = std::env::var("BENCH_QUICK").is_ok_and(|value| value == "1");
    let counts = if quick { Counts::QUICK } else { Counts::FULL };
    let only = std::env::var("BENCH_ONLY").ok();
    let parts: Vec<&str> = only.as_deref().map_or_else(|| PARTS.to_vec(), |only| only.split(',').collect());
    if let Some(unknown) = parts.iter().find(|part| !PARTS.contains(part)) {
        return Err(format!("BENCH_ONLY: there is no part {unknown}; the parts are {}", PARTS.join(", ")).into());
    }
    let mut report = Report::default();
    measure(&mut report, &counts, &parts).await?;
    write!(io::stdout(), "\n{}", report.table())?;
    if only.is_some() {
        write!(io::stdout(), "{}", report.details())?;
    } else if !quick {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/benchmarks.md");
        report.write(&page)?;
        writeln!(io::stdout(), "\nWritten to {}", page.display())?;
    }
    Ok(())
}

async fn measure(report: &mut Report, counts: &Counts, parts: &[&str]) -> Result<()> {
    let upstream = Upstream::start().await;
    for part in parts {
        match *part {
            "pages" => measure_pages(report, counts, &upstream).await?,
            "answers" => {
                log_step("Streams")?;
                let outcome = answers::measure(report, counts, &installation(&upstream)?, &upstream).await;
                let keys =
                    ["delay 1", "delay 200", "delay 500", "throughput", "stream memory", "sends stored", "sends seen"];
                report.record_failure(&keys, outcome);
            }
            "sign-ins" => {
                log_step("Sign-ins")?;
                let outcome = sign_ins::measure(report, counts, &installation(&upstream)?).await;
                let keys = ["rush memory", "rush gaps", "sign-ins sustained", "gaps sustained", "sign-in difference"];
                report.record_failure(&keys, outcome);
            }
            "people" => {
                log_step("Many people")?;
                let outcome = people::measure(report, counts, &installation(&upstream)?.with_mails()).await;
                let keys = [
                    "settings page",
                    "crowd sessions page",
                    "people page",
                    "reset difference",
                    "session check",
                    "session commands",
                ];
                report.record_failure(&keys, outcome);
            }
            "model" => {
                log_step("The embedded model")?;
                let outcome = model::measure(report, counts, &program()?).await;
                report.record_failure(&["model"], outcome);
            }
            _ => {
                log_step("Maintenance")?;
                let outcome = maintenance::measure(report, counts).await;
                report.record_failure(&["writer hold"], outcome);
            }
        }
    }
    Ok(())
}

/// A new installation without data.
fn installation(upstream: &Upstream) -> Result<Installation> {
    Installation::new(&program()?, upstream.base_url())
}

async fn measure_pages(report: &mut Report, counts: &Counts, upstream: &Upstream) -> Result<()> {
    let installation = installation(upstream)?;
    log_step("Starting, with some chats")?;
    let outcome = pages::measure_start(report, counts, &installation).await;
    report.record_failure(&["start"], outcome);
    log_step("Memory and pages")?;
    let outcome = one_person(report, counts, &installation).await;
    let keys = [
        "idle memory",
        "first visit",
        "first visit wasm",
        "sign-in visit",
        "hydrated",
        "painted",
        "sign-in time",
        "sign-in rate",
    ];
    report.record_failure(&keys, outcome);
    let outcome = full_data(report, counts, &installation).await;
    report.record_failure(&["sessions page", "sessions page p50", "chat page"], outcome);
    Ok(())
}

async fn one_person(report: &mut Report, counts: &Counts, installation: &Installation) -> Result<()> {
    let server = installation.start().await?;
    let (ada, sent) = pages::idle_memory(report, counts, &server).await?;
    log_step("Visits of Chromium")?;
    let outcome = browser::measure(report, counts, &server, &ada, &sent).await;
    report.record_failure(&["first visit", "first visit wasm", "sign-in visit", "hydrated", "painted"], outcome);
    pages::sign_in_page(report, counts, &server).await?;
    server.stop().await
}

async fn full_data(report: &mut Report, counts: &Counts, installation: &Installation) -> Result<()> {
    let long = pages::seed_chats(counts, installation).await?;
    let server = installation.start().await?;
    pages::full_pages(report, counts, &server, long).await?;
    server.stop().await
}

/// The program to measure: `COLLOQUY_BIN`, or the one in the parent folder of this program's (`release/deps`).
fn program() -> Result<PathBuf> {
    let named = std::env::var_os("COLLOQUY_BIN").map(PathBuf::from);
    let own = std::env::current_exe()?;
    let program = named.or_else(|| Some(own.parent()?.parent()?.join("colloquy"))).ok_or("no folder of the build")?;
    if !program.is_file() {
        return Err(format!("there is no program {}; build it, or name it in COLLOQUY_BIN", program.display()).into());
    }
    Ok(program)
}

fn log_step(what: &str) -> io::Result<()> {
    writeln!(io::stderr(), "== {what}")
}
