//! A mail server on a free port of the loopback device: takes mails, refuses them, or says nothing.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use colloquy::{
    domain::JobKind,
    server::{config::MailConfig, state::AppState},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

/// What the server does with those who come. Nobody ever has an address that begins with `nobody`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Takes every mail.
    Takes,
    /// Says at `MAIL FROM` that it is busy.
    Refuses,
    /// Does not even greet.
    Hangs,
    /// Takes every mail, and says so only after [`Smtp::go_on`].
    Hesitates,
    /// Answers lines that begin with the first text with the second one, or hangs up where that is empty. `HELLO` stands
    /// for whoever connects, `.` for the end of a mail.
    Says(&'static str, &'static str),
}

/// A mail that was taken.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    /// The sender of the envelope.
    pub from: String,
    /// The recipients of the envelope.
    pub to: Vec<String>,
    /// Head and body as they came.
    pub data: String,
}

impl Taken {
    /// The value of a header that stands on one line.
    pub fn header(&self, name: &str) -> &str {
        let head = self.data.split("\r\n\r\n").next().unwrap_or_default();
        let line = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_default()
    }

    /// The decoded part of this type.
    pub fn part(&self, kind: &str) -> String {
        let from = self.data.find(&format!("Content-Type: {kind}")).expect("such a part");
        let (head, rest) = self.data[from..].split_once("\r\n\r\n").expect("a head of the part");
        let body = rest.split("\r\n--").next().unwrap_or_default();
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
    mood: Mutex<Mood>,
    taken: Mutex<Vec<Taken>>,
    connections: AtomicUsize,
    go_on: Notify,
}

impl Smtp {
    /// Starts one that takes every mail.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            mood: Mutex::new(Mood::Takes),
            taken: Mutex::default(),
            connections: AtomicUsize::new(0),
            go_on: Notify::new(),
        });
        let server = Self { address, shared };
        let accepting = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepting.shared.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(accepting.clone().talk(stream));
            }
        });
        server
    }

    /// The configuration that leads here.
    pub fn config(&self) -> MailConfig {
        MailConfig {
            smtp_url: format!("smtp://{}", self.address).into(),
            from: "Colloquy <chat@example.org>".to_owned(),
        }
    }

    /// The configuration that leads here and signs in.
    pub fn config_with_login(&self) -> MailConfig {
        MailConfig { smtp_url: format!("smtp://chat:s%3Acret@{}", self.address).into(), ..self.config() }
    }

    /// Changes what it does with those who come from now on.
    pub fn becomes(&self, mood: Mood) {
        *self.shared.mood.lock().expect("a mood") = mood;
    }

    /// Says at last that a mail was taken.
    pub fn go_on(&self) {
        self.shared.go_on.notify_one();
    }

    /// How many have come.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// What was taken so far.
    pub fn taken(&self) -> Vec<Taken> {
        self.shared.taken.lock().expect("mails").clone()
    }

    /// The mails to somebody, once there are so many; in the order in which they came.
    pub async fn mails_to(&self, app: &AppState, recipient: &str, count: usize) -> Vec<Taken> {
        self.wait(app, count, |mail| mail.to == [recipient]).await
    }

    /// All mails, once there are so many.
    pub async fn taken_by(&self, app: &AppState, count: usize) -> Vec<Taken> {
        self.wait(app, count, |_| true).await
    }

    async fn wait(&self, app: &AppState, count: usize, fits: impl Fn(&Taken) -> bool) -> Vec<Taken> {
        for _ in 0..200 {
            app.jobs.drain(JobKind::SendMail).await.expect("a queue");
            let mut mails = self.taken();
            mails.retain(&fits);
            if mails.len() >= count {
                assert_eq!(mails.len(), count, "too many mails: {mails:#?}");
                return mails;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("fewer than {count} mails: {:#?}", self.taken());
    }

    /// The newest of so many mails to somebody.
    pub async fn newest_to(&self, app: &AppState, recipient: &str, count: usize) -> Taken {
        self.mails_to(app, recipient, count).await.pop().expect("a mail")
    }

    async fn talk(self, stream: TcpStream) {
        let mood = *self.shared.mood.lock().expect("a mood");
        if mood == Mood::Hangs {
            // Until the other side gives up.
            let _ = stream.readable().await;
            return;
        }
        let (reader, mut writer) = tokio::io::split(stream);
        let mut lines = BufReader::new(reader).lines();
        let mut mail = Taken::default();
        let said = |line: &str| match mood {
            Mood::Says(begin, answer) if line.to_ascii_uppercase().starts_with(begin) => Some(answer.to_owned()),
            _ => None,
        };
        let mut answer = said("HELLO").unwrap_or_else(|| "220 sink ESMTP".to_owned());
        loop {
            if answer.is_empty() {
                return;
            }
            if writer.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
                return;
            }
            let Ok(Some(line)) = lines.next_line().await else { return };
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            if let Some(other) = said(&line) {
                answer = other;
                continue;
            }
            answer = match verb.as_str() {
                "EHLO" => "250-sink\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME".to_owned(),
                "AUTH" => "235 welcome".to_owned(),
                "MAIL" if mood == Mood::Refuses => "451 busy, come back later".to_owned(),
                "MAIL" => {
                    mail = Taken { from: between(&line), ..Taken::default() };
                    "250 ok".to_owned()
                }
                "RCPT" if between(&line).starts_with("nobody") => "550 no such user here".to_owned(),
                "RCPT" => {
                    mail.to.push(between(&line));
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
                    let taken = std::mem::take(&mut mail);
                    let answer = said(".").unwrap_or_else(|| {
                        self.shared.taken.lock().expect("mails").push(taken);
                        "250 taken".to_owned()
                    });
                    if mood == Mood::Hesitates {
                        self.shared.go_on.notified().await;
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

fn between(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or("", |(inner, _)| inner).to_owned()
}
