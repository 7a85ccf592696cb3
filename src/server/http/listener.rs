//! Accepts connections and limits how many one client address may have.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::net::{TcpListener, TcpStream};

/// One address may have at most 1/8 of all connections.
const ADDRESS_SHARE: u32 = 8;
/// The minimum limit per address: enough for ten browsers.
const MIN_PER_ADDRESS: u32 = 64;
/// The response to a connection over the limit.
const TOO_MANY_CONNECTIONS: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 10\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// A listening socket.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    limiter: Option<AddressLimiter>,
}

/// Limits the connections per client address.
#[derive(Debug)]
struct AddressLimiter {
    max: u32,
    /// Proxies are not limited: they serve many clients.
    trusted: Vec<IpAddr>,
    open: Arc<Mutex<HashMap<IpAddr, u32>>>,
    /// Whether the limit was already logged.
    warned: AtomicBool,
}

/// Counts one connection of an address until it is dropped.
#[derive(Debug)]
pub(super) struct AddressPermit {
    network: IpAddr,
    open: Arc<Mutex<HashMap<IpAddr, u32>>>,
}

impl From<TcpListener> for Listener {
    /// A listener without a limit per address.
    fn from(socket: TcpListener) -> Self {
        Self { socket, limiter: None }
    }
}

impl Listener {
    /// A listener at which one address may have an eighth of `connections`, but at least 64. Trusted proxies are not
    /// limited.
    pub fn with_address_limit(socket: TcpListener, trusted: &[IpAddr], connections: u32) -> Self {
        let max = (connections / ADDRESS_SHARE).max(MIN_PER_ADDRESS);
        let limiter =
            AddressLimiter { max, trusted: trusted.to_vec(), open: Arc::default(), warned: AtomicBool::default() };
        Self { socket, limiter: Some(limiter) }
    }

    /// Returns the next connection to serve. If the system runs out of resources such as file descriptors, retries with
    /// a backoff.
    pub(super) async fn accept(&self) -> (TcpStream, Option<AddressPermit>) {
        let mut pause = Duration::from_millis(50);
        loop {
            match self.socket.accept().await {
                Ok((socket, peer)) => match self.limiter.as_ref().map(|limiter| limiter.acquire(peer.ip())) {
                    None => return (socket, None),
                    Some(Ok(permit)) => return (socket, permit),
                    // Writes only what the socket accepts immediately, so that a client over the limit cannot delay
                    // others.
                    Some(Err(())) => drop(socket.try_write(TOO_MANY_CONNECTIONS)),
                },
                Err(error) if is_client_error(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections now");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(1));
                }
            }
        }
    }
}

impl AddressLimiter {
    /// Acquires a permit for one more connection; `None` for trusted proxies, which need none.
    fn acquire(&self, peer: IpAddr) -> Result<Option<AddressPermit>, ()> {
        if self.trusted.contains(&peer.to_canonical()) {
            return Ok(None);
        }
        let network = client_network(peer);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(network).or_default();
        if *count >= self.max {
            if !self.warned.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    address = %network,
                    max = self.max,
                    "too many connections from one address, refusing more; if it is your proxy, add it to `trusted_proxies`"
                );
            }
            return Err(());
        }
        *count += 1;
        Ok(Some(AddressPermit { network, open: self.open.clone() }))
    }
}

impl Drop for AddressPermit {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.network);
            }
        }
    }
}

/// The network of one client: the full IPv4 address, the /64 of an IPv6 address.
fn client_network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

fn is_client_error(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d01_connections_are_limited_per_address() {
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        let limiter = AddressLimiter {
            max: 2,
            trusted: vec![ip("10.0.0.1")],
            open: Arc::default(),
            warned: AtomicBool::default(),
        };
        let acquire = |text: &str| limiter.acquire(ip(text));
        let (one, two) = (acquire("203.0.113.9"), acquire("::ffff:203.0.113.9"));
        assert!(one.is_ok() && two.is_ok() && acquire("203.0.113.9").is_err());
        assert!(acquire("203.0.113.10").is_ok());
        let same: Vec<_> = ["2001:db8::1", "2001:db8::2", "2001:db8::3"].map(acquire).into_iter().collect();
        assert!(same[0].is_ok() && same[1].is_ok() && same[2].is_err());
        assert!(acquire("2001:db8:0:1::1").is_ok());
        let proxy: Vec<_> = (0..9).map(|_| acquire("::ffff:10.0.0.1")).collect();
        assert!(proxy.iter().all(|permit| matches!(permit, Ok(None))));
        drop(one);
        assert!(acquire("203.0.113.9").is_ok());
        drop((two, same));
        assert!(limiter.open.lock().expect("no panic").is_empty(), "closed connections are not stored");
    }
}
