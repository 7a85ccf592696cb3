//! The log: text on a terminal, JSON lines otherwise; one event is one line, whatever it holds.

use std::{
    borrow::Cow,
    fmt,
    io::{self, IsTerminal, Write},
    panic::PanicHookInfo,
};

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, FilterFn},
    fmt::MakeWriter,
    layer::SubscriberExt,
};

use uuid::Uuid;

use super::config::LogConfig;

/// The id of a request, made here and never taken from the client. An extension of all requests;
/// the answer carries it as `x-request-id`, and so does each event in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId(Uuid);

impl RequestId {
    /// Wraps an id that the clock made.
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// Libraries that would write what goes over their wires at the levels `debug` and `trace`: headers, bodies,
/// statements, ids of sessions. No filter of the operator's lets that into the log.
const TALKATIVE: [&str; 16] = [
    "axum",
    "axum_core",
    "fred",
    "h2",
    "hyper",
    "hyper_util",
    "leptos_axum",
    "redis_protocol",
    "reqwest",
    "rustls",
    "server_fn",
    "sqlx",
    "tower_sessions",
    "tower_sessions_core",
    "webauthn_rs",
    "webauthn_rs_core",
];

/// Starts the log on standard error and lets panics go through it. Call once.
pub fn start(config: &LogConfig) {
    let json = config.json.unwrap_or_else(|| !io::stderr().is_terminal());
    let started = tracing::subscriber::set_global_default(subscriber(json, &config.filter, io::stderr));
    if started.is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

/// The subscriber that writes events to `writer`. A filter that cannot be read counts as `info`.
pub fn subscriber<W>(json: bool, filter: &str, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let filter = filter.and(FilterFn::new(is_fit as fn(&Metadata<'_>) -> bool));
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(OneLine(writer));
    let layer: Box<dyn Layer<Registry> + Send + Sync> = if json {
        Box::new(lines.json().flatten_event(true).with_current_span(true).with_span_list(false).with_filter(filter))
    } else {
        Box::new(lines.with_filter(filter))
    };
    tracing_subscriber::registry().with(layer)
}

fn is_fit(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::INFO
        || !TALKATIVE.iter().any(|name| {
            metadata.target().strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        })
}

/// Logs where a thread broke off. A text made up at the moment of the panic may quote what a person wrote,
/// so only texts that stand in the source are repeated.
fn log_panic(info: &PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let text = info.payload().downcast_ref::<&'static str>().copied().unwrap_or("(text withheld)");
    tracing::error!(place, text, "panic");
}

/// Makes writers that turn every event into one line.
struct OneLine<M>(M);

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for OneLine<M> {
    type Writer = LineWriter<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        LineWriter(self.0.make_writer())
    }
}

/// Takes one whole event per call of `write`, which is how `tracing_subscriber::fmt` calls it.
struct LineWriter<W>(W);

impl<W: Write> Write for LineWriter<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        self.0.write_all(one_line(&text).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The event with everything escaped that could end a line, steer a terminal or turn the reading direction.
/// The form of the escapes is right within JSON too.
fn one_line(event: &str) -> Cow<'_, str> {
    let body = event.strip_suffix('\n').unwrap_or(event);
    if !body.chars().any(is_unfit) {
        return Cow::Borrowed(event);
    }
    let mut line = String::with_capacity(event.len() + 32);
    for c in body.chars() {
        if is_unfit(c) {
            line.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            line.push(c);
        }
    }
    line.push('\n');
    Cow::Owned(line)
}

fn is_unfit(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(json: bool, event: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        tracing::subscriber::with_default(subscriber(json, "trace", move || writer.clone()), event);
        let bytes = lines.0.lock().expect("no panic").clone();
        String::from_utf8(bytes).expect("the log is text")
    }

    const FORGED: &str = "Eve\n2026-01-01T00:00:00Z  INFO signed in\r\u{1b}[2J\u{9b}31m\u{202e}\u{2028}\" }";

    #[test]
    fn row_76_a_forged_line_stays_one_line_of_text() {
        let text = logged(false, || tracing::info!(name = %FORGED, agent = FORGED, "{FORGED}"));
        assert_eq!(text.matches('\n').count(), 1, "{text:?}");
        assert!(!text.trim_end_matches('\n').chars().any(is_unfit), "{text:?}");
        assert!(text.contains("\\u001b[2J") || text.contains("\\x1b[2J"), "{text:?}");
    }

    #[test]
    fn row_76_a_forged_line_stays_one_line_of_json() {
        let text = logged(true, || tracing::info!(name = %FORGED, "{FORGED}"));
        assert_eq!(text.matches('\n').count(), 1, "{text:?}");
        let event: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert!(event["name"].as_str().is_some_and(|name| name.contains("signed in")), "{event}");
        assert_eq!(event["level"], "INFO");
    }

    #[test]
    fn l02_a_panic_is_one_line_without_what_it_was_made_of() {
        let text = logged(true, || {
            std::panic::set_hook(Box::new(log_panic));
            let said = std::panic::catch_unwind(|| panic!("{}", "canary"));
            let written = std::panic::catch_unwind(|| panic!("a broken promise"));
            drop(std::panic::take_hook());
            assert!(said.is_err() && written.is_err());
        });
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.contains("telemetry.rs") && text.contains("a broken promise"), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }

    #[test]
    fn l02_libraries_do_not_log_their_wires_even_at_trace() {
        let text = logged(false, || {
            tracing::trace!(target: "hyper::proto::h1", "canary");
            tracing::debug!(target: "sqlx::query", "canary");
            tracing::debug!(target: "sqlx_postgres", "another crate");
            tracing::warn!(target: "sqlx", "slow");
        });
        assert!(!text.contains("canary"), "{text}");
        assert!(text.contains("another crate") && text.contains("slow"), "{text}");
    }
}
