//! A cable between the application and a server, which a test can hold or cut.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::watch,
};

/// What happens to what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It arrives.
    Sound,
    /// It waits until the cable is sound again.
    Held,
    /// Connections break, and new ones are refused at once.
    Cut,
}

/// A cable to a server.
pub struct Wire {
    state: watch::Sender<State>,
    /// The port on this machine at which it begins.
    pub port: u16,
}

impl Wire {
    /// A sound one to a server on this machine.
    pub async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let (state, watched) = watch::channel(State::Sound);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if *watched.borrow() == State::Cut {
                    continue;
                }
                tokio::spawn(connect(near, server, watched.clone()));
            }
        });
        Self { state, port }
    }

    /// Changes what happens to what is sent.
    pub fn set(&self, state: State) {
        self.state.send_replace(state);
    }
}

async fn connect(near: TcpStream, server: u16, state: watch::Receiver<State>) {
    let Ok(far) = TcpStream::connect(("127.0.0.1", server)).await else { return };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    let mut cut = state.clone();
    tokio::select! {
        () = carry(near_in, far_out, state.clone()) => {}
        () = carry(far_in, near_out, state) => {}
        _ = cut.wait_for(|state| *state == State::Cut) => {}
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<State>) {
    let mut piece = vec![0; 16_384];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        if state.wait_for(|state| *state != State::Held).await.is_err() || to.write_all(&piece[..length]).await.is_err()
        {
            return;
        }
    }
}
