//! Where connections come in, and how many of them one address may have.

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

/// Which part of all connections one address may have at once.
const PART: u32 = 8;
/// How many it may have in any case: ten browsers' worth.
const LEAST: u32 = 64;
/// What one too many is told.
const TOO_MANY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 10\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// A socket that takes connections.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    crowd: Option<Crowd>,
}

/// Who has how many connections.
#[derive(Debug)]
struct Crowd {
    most: u32,
    /// Behind these there are many people.
    trusted: Vec<IpAddr>,
    open: Arc<Mutex<HashMap<IpAddr, u32>>>,
    /// Whether the log knows already that somebody has too many.
    said: AtomicBool,
}

/// One connection's place among those of its address, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    of: IpAddr,
    open: Arc<Mutex<HashMap<IpAddr, u32>>>,
}

impl From<TcpListener> for Listener {
    /// One that does not ask who has how many connections.
    fn from(socket: TcpListener) -> Self {
        Self { socket, crowd: None }
    }
}

impl Listener {
    /// One at which an address has an eighth of `connections`, or 64, at most, unless it is a trusted proxy's.
    pub fn bounded(socket: TcpListener, trusted: &[IpAddr], connections: u32) -> Self {
        let most = (connections / PART).max(LEAST);
        let crowd = Crowd { most, trusted: trusted.to_vec(), open: Arc::default(), said: AtomicBool::default() };
        Self { socket, crowd: Some(crowd) }
    }

    /// The next connection that may be served. Where the system has no more of something, such as file descriptors, this
    /// waits until it has again.
    pub(super) async fn accept(&self) -> (TcpStream, Option<Seat>) {
        let mut pause = Duration::from_millis(50);
        loop {
            match self.socket.accept().await {
                Ok((socket, peer)) => match self.crowd.as_ref().map(|crowd| crowd.seat(peer.ip())) {
                    None => return (socket, None),
                    Some(Ok(seat)) => return (socket, seat),
                    // As much of it as the system takes at once: nobody waits for whoever has too many.
                    Some(Err(())) => drop(socket.try_write(TOO_MANY)),
                },
                Err(error) if is_of_client(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections now");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(1));
                }
            }
        }
    }
}

impl Crowd {
    /// A place for one more connection from an address; none is needed for trusted proxies.
    fn seat(&self, peer: IpAddr) -> Result<Option<Seat>, ()> {
        if self.trusted.contains(&peer.to_canonical()) {
            return Ok(None);
        }
        let of = customer(peer);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(of).or_default();
        if *count >= self.most {
            if !self.said.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    address = %of,
                    most = self.most,
                    "an address has too many connections, further ones are refused; if it is your proxy's, name it in `trusted_proxies`"
                );
            }
            return Err(());
        }
        *count += 1;
        Ok(Some(Seat { of, open: self.open.clone() }))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.of) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.of);
            }
        }
    }
}

/// The address as far as one customer can change it at will: all of IPv4, the first 64 bits of IPv6.
fn customer(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

fn is_of_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d01_each_customer_has_places_of_their_own() {
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        let crowd = Crowd { most: 2, trusted: vec![ip("10.0.0.1")], open: Arc::default(), said: AtomicBool::default() };
        let seat = |text: &str| crowd.seat(ip(text));
        let (one, two) = (seat("203.0.113.9"), seat("::ffff:203.0.113.9"));
        assert!(one.is_ok() && two.is_ok() && seat("203.0.113.9").is_err());
        assert!(seat("203.0.113.10").is_ok());
        let same: Vec<_> = ["2001:db8::1", "2001:db8::2", "2001:db8::3"].map(seat).into_iter().collect();
        assert!(same[0].is_ok() && same[1].is_ok() && same[2].is_err());
        assert!(seat("2001:db8:0:1::1").is_ok());
        let proxy: Vec<_> = (0..9).map(|_| seat("::ffff:10.0.0.1")).collect();
        assert!(proxy.iter().all(|seat| matches!(seat, Ok(None))));
        drop(one);
        assert!(seat("203.0.113.9").is_ok());
        drop((two, same));
        assert!(crowd.open.lock().expect("no panic").is_empty(), "nothing is kept of those who are gone");
    }
}
