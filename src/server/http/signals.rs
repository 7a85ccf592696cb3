//! Signal handling: SIGTERM and SIGINT stop the server.

use std::{io, process, thread, time::Duration};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The time from the first signal to the forced exit of the process.
const FORCED_EXIT_DELAY: Duration = Duration::from_secs(14);

/// Returns a token that is cancelled on SIGTERM or SIGINT. The process exits immediately on a second signal, and 14
/// seconds after the first one at the latest.
///
/// # Errors
/// The signal handlers cannot be installed.
pub fn stop_on_signals() -> io::Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stopping = CancellationToken::new();
    let token = stopping.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping; a second signal exits immediately");
        // A thread of its own, so that it also fires if the async runtime is stuck.
        thread::spawn(|| {
            thread::sleep(FORCED_EXIT_DELAY);
            process::exit(1);
        });
        token.cancel();
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        process::exit(130);
    });
    Ok(stopping)
}
