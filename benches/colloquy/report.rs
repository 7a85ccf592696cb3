//! The benchmarks, their targets, and the report.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path, time::Duration};

use colloquy::server::clock::Clock;

use crate::Result;

/// The target of a benchmark.
#[derive(Clone, Copy)]
pub enum Target {
    Under(f64),
    Over(f64),
    AtLeast(f64),
    AtMost(f64),
}

/// One row of the table.
pub struct Row {
    /// Identifies the row in the program.
    pub key: &'static str,
    /// The name of the benchmark, as on the page.
    pub what: &'static str,
    pub target: Target,
    pub unit: &'static str,
    /// The description of the method, as on the page.
    pub method: &'static str,
}

/// All benchmarks, in the order of the table.
pub const ROWS: &[Row] = &[
    Row {
        key: "start",
        what: "Start to the first answered request, 1,000 chats",
        target: Target::Under(500.0),
        unit: "ms",
        method: "From starting the process to the whole answer to `GET /sign-in`; a connection is tried every millisecond. Median of the starts.",
    },
    Row {
        key: "idle memory",
        what: "Resident memory, idle, after sign-in and one chat",
        target: Target::Under(32.0),
        unit: "MB",
        method: "`VmRSS` of the server in megabytes of 1,000,000 bytes, some seconds after a sign-in by form, a streamed answer, and a visit to its chat. 1,000 chats in the database.",
    },
    Row {
        key: "sign-in time",
        what: "Sign-in page, one connection, p50",
        target: Target::Under(3.0),
        unit: "ms",
        method: "`GET /sign-in` again and again over one keep-alive connection, with the `Accept-Encoding` of a browser, from sending to the last byte.",
    },
    Row {
        key: "sign-in rate",
        what: "Sign-in page, requests a second, 16 connections",
        target: Target::Over(6_000.0),
        unit: "/s",
        method: "The same over 16 keep-alive connections at once, for a fixed time. The client runs on the same cores.",
    },
    Row {
        key: "first visit",
        what: "First visit to the chat page, all bytes",
        target: Target::Under(360.0),
        unit: "KB",
        method: "Chromium with an empty cache opens a chat: the bytes of all responses with their heads, as its network log counts them, until the page has requested nothing for four seconds. Kilobytes of 1,000 bytes, median of fresh contexts.",
    },
    Row {
        key: "first visit wasm",
        what: "WASM that the chat page loads",
        target: Target::Under(300.0),
        unit: "KB",
        method: "In the same visits: the responses whose path ends in `.wasm`.",
    },
    Row {
        key: "sign-in visit",
        what: "First visit to the sign-in page, all bytes",
        target: Target::Under(170.0),
        unit: "KB",
        method: "The same for `GET /sign-in` without a cookie.",
    },
    Row {
        key: "hydrated",
        what: "Chat page hydrated",
        target: Target::Under(800.0),
        unit: "ms",
        method: "In the same visits: from the start of the navigation until the page says `data-hydrated`. Browser and server share the cores; the first of all visits, which also warms the browser up, does not count.",
    },
    Row {
        key: "painted",
        what: "Chat page, first contentful paint",
        target: Target::Under(250.0),
        unit: "ms",
        method: "In the same visits: the browser's own `first-contentful-paint`.",
    },
    Row {
        key: "sessions page",
        what: "Sessions page with 10,000 chats, p95",
        target: Target::Under(5.0),
        unit: "ms",
        method: "`GET /sessions` signed in, over one keep-alive connection, from sending to the last byte. Every request counts, the first one too.",
    },
    Row {
        key: "sessions page p50",
        what: "Sessions page with 10,000 chats, p50",
        target: Target::Under(2.0),
        unit: "ms",
        method: "The same requests.",
    },
    Row {
        key: "chat page",
        what: "Chat page with 5,000 messages, p95",
        target: Target::Under(40.0),
        unit: "ms",
        method: "`GET /chats/…` in the same way; the answers hold lists and code.",
    },
    Row {
        key: "delay 1",
        what: "Added delay to the first token, 1 stream, median",
        target: Target::Under(10.0),
        unit: "ms",
        method: "A mock provider writes one token every 50 ms, the first one at once. The delay is from its writing the first token to the reader's getting the first event with text, so it holds the time to open the event stream too. One stream after the other.",
    },
    Row {
        key: "delay 200",
        what: "Added delay to the first token, 200 streams, p95",
        target: Target::Under(60.0),
        unit: "ms",
        method: "The same with 200 streams that are open at once, their beginnings spread over 4 s. Every answer is read to its end, must be complete, and its stored text must be, byte for byte, what the provider wrote.",
    },
    Row {
        key: "delay 500",
        what: "Added delay to the first token, 500 streams, p95",
        target: Target::Under(200.0),
        unit: "ms",
        method: "The same with 500 streams, spread over 5 s, on a server that was just started.",
    },
    Row {
        key: "sends stored",
        what: "500 messages sent at once by 20 people, acknowledged, p95",
        target: Target::Under(120.0),
        unit: "ms",
        method: "500 messages at the same moment, in 500 new chats over 500 connections; the provider writes 20 tokens, one every 50 ms. From sending a message to the response that says it is on disk.",
    },
    Row {
        key: "sends seen",
        what: "500 messages sent at once by 20 people, first text, p95",
        target: Target::Under(220.0),
        unit: "ms",
        method: "In the same measurement: from sending a message to the first text of its answer in the reader's event stream.",
    },
    Row {
        key: "throughput",
        what: "Tokens through the server, 500 streams",
        target: Target::Over(25_000.0),
        unit: "/s",
        method: "500 messages at once; the provider writes as fast as it is read, 32 events in one write. All tokens, divided by the time from the first message to the last end of an answer. All are read over event streams, and all stored texts are compared.",
    },
    Row {
        key: "stream memory",
        what: "Memory per open stream",
        target: Target::Under(200.0),
        unit: "KB",
        method: "In the measurement of the delay with 500 streams: `VmRSS` once all show text and none has ended, less `VmRSS` before (after one answer), divided by 500; kilobytes of 1,000 bytes.",
    },
    Row {
        key: "rush memory",
        what: "Memory that 200 sign-ins at once take",
        target: Target::Under(87.6),
        unit: "MB",
        method: "The most `VmRSS` while 200 people sign in at the same time beside 30 streams, less `VmRSS` before, looked at every 5 ms. At most four hashes of 19.9 MB, and no more than there are cores, are computed at once; a tenth more than four is allowed.",
    },
    Row {
        key: "rush gaps",
        what: "Gaps in the streams beside them, p99",
        target: Target::Under(500.0),
        unit: "ms",
        method: "In the same time: between two arrivals on each of the 30 event streams, whose provider writes a token every 50 ms.",
    },
    Row {
        key: "sign-ins sustained",
        what: "Sign-ins a second, sustained beside 50 streams",
        target: Target::AtLeast(20.0),
        unit: "/s",
        method: "Eight people sign in with their passwords again and again, each over a new connection and from an address of their own, for a fixed time, while 50 event streams are open. What the measurement before began goes on beside it.",
    },
    Row {
        key: "gaps sustained",
        what: "The longest gap in the streams beside them",
        target: Target::Under(500.0),
        unit: "ms",
        method: "In the same time: between two arrivals on each of the 50 event streams, whose provider writes a token every 50 ms.",
    },
    Row {
        key: "sign-in difference",
        what: "Wrong password, with and without an account",
        target: Target::Under(10.0),
        unit: "ms",
        method: "`POST /api/sign_in` with a wrong password, by turns for an address with an account and for one without; the difference of the medians.",
    },
    Row {
        key: "settings page",
        what: "Settings page with 10,000 people, p95",
        target: Target::Under(4.0),
        unit: "ms",
        method: "`GET /settings/security` as the administrator of 10,000 people, who have 30,000 sign-ins; over one keep-alive connection, from sending to the last byte. Every request counts, the first one too.",
    },
    Row {
        key: "crowd sessions page",
        what: "Sessions page with 10,000 people, p95",
        target: Target::Under(25.0),
        unit: "ms",
        method: "`GET /sessions` in the same way, with 1,000 chats of the administrator's own.",
    },
    Row {
        key: "people page",
        what: "People page with 10,000 people, p95",
        target: Target::Under(25.0),
        unit: "ms",
        method: "`GET /people` in the same way.",
    },
    Row {
        key: "reset difference",
        what: "Asking for a password, with and without an account",
        target: Target::Under(10.0),
        unit: "ms",
        method: "`POST /api/request_mail` by turns for an address with an account and for one without; the difference of the medians. Mails are configured and nobody takes them.",
    },
    Row {
        key: "session check",
        what: "Finding out who asks, 10,000 people, p95",
        target: Target::Under(300.0),
        unit: "µs",
        method: "From a session's id to the person: its record and its sign-in are read from SQLite. Within the measuring process, one after the other, on the data of the pages above.",
    },
    Row {
        key: "session commands",
        what: "Commands to Redis for it",
        target: Target::AtMost(1.0),
        unit: "per check",
        method: "The same with Redis in front of the database; what `INFO commandstats` counts, less pings, divided by the checks.",
    },
    Row {
        key: "writer hold",
        what: "The longest that maintenance keeps others from writing",
        target: Target::Under(50.0),
        unit: "ms",
        method: "SQLite has one writer. Within the measuring process, on a database of its own: while 100 chats of 5,000 messages are removed, a person with 100,000 messages is deleted among 20,000 session records of others, a download of 10,000 chats is put together, and 20,000 session records and acts expire, somebody else asks for the writer every millisecond; the longest that they wait for it counts.",
    },
    Row {
        key: "model",
        what: "Embedded model's speed, of the library's bare loop",
        target: Target::AtLeast(90.0),
        unit: "%",
        method: "Tokens a second after the first, as the server's side of the model's process gets them, against `model-worker --bench` with the same prompt: 256 tokens or to the end of the answer. By turns; median of each.",
    },
];

/// The results.
#[derive(Default)]
pub struct Report {
    results: BTreeMap<&'static str, (f64, String)>,
    errors: BTreeMap<&'static str, String>,
}

impl Report {
    /// Records a result and its details.
    pub fn record(&mut self, key: &'static str, value: f64, detail: impl Into<String>) {
        debug_assert!(ROWS.iter().any(|row| row.key == key), "{key} is a row");
        self.results.insert(key, (value, detail.into()));
    }

    /// If `outcome` is an error, records it for those of these rows without a result. The first error of a row is kept.
    pub fn record_failure(&mut self, keys: &[&'static str], outcome: Result<()>) {
        if let Err(error) = outcome {
            let reason = error.to_string().replace(['\n', '|'], " ");
            for key in keys {
                self.errors.entry(key).or_insert_with(|| reason.clone());
            }
        }
    }

    fn cells(&self, row: &Row) -> [String; 3] {
        let target = match row.target {
            Target::Under(limit) => format!("under {}", format_value(limit, row.unit)),
            Target::Over(limit) => format!("over {}", format_value(limit, row.unit)),
            Target::AtLeast(limit) => format!("at least {}", format_value(limit, row.unit)),
            Target::AtMost(limit) => format!("at most {}", format_value(limit, row.unit)),
        };
        let Some((value, _)) = self.results.get(row.key) else {
            let reason = self.errors.get(row.key).map_or("left out", String::as_str);
            return [target, "not measured".to_owned(), reason.to_owned()];
        };
        let met = match row.target {
            Target::Under(limit) => *value < limit,
            Target::Over(limit) => *value > limit,
            Target::AtLeast(limit) => *value >= limit,
            Target::AtMost(limit) => *value <= limit,
        };
        [target, format_value(*value, row.unit), if met { "ok" } else { "miss" }.to_owned()]
    }

    /// The table for the terminal.
    pub fn table(&self) -> String {
        let mut out = String::new();
        for row in ROWS {
            let [target, measured, verdict] = self.cells(row);
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{:<54} {target:>16} {measured:>14}  {verdict}", row.what);
            if let Some((_, detail)) = self.results.get(row.key).filter(|(_, detail)| !detail.is_empty()) {
                let _ = writeln!(out, "{:54} {detail}", "");
            }
        }
        out
    }

    /// Writes the page. The "Notes" section of the old page is kept, because it is written by hand.
    pub fn write(&self, file: &Path) -> Result<()> {
        let before = fs::read_to_string(file).unwrap_or_default();
        let notes = before.split_once("\n## Notes\n").map_or("", |(_, notes)| notes);
        fs::write(file, self.page(notes))?;
        Ok(())
    }

    /// The method and the details of each benchmark.
    pub fn details(&self) -> String {
        let mut out = String::new();
        for row in ROWS {
            let detail = self.results.get(row.key).map_or("", |(_, detail)| detail);
            let _ = writeln!(
                out,
                "- **{}.** {}{}{detail}",
                row.what,
                row.method,
                if detail.is_empty() { "" } else { " Found: " }
            );
        }
        out
    }

    fn page(&self, notes: &str) -> String {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let mut out = format!(
            "# Benchmarks\n\nMeasured on {} by `make bench`: release build, {cores} cores, SQLite, everything on one machine \
             over the loopback device. The load generator, the mock provider and the browser run on the same cores as the \
             server. This page is written by the program in `benches/colloquy/`, all but the notes at its end.\n\n",
            date(),
        );
        out.push_str("| What | Must be | Measured | |\n|---|---|---|---|\n");
        for row in ROWS {
            let [target, measured, verdict] = self.cells(row);
            let _ = writeln!(out, "| {} | {target} | {measured} | {verdict} |", row.what);
        }
        out.push_str("\n## Method and details\n\n");
        out.push_str(&self.details());
        let _ = write!(out, "\n## Notes\n{notes}");
        out
    }
}

fn format_value(value: f64, unit: &str) -> String {
    let number = if value >= 1_000.0 {
        let whole = format!("{value:.0}");
        let head = whole.len() % 3;
        let groups = whole.as_bytes()[head..].chunks(3).map(String::from_utf8_lossy);
        let groups: Vec<_> = (head > 0).then(|| whole[..head].into()).into_iter().chain(groups).collect();
        groups.join(",")
    } else if value.fract() == 0.0 || value >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    };
    format!("{number} {unit}").replace(" /s", "/s")
}

fn date() -> String {
    std::env::var("BENCH_DATE").unwrap_or_else(|_| {
        let seconds = Clock::default().now().micros() / 1_000_000;
        time::OffsetDateTime::from_unix_timestamp(seconds).map_or_else(|_| String::new(), |now| now.date().to_string())
    })
}

/// A duration in milliseconds.
pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// The percentile of the values (nearest rank), in milliseconds; 0 if there are none.
pub fn percentile(times: &[Duration], percent: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().map_or(0.0, millis)
}
