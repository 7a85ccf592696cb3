//! Benchmarks of start-up, idle memory and pages.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use colloquy::domain::{ChatId, StartedRun};
use http_body_util::BodyExt;
use hyper::Method;

use crate::{
    Counts, Result,
    http::{BROWSER_ENCODINGS, Connection, Person},
    report::{Report, millis, percentile},
    seed,
    server::{Installation, Server},
};

const EMAIL: &str = "ada@example.org";

/// Creates the account and the first chats in the data folder, and measures the start-up time.
pub async fn measure_start(report: &mut Report, counts: &Counts, installation: &Installation) -> Result<()> {
    let server = installation.start().await?;
    Person::sign_up(server.address, EMAIL).await?;
    server.stop().await?;
    seed::chats(&installation.data(), EMAIL, counts.few_chats).await?;
    let mut times = Vec::new();
    for _ in 0..counts.starts {
        let server = installation.start().await?;
        times.push(server.started_in);
        server.stop().await?;
    }
    let detail = format!("{} starts, the slowest {:.0} ms", times.len(), percentile(&times, 100));
    report.record("start", percentile(&times, 50), detail);
    Ok(())
}

/// Measures the memory of a server that was used once and is idle now.
pub async fn idle_memory(report: &mut Report, counts: &Counts, server: &Server) -> Result<(Person, StartedRun)> {
    let fresh = server.resident_bytes()?;
    let ada = Person::sign_in(server.address, EMAIL).await?;
    let mut connection = Connection::open(server.address).await?;
    let sent = connection.send_message(&ada.cookie, None, "How fast are you? [[paced 60 20]]").await?;
    let path = format!("/chats/{}/runs/{}/events", sent.chat, sent.run);
    let events = connection.send(Method::GET, &path, &ada.cookie, "text/event-stream", String::new()).await?;
    // The stream ends with the answer.
    tokio::time::timeout(Duration::from_secs(30), events.into_body().collect()).await??;
    connection.get(&format!("/chats/{}", sent.chat), &ada.cookie).await?.expect(200)?;
    drop(connection);
    tokio::time::sleep(counts.idle).await;
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let detail = format!("{:.1} MB right after the start", megabytes(fresh));
    report.record("idle memory", megabytes(server.resident_bytes()?), detail);
    Ok((ada, sent))
}

/// Measures the page for anonymous users.
pub async fn sign_in_page(report: &mut Report, counts: &Counts, server: &Server) -> Result<()> {
    // The first requests fill caches and do not count.
    measure_requests(server.address, "/sign-in", "", BROWSER_ENCODINGS, counts.pages).await?;
    let plain = measure_requests(server.address, "/sign-in", "", "", counts.sign_in_pages).await?;
    let packed = measure_requests(server.address, "/sign-in", "", BROWSER_ENCODINGS, counts.sign_in_pages).await?;
    let detail = format!(
        "p95 {:.2} ms of {} requests; uncompressed p50 {:.2} ms",
        percentile(&packed, 95),
        packed.len(),
        percentile(&plain, 50)
    );
    report.record("sign-in time", percentile(&packed, 50), detail);
    let plain = measure_rate(server.address, "", counts.rate).await?;
    let packed = measure_rate(server.address, BROWSER_ENCODINGS, counts.rate).await?;
    report.record("sign-in rate", packed, format!("uncompressed {plain:.0} a second; {:?} each", counts.rate));
    Ok(())
}

/// Adds many chats and a long one to the data folder of a stopped server.
pub async fn seed_chats(counts: &Counts, installation: &Installation) -> Result<ChatId> {
    let data = installation.data();
    seed::chats(&data, EMAIL, counts.many_chats.saturating_sub(counts.few_chats)).await?;
    seed::long_chat(&data, EMAIL, counts.long_chat).await
}

/// Measures the pages of a user with many chats and a long one.
pub async fn full_pages(report: &mut Report, counts: &Counts, server: &Server, long: ChatId) -> Result<()> {
    let ada = Person::sign_in(server.address, EMAIL).await?;
    let chat = format!("/chats/{long}");
    for (key, path) in [("sessions page", "/sessions"), ("chat page", chat.as_str())] {
        let times = measure_requests(server.address, path, &ada.cookie, BROWSER_ENCODINGS, counts.pages).await?;
        let first = times.first().copied().map_or(0.0, millis);
        let median = percentile(&times, 50);
        let detail = format!("{} requests, p50 {median:.1} ms, the first {first:.1} ms", times.len());
        report.record(key, percentile(&times, 95), detail);
        if key == "sessions page" {
            report.record("sessions page p50", median, "");
        }
    }
    Ok(())
}

/// The times of `count` requests for a page over one connection.
pub async fn measure_requests(
    address: SocketAddr,
    path: &str,
    cookie: &str,
    encodings: &'static str,
    count: usize,
) -> Result<Vec<Duration>> {
    let mut connection = Connection::open(address).await?;
    connection.encodings = encodings;
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let begun = Instant::now();
        let answer = connection.get(path, cookie).await?;
        times.push(begun.elapsed());
        answer.expect(200)?;
    }
    Ok(times)
}

/// Requests a second over 16 connections.
async fn measure_rate(address: SocketAddr, encodings: &'static str, time: Duration) -> Result<f64> {
    let begun = Instant::now();
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..16 {
        clients.spawn(async move {
            let mut connection = Connection::open(address).await?;
            connection.encodings = encodings;
            let mut answered = 0_u32;
            while begun.elapsed() < time {
                connection.get("/sign-in", "").await?.expect(200)?;
                answered += 1;
            }
            Result::<u32>::Ok(answered)
        });
    }
    let mut answered = 0;
    while let Some(count) = clients.join_next().await {
        answered += count??;
    }
    Ok(f64::from(answered) / begun.elapsed().as_secs_f64())
}
