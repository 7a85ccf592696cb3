//! Benchmarks of sign-ins: what many at the same time cost other users, and whether response times reveal accounts.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use colloquy::domain::StartedRun;
use http_body_util::BodyExt;
use hyper::Method;
use tokio::task::JoinSet;

use crate::{
    Counts, Result,
    http::{Connection, PASSWORD, Person},
    report::{Report, percentile},
    server::{Installation, Server},
};

const EMAIL: &str = "ada@example.org";
/// The number of accounts in the rush: attempts per account are rate limited.
const ACCOUNTS: usize = 20;
const UNKNOWN_EMAIL: &str = "nobody@example.org";
const WRONG_PASSWORD: &str = "harbor-sextant-plum-14";
/// The number of open streams during the rush.
const STREAMS: usize = 30;
/// The number of open streams during the sustained sign-ins, and of clients that sign in.
const SUSTAINED_STREAMS: usize = 50;
const WORKERS: usize = 8;
/// Milliseconds between two tokens of a stream.
const TOKEN_INTERVAL_MS: u64 = 50;

/// Runs all of them.
pub async fn measure(report: &mut Report, counts: &Counts, installation: &Installation) -> Result<()> {
    let server = installation.start().await?;
    let ada = Person::sign_up(server.address, EMAIL).await?;
    let mut others = Vec::new();
    for index in 0..ACCOUNTS {
        others.push(Person::sign_up(server.address, &email(index)).await?);
    }
    rush(report, counts, &server, &ada).await?;
    sustained_sign_ins(report, counts, server.address, &others).await?;
    compare_response_times(report, counts, server.address).await?;
    server.stop().await
}

/// Some clients sign in repeatedly for a fixed time, without a pause, while answers stream.
async fn sustained_sign_ins(
    report: &mut Report,
    counts: &Counts,
    address: SocketAddr,
    people: &[Person],
) -> Result<()> {
    let is_over = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    let mut connection = Connection::open(address).await?;
    for index in 0..SUSTAINED_STREAMS {
        let person = &people[index % people.len()];
        let sent =
            connection.send_message(&person.cookie, None, &format!("[[paced 100000 {TOKEN_INTERVAL_MS}]]")).await?;
        readers.spawn(stream_gaps(address, person.cookie.clone(), sent, is_over.clone()));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let begun = Instant::now();
    let mut sign_ins: JoinSet<Result<usize>> = JoinSet::new();
    for worker in 0..WORKERS {
        let until = begun + counts.rate;
        sign_ins.spawn(async move {
            let mut done = 0_usize;
            while Instant::now() < until {
                let (status, _) = try_sign_in(address, worker, &email(worker), PASSWORD).await?;
                if status != 200 {
                    return Err(format!("a sign-in was answered {status}").into());
                }
                done += 1;
            }
            Ok(done)
        });
    }
    let mut done = 0;
    while let Some(entered) = sign_ins.join_next().await {
        done += entered??;
    }
    let took = begun.elapsed().as_secs_f64();
    is_over.store(true, Ordering::Relaxed);
    let mut all = Vec::new();
    while let Some(gaps) = readers.join_next().await {
        all.extend(gaps??);
    }
    report.record("sign-ins sustained", done as f64 / took, format!("{done} sign-ins in {took:.1} s"));
    let detail = format!("{} gaps, p50 {:.0} ms, p99 {:.0} ms", all.len(), percentile(&all, 50), percentile(&all, 99));
    report.record("gaps sustained", percentile(&all, 100), detail);
    Ok(())
}

/// Many users sign in at the same time while answers stream.
async fn rush(report: &mut Report, counts: &Counts, server: &Server, ada: &Person) -> Result<()> {
    let is_over = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    let mut connection = Connection::open(server.address).await?;
    for _ in 0..STREAMS {
        let sent = connection.send_message(&ada.cookie, None, &format!("[[paced 100000 {TOKEN_INTERVAL_MS}]]")).await?;
        readers.spawn(stream_gaps(server.address, ada.cookie.clone(), sent, is_over.clone()));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = server.resident_bytes()?;
    let begun = Instant::now();
    let (address, mut people) = (server.address, JoinSet::new());
    for index in 0..counts.sign_ins {
        people.spawn(async move { try_sign_in(address, index, &email(index), PASSWORD).await });
    }
    let mut most = before;
    let mut done = 0;
    while done < counts.sign_ins {
        tokio::select! {
            Some(status) = people.join_next() => {
                let status = status??.0;
                if status != 200 {
                    return Err(format!("a sign-in was answered {status}").into());
                }
                done += 1;
            }
            () = tokio::time::sleep(Duration::from_millis(5)) => most = most.max(server.resident_bytes()?),
        }
    }
    let took = begun.elapsed();
    is_over.store(true, Ordering::Relaxed);
    let mut all = Vec::new();
    while let Some(gaps) = readers.join_next().await {
        all.extend(gaps??);
    }
    let megabytes = most.saturating_sub(before) as f64 / 1e6;
    let detail =
        format!("{} sign-ins in {:.1} s, {:.1} MB before", counts.sign_ins, took.as_secs_f64(), before as f64 / 1e6);
    report.record("rush memory", megabytes, detail);
    let detail =
        format!("{} gaps, p50 {:.0} ms, the longest {:.0} ms", all.len(), percentile(&all, 50), percentile(&all, 100));
    report.record("rush gaps", percentile(&all, 99), detail);
    Ok(())
}

fn email(index: usize) -> String {
    format!("person-{}@example.org", index % ACCOUNTS)
}

/// The times between two chunks of an answer's stream, until the measurement is over.
async fn stream_gaps(
    address: SocketAddr,
    cookie: String,
    sent: StartedRun,
    is_over: Arc<AtomicBool>,
) -> Result<Vec<Duration>> {
    let mut connection = Connection::open(address).await?;
    let path = format!("/chats/{}/runs/{}/events", sent.chat, sent.run);
    let mut events =
        connection.send(Method::GET, &path, &cookie, "text/event-stream", String::new()).await?.into_body();
    let mut gaps = Vec::new();
    let mut last = None;
    while !is_over.load(Ordering::Relaxed) {
        let Some(frame) = tokio::time::timeout(Duration::from_secs(30), events.frame()).await? else {
            return Err("a stream ended before its answer".into());
        };
        frame?;
        let now = Instant::now();
        gaps.extend(last.replace(now).map(|before| now - before));
    }
    Ok(gaps)
}

/// Compares the times of sign-ins with a wrong password with and without an account, measured alternately.
async fn compare_response_times(report: &mut Report, counts: &Counts, address: SocketAddr) -> Result<()> {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    // The rate limit is a hundred attempts an hour for each account.
    for index in 0..counts.guesses {
        known.push(try_sign_in(address, index, EMAIL, WRONG_PASSWORD).await?);
        unknown.push(try_sign_in(address, index, UNKNOWN_EMAIL, WRONG_PASSWORD).await?);
    }
    if let Some((status, _)) = known.iter().chain(&unknown).find(|(status, _)| *status != 422) {
        return Err(format!("a wrong password was answered {status}").into());
    }
    let median =
        |answers: &[(u16, Duration)]| percentile(&answers.iter().map(|(_, time)| *time).collect::<Vec<_>>(), 50);
    let (known, unknown) = (median(&known), median(&unknown));
    let detail = format!(
        "{known:.1} ms where there is an account, {unknown:.1} ms where there is none; {} each",
        counts.guesses
    );
    report.record("sign-in difference", (known - unknown).abs(), detail);
    Ok(())
}

/// Attempts to sign in from an address of its own, so that the rate limit of addresses does not apply.
async fn try_sign_in(address: SocketAddr, index: usize, email: &str, password: &str) -> Result<(u16, Duration)> {
    let mut connection = Connection::open(address).await?;
    connection.forwarded_for = format!("198.51.{}.{}", 100 + index / 250, index % 250 + 1);
    let begun = Instant::now();
    let form = [("email", email), ("password", password)];
    let answer = connection.post_form("/api/sign_in", "", &form).await?;
    Ok((answer.status, begun.elapsed()))
}
