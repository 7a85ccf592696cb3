//! The one place that makes an HTTP client.

use std::{sync::Arc, time::Duration};

use reqwest::{Client, dns::Resolve, redirect};

/// How long it may take until a connection is there.
const CONNECT: Duration = Duration::from_secs(10);

/// A client that follows no redirect, so that a key goes to no other host, and asks no proxy, which would resolve names
/// out of our sight. It has no time-out for whole answers: those of models last for minutes.
#[expect(clippy::disallowed_methods, reason = "the one place that makes a client")]
pub(super) fn build(resolver: Arc<dyn Resolve>) -> Client {
    // An error only says that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = || {
        Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .dns_resolver(Arc::clone(&resolver))
            .user_agent(concat!("colloquy/", env!("CARGO_PKG_VERSION")))
    };
    builder().build().unwrap_or_else(|fault| {
        // A machine without any root certificate can still reach plain endpoints of its own network.
        tracing::warn!(%fault, "no root certificates: https endpoints cannot be reached");
        builder().tls_certs_only([]).build().expect("a client without certificates reads nothing from the machine")
    })
}
