//! A TCP proxy between the application and a server, which a test can pause or cut.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::watch,
};

/// What the proxy does with data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyState {
    /// It is forwarded.
    Forwarding,
    /// It waits until the proxy forwards again.
    Paused,
    /// Connections break, and new ones are closed immediately.
    Cut,
}

/// A TCP proxy to a server.
pub struct TcpProxy {
    state: watch::Sender<ProxyState>,
    /// The local port it listens on.
    pub port: u16,
}

impl TcpProxy {
    /// Starts a forwarding proxy to a server on this port of the local machine.
    pub async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let (state, watched) = watch::channel(ProxyState::Forwarding);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if *watched.borrow() == ProxyState::Cut {
                    continue;
                }
                tokio::spawn(connect(near, server, watched.clone()));
            }
        });
        Self { state, port }
    }

    /// Changes what happens to data.
    pub fn set(&self, state: ProxyState) {
        self.state.send_replace(state);
    }
}

async fn connect(near: TcpStream, server: u16, state: watch::Receiver<ProxyState>) {
    let Ok(far) = TcpStream::connect(("127.0.0.1", server)).await else { return };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    let mut cut = state.clone();
    tokio::select! {
        () = forward(near_in, far_out, state.clone()) => {}
        () = forward(far_in, near_out, state) => {}
        _ = cut.wait_for(|state| *state == ProxyState::Cut) => {}
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<ProxyState>) {
    let mut chunk = vec![0; 16_384];
    while let Ok(length @ 1..) = from.read(&mut chunk).await {
        if state.wait_for(|state| *state != ProxyState::Paused).await.is_err()
            || to.write_all(&chunk[..length]).await.is_err()
        {
            return;
        }
    }
}
