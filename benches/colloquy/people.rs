//! Benchmarks of pages and sessions in an installation with many users.

use std::{
    net::SocketAddr,
    process::{Command, Stdio},
    str::FromStr,
    sync::Arc,
    time::{Duration, Instant},
};

use colloquy::server::{auth::SessionState, clock::Clock, config::Config, state::AppState};
use leptos::prelude::LeptosOptions;
use tokio_util::sync::CancellationToken;
use tower_sessions::{Session, session::Id};

use crate::{
    Counts, Result,
    http::{BROWSER_ENCODINGS, Connection, Person},
    pages::measure_requests,
    redis::Redis,
    report::{Report, millis, percentile},
    seed,
    server::Installation,
};

const EMAIL: &str = "ada@example.org";

/// Measures the administrator's pages and the cost of a session check.
pub async fn measure(report: &mut Report, counts: &Counts, installation: &Installation) -> Result<()> {
    let server = installation.start().await?;
    Person::sign_up(server.address, EMAIL).await?;
    server.stop().await?;
    seed::people(&installation.data(), EMAIL, counts.many_people).await?;
    seed::chats(&installation.data(), EMAIL, counts.few_chats).await?;
    let server = installation.start().await?;
    let ada = Person::sign_in(server.address, EMAIL).await?;
    let pages =
        [("settings page", "/settings/security"), ("crowd sessions page", "/sessions"), ("people page", "/people")];
    for (key, path) in pages {
        let times = match measure_requests(server.address, path, &ada.cookie, BROWSER_ENCODINGS, counts.pages).await {
            Ok(times) => times,
            Err(error) => {
                report.record_failure(&[key], Err(error));
                continue;
            }
        };
        let first = times.first().copied().map_or(0.0, millis);
        let detail = format!("{} requests, p50 {:.1} ms, the first {first:.1} ms", times.len(), percentile(&times, 50));
        report.record(key, percentile(&times, 95), detail);
    }
    let outcome = compare_password_resets(report, counts, server.address).await;
    report.record_failure(&["reset difference"], outcome);
    server.stop().await?;
    let times = time_session_checks(installation, counts, &ada, None).await?;
    let micros = |percent| percentile(&times, percent) * 1_000.0;
    let detail = format!("{} times, p50 {:.0} µs", times.len(), micros(50));
    report.record("session check", micros(95), detail);
    let outcome = with_redis(report, counts, installation, &ada).await;
    report.record_failure(&["session commands"], outcome);
    Ok(())
}

/// Compares the times of password reset requests with and without an account, measured alternately.
async fn compare_password_resets(report: &mut Report, counts: &Counts, address: SocketAddr) -> Result<()> {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for index in 0..counts.guesses {
        for (who, times) in [("somebody", &mut known), ("nobody", &mut unknown)] {
            let mut connection = Connection::open(address).await?;
            // The rate limit is thirty mails an hour for each address.
            connection.forwarded_for = format!("198.51.100.{}", index % 250 + 1);
            let begun = Instant::now();
            let form = [("purpose", "reset"), ("email", &*format!("{who}-{index}@example.org"))];
            connection.post_form("/api/request_mail", "", &form).await?.expect(200)?;
            times.push(begun.elapsed());
        }
    }
    let (known, unknown) = (percentile(&known, 50), percentile(&unknown, 50));
    let each = counts.guesses;
    let detail = format!("{known:.1} ms where there is an account, {unknown:.1} ms where there is none; {each} each");
    report.record("reset difference", (known - unknown).abs(), detail);
    Ok(())
}

async fn with_redis(report: &mut Report, counts: &Counts, installation: &Installation, person: &Person) -> Result<()> {
    let asked = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status();
    if !asked.is_ok_and(|status| status.success()) {
        return Err("redis-server is not installed".into());
    }
    let redis = Redis::start();
    // The first check fills the cache.
    time_session_checks(installation, &Counts { checks: 1, ..*counts }, person, Some(&redis)).await?;
    redis.reset_command_counts();
    let times = time_session_checks(installation, counts, person, Some(&redis)).await?;
    let commands = redis.command_counts();
    let each = commands.values().sum::<u64>() as f64 / times.len() as f64;
    let detail = format!("{commands:?} in {} checks, p95 {:.0} µs", times.len(), percentile(&times, 95) * 1_000.0);
    report.record("session commands", each, detail);
    Ok(())
}

/// The times of repeated session checks. They run in this process, because over HTTP the rest of the request takes many
/// times as long.
async fn time_session_checks(
    installation: &Installation,
    counts: &Counts,
    person: &Person,
    redis: Option<&Redis>,
) -> Result<Vec<Duration>> {
    let redis_url = redis.map(|redis| redis.url().into());
    let config = Config { data: installation.data(), redis_url, ..Config::default() };
    let options = LeptosOptions::builder().output_name("colloquy").build();
    let stopping = CancellationToken::new();
    let state = AppState::open(config, Clock::default(), options, stopping.clone()).await?;
    let value = person.cookie.split_once('=').map_or("", |(_, value)| value);
    let id = Id::from_str(value)?;
    let mut times = Vec::with_capacity(counts.checks);
    for _ in 0..counts.checks {
        let session = Session::new(Some(id), Arc::new(state.sessions.clone()), None);
        let begun = Instant::now();
        let caller = match SessionState::read(&session).await {
            Ok(read) => state.accounts.authenticate_session(&read).await,
            Err(fault) => Err(fault),
        };
        let caller = caller.map_err(|_| "the session cannot be checked")?;
        times.push(begun.elapsed());
        caller.ok_or("the session is invalid")?;
    }
    stopping.cancel();
    state.close().await;
    Ok(times)
}
