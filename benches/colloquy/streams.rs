//! Many answers at the same time, each read to its end like a browser does.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use colloquy::domain::{Message, MessageState, RunSnapshot, RunUpdate, StartedRun};
use http_body_util::BodyExt;
use hyper::{Method, body::Incoming};

use crate::{
    Result,
    http::{Connection, Person},
    server::Server,
    upstream::{Upstream, script},
};

/// The longest time for one answer, from sending to its end.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(180);
/// How often a reader reconnects after its stream was cut.
const MAX_RECONNECTS: usize = 5;

/// The messages to send.
pub struct Load {
    /// The number of messages, each with one stream.
    pub streams: usize,
    /// The time over which the messages are spread.
    pub spread: Duration,
    /// The behaviour of the upstream.
    pub script: String,
    /// The number of tokens of that behaviour.
    pub tokens: usize,
}

/// The results. Each list has one value per stream.
#[derive(Default)]
pub struct Outcome {
    /// From sending to the response that confirms the stored message.
    pub accepted: Vec<Duration>,
    /// From sending to the request's arrival at the upstream.
    pub forwarded: Vec<Duration>,
    /// From the upstream's first token to the reader's first text.
    pub added: Vec<Duration>,
    /// From sending to the reader's first text.
    pub seen: Vec<Duration>,
    /// From the first message to the end of the last answer.
    pub wall: Duration,
    /// The number of reconnects of all readers.
    pub reconnects: usize,
    /// The server's memory in bytes while all streams were open; `None` if they were not all open at the same time.
    pub resident: Option<u64>,
}

/// One answer, read to its end.
struct Reading {
    tag: String,
    person: usize,
    sent: StartedRun,
    begun: Instant,
    accepted: Instant,
    seen: Instant,
    ended: Instant,
    reconnects: usize,
}

#[derive(Default)]
struct Progress {
    seen: AtomicUsize,
    ended: AtomicUsize,
}

/// Sends the messages, reads all answers, and compares the stored texts with what the upstream wrote.
pub async fn run(server: &Server, upstream: &Upstream, people: &[Person], load: &Load) -> Result<Outcome> {
    upstream.take_received();
    let progress = Arc::new(Progress::default());
    let begun = Instant::now();
    let mut readers = tokio::task::JoinSet::new();
    for index in 0..load.streams {
        let person = index % people.len();
        let (address, cookie, progress) = (server.address, people[person].cookie.clone(), Arc::clone(&progress));
        let (tag, script) = (format!("stream-{index}"), load.script.clone());
        let wait = load.spread.mul_f64(index as f64 / load.streams as f64);
        readers.spawn(async move {
            tokio::time::sleep(wait).await;
            let reading = read(address, &cookie, person, tag.clone(), &script, &progress);
            let reading =
                tokio::time::timeout(ANSWER_TIMEOUT, reading).await.map_err(|_| format!("{tag} did not end"))?;
            reading.map_err(|error| format!("{tag}: {error}"))
        });
    }
    let resident = sample_resident(server, &progress, load.streams).await?;
    let mut readings = Vec::with_capacity(load.streams);
    while let Some(reading) = readers.join_next().await {
        readings.push(reading??);
    }
    let wall = readings.iter().map(|reading| reading.ended).max().unwrap_or(begun).duration_since(begun);
    compare_stored(server, people, &readings, &script::text(load.tokens)).await?;
    Ok(Outcome { wall, resident, ..times(upstream, &readings)? })
}

/// The server's memory when all streams have text and none has ended; `None` if one ends before that.
async fn sample_resident(server: &Server, progress: &Progress, streams: usize) -> Result<Option<u64>> {
    let begun = Instant::now();
    loop {
        if progress.ended.load(Ordering::Acquire) > 0 || begun.elapsed() > ANSWER_TIMEOUT {
            return Ok(None);
        }
        if progress.seen.load(Ordering::Acquire) == streams {
            return server.resident_bytes().map(Some);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn times(upstream: &Upstream, readings: &[Reading]) -> Result<Outcome> {
    let received = upstream.take_received();
    let received: HashMap<&str, _> =
        received.iter().filter_map(|one| Some((one.last().split_whitespace().next()?, one))).collect();
    let mut outcome = Outcome::default();
    for reading in readings {
        let one = received.get(reading.tag.as_str()).ok_or("a message did not reach the upstream")?;
        let written = one.first_token.ok_or("the upstream wrote no token")?;
        outcome.accepted.push(reading.accepted - reading.begun);
        outcome.forwarded.push(one.at.saturating_duration_since(reading.begun));
        outcome.added.push(reading.seen.saturating_duration_since(written));
        outcome.seen.push(reading.seen - reading.begun);
        outcome.reconnects += reading.reconnects;
    }
    Ok(outcome)
}

async fn compare_stored(server: &Server, people: &[Person], readings: &[Reading], expected: &str) -> Result<()> {
    let mut connection = Connection::open(server.address).await?;
    for reading in readings {
        let cookie = &people[reading.person].cookie;
        let stored = connection.stored_text(cookie, reading.sent.chat, reading.sent.answer).await?;
        if stored != expected {
            let (is, was) = (stored.len(), expected.len());
            return Err(format!("{}: {is} bytes are stored that are not the {was} of the upstream", reading.tag).into());
        }
    }
    Ok(())
}

async fn read(
    address: SocketAddr,
    cookie: &str,
    person: usize,
    tag: String,
    script: &str,
    progress: &Progress,
) -> Result<Reading> {
    let mut connection = Connection::open(address).await?;
    let begun = Instant::now();
    let sent = connection.send_message(cookie, None, &format!("{tag} [[{script}]]")).await?;
    let accepted = Instant::now();
    let path = format!("/chats/{}/runs/{}/events", sent.chat, sent.run);
    let mut first = None;
    for reconnects in 0..=MAX_RECONNECTS {
        if reconnects > 0 {
            connection = Connection::open(address).await?;
        }
        let response = connection.send(Method::GET, &path, cookie, "text/event-stream", String::new()).await?;
        if response.status() != 200 {
            return Err(format!("the stream answered {}", response.status()).into());
        }
        if let Some(message) = follow(response.into_body(), &mut first, progress).await? {
            let ended = Instant::now();
            progress.ended.fetch_add(1, Ordering::AcqRel);
            if message.state != MessageState::Complete {
                return Err(format!("the answer is {:?}", message.state).into());
            }
            let seen = first.unwrap_or(ended);
            return Ok(Reading { tag, person, sent, begun, accepted, seen, ended, reconnects });
        }
    }
    Err("the stream was cut again and again".into())
}

/// Reads the events of one connection until the end of the answer (`Some`) or of the connection (`None`). Records the
/// time of the first text.
async fn follow(mut body: Incoming, first: &mut Option<Instant>, progress: &Progress) -> Result<Option<Message>> {
    let mut buffer: Vec<u8> = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Ok(None) };
        buffer.extend_from_slice(&frame.into_data().unwrap_or_else(|_| Bytes::new()));
        let mut from = 0;
        while let Some(length) = buffer[from..].windows(2).position(|pair| pair == b"\n\n") {
            let block = &buffer[from..from + length];
            from += length + 2;
            let (name, data) = parse(block);
            if name == b"end" {
                return Ok(Some(serde_json::from_slice(data)?));
            }
            // Events after the first text are not parsed: the client shares the server's cores.
            if first.is_none() && has_text(name, data)? {
                *first = Some(Instant::now());
                progress.seen.fetch_add(1, Ordering::AcqRel);
            }
        }
        buffer.drain(..from);
    }
    Ok(None)
}

fn has_text(name: &[u8], data: &[u8]) -> Result<bool> {
    Ok(match name {
        b"snapshot" => {
            let snapshot: RunSnapshot = serde_json::from_slice(data)?;
            !snapshot.text.is_empty()
        }
        b"update" => {
            let update: RunUpdate = serde_json::from_slice(data)?;
            update.text.is_some()
        }
        _ => false,
    })
}

/// The name and the single data line of an event.
fn parse(block: &[u8]) -> (&[u8], &[u8]) {
    let (mut name, mut data) = (&b""[..], &b""[..]);
    for line in block.split(|byte| *byte == b'\n') {
        if let Some(value) = line.strip_prefix(b"event: ") {
            name = value;
        } else if let Some(value) = line.strip_prefix(b"data: ") {
            data = value;
        }
    }
    (name, data)
}
