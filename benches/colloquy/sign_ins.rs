//! Signing in: what many at once cost the others, and what the time tells a stranger.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use colloquy::domain::Sent;
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
/// Accounts that the rush is spread over, because the tries for one account are limited.
const ACCOUNTS: usize = 20;
const STRANGER: &str = "nobody@example.org";
const WRONG: &str = "harbor-sextant-plum-14";
/// Streams that are open beside the rush.
const STREAMS: usize = 30;
/// Streams that are open beside those who sign in for a while, and how many these are.
const SUSTAINED_STREAMS: usize = 50;
const WORKERS: usize = 8;
/// Milliseconds between two tokens of them.
const PACE: u64 = 50;

/// Measures both.
pub async fn measure(report: &mut Report, counts: &Counts, installation: &Installation) -> Result<()> {
    let server = installation.start().await?;
    let ada = Person::sign_up(server.address, EMAIL).await?;
    let mut others = Vec::new();
    for index in 0..ACCOUNTS {
        others.push(Person::sign_up(server.address, &email(index)).await?);
    }
    rush(report, counts, &server, &ada).await?;
    sustained(report, counts, server.address, &others).await?;
    difference(report, counts, server.address).await?;
    server.stop().await
}

/// Some sign in again and again for a while, each as soon as they are in, while answers stream.
async fn sustained(report: &mut Report, counts: &Counts, address: SocketAddr, people: &[Person]) -> Result<()> {
    let is_over = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    let mut connection = Connection::open(address).await?;
    for index in 0..SUSTAINED_STREAMS {
        let person = &people[index % people.len()];
        let sent = connection.say(&person.cookie, None, &format!("[[paced 100000 {PACE}]]")).await?;
        readers.spawn(gaps(address, person.cookie.clone(), sent, is_over.clone()));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let begun = Instant::now();
    let mut entering: JoinSet<Result<usize>> = JoinSet::new();
    for worker in 0..WORKERS {
        let until = begun + counts.rate;
        entering.spawn(async move {
            let mut done = 0_usize;
            while Instant::now() < until {
                let (status, _) = enter(address, worker, &email(worker), PASSWORD).await?;
                if status != 200 {
                    return Err(format!("a sign-in was answered {status}").into());
                }
                done += 1;
            }
            Ok(done)
        });
    }
    let mut done = 0;
    while let Some(entered) = entering.join_next().await {
        done += entered??;
    }
    let took = begun.elapsed().as_secs_f64();
    is_over.store(true, Ordering::Relaxed);
    let mut all = Vec::new();
    while let Some(gaps) = readers.join_next().await {
        all.extend(gaps??);
    }
    report.found("sign-ins sustained", done as f64 / took, format!("{done} sign-ins in {took:.1} s"));
    let detail = format!("{} gaps, p50 {:.0} ms, p99 {:.0} ms", all.len(), percentile(&all, 50), percentile(&all, 99));
    report.found("gaps sustained", percentile(&all, 100), detail);
    Ok(())
}

/// Many sign in at once while answers stream.
async fn rush(report: &mut Report, counts: &Counts, server: &Server, ada: &Person) -> Result<()> {
    let is_over = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    let mut connection = Connection::open(server.address).await?;
    for _ in 0..STREAMS {
        let sent = connection.say(&ada.cookie, None, &format!("[[paced 100000 {PACE}]]")).await?;
        readers.spawn(gaps(server.address, ada.cookie.clone(), sent, is_over.clone()));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = server.resident_bytes()?;
    let begun = Instant::now();
    let (address, mut people) = (server.address, JoinSet::new());
    for index in 0..counts.sign_ins {
        people.spawn(async move { enter(address, index, &email(index), PASSWORD).await });
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
    report.found("rush memory", megabytes, detail);
    let detail =
        format!("{} gaps, p50 {:.0} ms, the longest {:.0} ms", all.len(), percentile(&all, 50), percentile(&all, 100));
    report.found("rush gaps", percentile(&all, 99), detail);
    Ok(())
}

fn email(index: usize) -> String {
    format!("person-{}@example.org", index % ACCOUNTS)
}

/// The times between two pieces of an answer's stream, until it is over.
async fn gaps(address: SocketAddr, cookie: String, sent: Sent, is_over: Arc<AtomicBool>) -> Result<Vec<Duration>> {
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

/// The times of wrong sign-ins by turns: to an account that is there, and to one that is not.
async fn difference(report: &mut Report, counts: &Counts, address: SocketAddr) -> Result<()> {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    // The account may be tried a hundred times an hour.
    for index in 0..counts.guesses {
        known.push(enter(address, index, EMAIL, WRONG).await?);
        unknown.push(enter(address, index, STRANGER, WRONG).await?);
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
    report.found("sign-in difference", (known - unknown).abs(), detail);
    Ok(())
}

/// Tries to sign in from an address of its own, so that no limit of addresses is met.
async fn enter(address: SocketAddr, index: usize, email: &str, password: &str) -> Result<(u16, Duration)> {
    let mut connection = Connection::open(address).await?;
    connection.forwarded_for = format!("198.51.{}.{}", 100 + index / 250, index % 250 + 1);
    let begun = Instant::now();
    let form = [("email", email), ("password", password)];
    let answer = connection.post_form("/api/sign_in", "", &form).await?;
    Ok((answer.status, begun.elapsed()))
}
