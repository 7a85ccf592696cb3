//! The two signals that end the server.

use std::{io, process, thread, time::Duration};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// From the first signal to the end of the process, whatever still runs then.
const LAST_MOMENT: Duration = Duration::from_secs(14);

/// Cancels the token that is returned on SIGTERM or SIGINT. The process ends at once on a second signal, and at the
/// latest 14 seconds after the first.
///
/// # Errors
/// The system does not let us listen for signals.
pub fn stop_on_signals() -> io::Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stopping = CancellationToken::new();
    let token = stopping.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping; a second signal ends the server at once");
        // A thread of its own, so that it comes even where the runtime is stuck.
        thread::spawn(|| {
            thread::sleep(LAST_MOMENT);
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
