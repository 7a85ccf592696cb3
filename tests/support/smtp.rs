//! A mail server on a free loopback port: accepts mails, rejects them, or does not respond.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::{Engine, engine::general_purpose::STANDARD};
use colloquy::{
    domain::JobKind,
    server::{config::MailConfig, state::AppState},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use super::wait::wait_for;

/// What the server does with a connection. Recipients that begin with `nobody` are always rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Accepts every mail.
    Accept,
    /// Rejects `MAIL FROM` with a temporary error.
    Reject,
    /// Sends nothing, not even the greeting.
    Hang,
    /// Accepts every mail, but confirms it only after [`Smtp::confirm`].
    DelayConfirmation,
    /// Replies to lines that begin with the first text with the second one, or disconnects if that is empty. `HELLO`
    /// stands for a new connection, `.` for the end of a mail.
    Reply(&'static str, &'static str),
}

/// An accepted mail.
#[derive(Debug, Clone, Default)]
pub struct ReceivedMail {
    /// The sender of the envelope.
    pub from: String,
    /// The recipients of the envelope.
    pub to: Vec<String>,
    /// Header and body as received.
    pub data: String,
}

impl ReceivedMail {
    /// The value of a header on a single line.
    pub fn header(&self, name: &str) -> &str {
        let head = self.data.split("\r\n\r\n").next().unwrap_or_default();
        let line = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_default()
    }

    /// The decoded part of this type.
    pub fn part(&self, kind: &str) -> String {
        let from = self.data.find(&format!("Content-Type: {kind}")).expect("such a part");
        let (head, rest) = self.data[from..].split_once("\r\n\r\n").expect("a head of the part");
        // The whole boundary: a line of a quoted-printable body can begin with two hyphens of a token.
        let boundary = self.data.split_once("boundary=\"").and_then(|(_, rest)| rest.split_once('"'));
        let end = format!("\r\n--{}", boundary.expect("a boundary").0);
        let body = rest.split(&end).next().unwrap_or_default();
        let encoding = head.lines().find_map(|line| line.strip_prefix("Content-Transfer-Encoding: ")).unwrap_or("7bit");
        match encoding {
            "7bit" => body.to_owned(),
            "base64" => {
                let bytes = STANDARD.decode(body.replace("\r\n", "")).expect("base64");
                String::from_utf8(bytes).expect("UTF-8")
            }
            "quoted-printable" => quoted_printable(body),
            other => panic!("an encoding that this server does not know: {other}"),
        }
    }

    /// The only link of the mail.
    pub fn link(&self) -> String {
        let text = self.part("text/plain");
        let links: Vec<&str> = text.split_whitespace().filter(|word| word.contains("://")).collect();
        assert_eq!(links.len(), 1, "{text}");
        links[0].to_owned()
    }

    /// The token of the link.
    pub fn token(&self) -> String {
        self.link().split_once('=').expect("a token").1.to_owned()
    }
}

fn quoted_printable(body: &str) -> String {
    let body = body.replace("=\r\n", "");
    let (mut bytes, mut rest) = (Vec::new(), body.as_bytes());
    while let [first, tail @ ..] = rest {
        if *first == b'=' {
            let hex = std::str::from_utf8(&tail[..2]).expect("two digits");
            bytes.push(u8::from_str_radix(hex, 16).expect("two digits"));
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// The running mail server.
#[derive(Clone)]
pub struct Smtp {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    behaviour: Mutex<Behaviour>,
    mails: Mutex<Vec<ReceivedMail>>,
    connections: AtomicUsize,
    confirm: Notify,
}

impl Smtp {
    /// Starts a server that accepts every mail.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            behaviour: Mutex::new(Behaviour::Accept),
            mails: Mutex::default(),
            connections: AtomicUsize::new(0),
            confirm: Notify::new(),
        });
        let server = Self { address, shared };
        let accepting = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepting.shared.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(accepting.clone().serve(stream));
            }
        });
        server
    }

    /// A configuration for this server.
    pub fn config(&self) -> MailConfig {
        MailConfig {
            smtp_url: format!("smtp://{}", self.address).into(),
            from: "Colloquy <chat@example.org>".to_owned(),
        }
    }

    /// A configuration for this server, with a user name and a password.
    pub fn config_with_login(&self) -> MailConfig {
        MailConfig { smtp_url: format!("smtp://chat:s%3Acret@{}", self.address).into(), ..self.config() }
    }

    /// Changes the behaviour for new connections.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().expect("a behaviour") = behaviour;
    }

    /// Confirms the mail that is waiting.
    pub fn confirm(&self) {
        self.shared.confirm.notify_one();
    }

    /// The number of connections so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// All mails so far.
    pub fn received(&self) -> Vec<ReceivedMail> {
        self.shared.mails.lock().expect("mails").clone()
    }

    /// Waits for `count` mails to this recipient and returns them in order of arrival.
    pub async fn mails_to(&self, app: &AppState, recipient: &str, count: usize) -> Vec<ReceivedMail> {
        self.wait(app, count, |mail| mail.to == [recipient]).await
    }

    /// Waits for `count` mails and returns them.
    pub async fn wait_for_mails(&self, app: &AppState, count: usize) -> Vec<ReceivedMail> {
        self.wait(app, count, |_| true).await
    }

    async fn wait(&self, app: &AppState, count: usize, fits: impl Fn(&ReceivedMail) -> bool) -> Vec<ReceivedMail> {
        let mails = wait_for(&format!("there are {count} mails"), async || {
            app.jobs.drain(JobKind::SendMail).await.expect("a queue");
            let mut mails = self.received();
            mails.retain(&fits);
            (mails.len() >= count).then_some(mails)
        })
        .await;
        assert_eq!(mails.len(), count, "too many mails: {mails:#?}");
        mails
    }

    /// Waits for `count` mails to this recipient and returns the newest.
    pub async fn newest_mail_to(&self, app: &AppState, recipient: &str, count: usize) -> ReceivedMail {
        self.mails_to(app, recipient, count).await.pop().expect("a mail")
    }

    async fn serve(self, mut stream: TcpStream) {
        let behaviour = *self.shared.behaviour.lock().expect("a behaviour");
        if behaviour == Behaviour::Hang {
            // Until the client gives up.
            let _ = stream.read(&mut [0]).await;
            return;
        }
        let (reader, mut writer) = tokio::io::split(stream);
        let mut lines = BufReader::new(reader).lines();
        let mut mail = ReceivedMail::default();
        let scripted = |line: &str| match behaviour {
            Behaviour::Reply(begin, answer) if line.to_ascii_uppercase().starts_with(begin) => Some(answer.to_owned()),
            _ => None,
        };
        let mut answer = scripted("HELLO").unwrap_or_else(|| "220 sink ESMTP".to_owned());
        loop {
            if answer.is_empty() {
                return;
            }
            if writer.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
                return;
            }
            let Ok(Some(line)) = lines.next_line().await else { return };
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            if let Some(other) = scripted(&line) {
                answer = other;
                continue;
            }
            answer = match verb.as_str() {
                "EHLO" => "250-sink\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME".to_owned(),
                "AUTH" => "235 welcome".to_owned(),
                "MAIL" if behaviour == Behaviour::Reject => "451 busy, come back later".to_owned(),
                "MAIL" => {
                    mail = ReceivedMail { from: address_in(&line), ..ReceivedMail::default() };
                    "250 ok".to_owned()
                }
                "RCPT" if address_in(&line).starts_with("nobody") => "550 no such user here".to_owned(),
                "RCPT" => {
                    mail.to.push(address_in(&line));
                    "250 ok".to_owned()
                }
                "DATA" => {
                    if writer.write_all(b"354 go on\r\n").await.is_err() {
                        return;
                    }
                    while let Ok(Some(line)) = lines.next_line().await {
                        if line == "." {
                            break;
                        }
                        mail.data.push_str(line.strip_prefix('.').unwrap_or(&line));
                        mail.data.push_str("\r\n");
                    }
                    let received = std::mem::take(&mut mail);
                    let answer = scripted(".").unwrap_or_else(|| {
                        self.shared.mails.lock().expect("mails").push(received);
                        "250 taken".to_owned()
                    });
                    if behaviour == Behaviour::DelayConfirmation {
                        self.shared.confirm.notified().await;
                    }
                    answer
                }
                "QUIT" => {
                    let _ = writer.write_all(b"221 bye\r\n").await;
                    return;
                }
                _ => "502 not here".to_owned(),
            };
        }
    }
}

fn address_in(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or("", |(inner, _)| inner).to_owned()
}
