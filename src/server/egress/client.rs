//! The only place that builds an HTTP client.

use std::{sync::Arc, time::Duration};

use reqwest::{Client, dns::Resolve, redirect};

/// The timeout for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Builds a client that follows no redirects, so that an API key is not sent to another host, and uses no proxy, which
/// would resolve names unchecked. There is no timeout for whole responses: models stream for minutes. A connection that
/// was not used for `idle_timeout` is closed.
#[expect(clippy::disallowed_methods, reason = "the only place that builds a client")]
pub(super) fn build(resolver: Arc<dyn Resolve>, idle_timeout: Duration) -> Client {
    // Fails only if a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = || {
        Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(idle_timeout)
            .dns_resolver(Arc::clone(&resolver))
            .user_agent(concat!("colloquy/", env!("CARGO_PKG_VERSION")))
    };
    builder().build().unwrap_or_else(|fault| {
        // Without root certificates, plain http endpoints in the local network still work.
        tracing::warn!(%fault, "no root certificates: https endpoints cannot be reached");
        builder().tls_certs_only([]).build().expect("a client without certificates reads nothing from the machine")
    })
}
