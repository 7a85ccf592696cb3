//! An HTTP client that behaves like a browser: it stores cookies and sends `Origin`. It does not follow redirects.

use std::{collections::BTreeMap, net::SocketAddr};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{
        HeaderMap, Method, Request, StatusCode,
        header::{ACCEPT, CONTENT_TYPE, COOKIE, HOST, ORIGIN, SET_COOKIE},
    },
};
use colloquy::{
    domain::{AppError, ChatId, ClientId, Message, RunSnapshot, RunUpdate, StartedRun},
    server::http::ConnectionAddrs,
};
use futures::{Stream, StreamExt};
use http_body_util::BodyExt;
use serde::{Serialize, de::DeserializeOwned};
use tower::ServiceExt;

use super::wait::{finish, wait_for};

/// The host name in all requests.
pub const HOST_NAME: &str = "127.0.0.1:3000";

/// An HTTP client with the cookies of one browser.
#[derive(Clone)]
pub struct Client {
    router: Router,
    /// Cookies by name.
    pub cookies: BTreeMap<String, String>,
    /// The client's address.
    pub peer: SocketAddr,
    /// The scheme of the page's origin: `http` or `https`.
    pub scheme: &'static str,
}

/// A response whose body was read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {} {}", self.status, self.text()))
    }

    /// The body as an error.
    pub fn error(&self) -> AppError {
        self.json()
    }

    /// The value of a header, empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Client {
    pub fn new(router: Router) -> Self {
        Self { router, cookies: BTreeMap::new(), peer: SocketAddr::from(([127, 0, 0, 1], 40_000)), scheme: "http" }
    }

    /// The same client at another address.
    pub fn at(mut self, peer: &str) -> Self {
        self.peer = SocketAddr::new(peer.parse().expect("an address"), 40_000);
        self
    }

    /// A request with the headers that a browser sends.
    pub fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let mut request = Request::builder().method(method.clone()).uri(path).header(HOST, HOST_NAME);
        if method == Method::POST {
            request = request
                .header(ORIGIN, format!("{}://{HOST_NAME}", self.scheme))
                .header("sec-fetch-site", "same-origin");
        }
        if !self.cookies.is_empty() {
            let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, pairs.join("; "));
        }
        request
    }

    /// Sends a request and returns the response with its body unread.
    pub async fn open(&mut self, mut request: Request<Body>) -> axum::response::Response {
        let local = HOST_NAME.parse().expect("an address");
        request.extensions_mut().insert(ConnectionAddrs { peer: self.peer, local });
        let response = self.router.clone().oneshot(request).await.expect("a router does not fail");
        for line in response.headers().get_all(SET_COOKIE) {
            let line = line.to_str().expect("a cookie in ASCII");
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let (name, value) = pair.split_once('=').expect("a name and a value");
            if attributes.contains("Max-Age=0") || value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        response
    }

    /// Sends a request and reads the response.
    pub async fn send(&mut self, request: Request<Body>) -> Answer {
        let (parts, body) = self.open(request).await.into_parts();
        let body = finish("a whole response", body.collect()).await;
        Answer { status: parts.status, headers: parts.headers, body: body.expect("a whole body").to_bytes() }
    }

    /// Requests a page.
    pub async fn get(&mut self, path: &str) -> Answer {
        let request =
            self.request(Method::GET, path).header(ACCEPT, "text/html").body(Body::empty()).expect("a request");
        self.send(request).await
    }

    /// Calls a server function with JSON.
    pub async fn post_json(&mut self, path: &str, body: &impl Serialize) -> Answer {
        let body = serde_json::to_vec(body).expect("JSON");
        let request = self
            .request(Method::POST, path)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json");
        self.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// Calls a server function with a form, as the page's scripts do.
    pub async fn post_form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_form_as(path, fields, "application/json").await
    }

    /// Submits a form as a browser without scripts does.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_form_as(path, fields, "text/html").await
    }

    async fn post_form_as(&mut self, path: &str, fields: &[(&str, &str)], accept: &str) -> Answer {
        let request = self
            .request(Method::POST, path)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, accept)
            .header("referer", format!("http://{HOST_NAME}/sessions"));
        self.send(request.body(Body::from(encode(fields))).expect("a request")).await
    }

    /// Sends a message. `chat` is `None` for a new chat.
    pub async fn send_message(&mut self, chat: Option<ChatId>, text: &str) -> StartedRun {
        let answer = self.try_send_message(chat, text, ClientId::random()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Sends a message with this client id, and returns the response whatever its status.
    pub async fn try_send_message(&mut self, chat: Option<ChatId>, text: &str, id: ClientId) -> Answer {
        let (chat, id) = (chat.map(|chat| chat.to_string()), id.to_string());
        let mut fields = vec![("client_id", id.as_str()), ("text", text)];
        if let Some(chat) = &chat {
            fields.push(("chat", chat));
        }
        self.post_form("/api/send_message", &fields).await
    }

    /// Opens the stream of a run.
    pub async fn events(
        &mut self,
        sent: &StartedRun,
        last: Option<&str>,
    ) -> (StatusCode, impl Stream<Item = Event> + Unpin + use<>) {
        let path = format!("/chats/{}/runs/{}/events", sent.chat, sent.run);
        let mut request = self.request(Method::GET, &path).header(ACCEPT, "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = self.open(request.body(Body::empty()).expect("a request")).await;
        let status = response.status();
        (status, Box::pin(events(response.into_body())))
    }

    /// Reads a run to its end and returns the final message. Each update must apply to the state before it.
    pub async fn read_to_end(&mut self, sent: &StartedRun) -> Message {
        let (status, mut events) = self.events(sent, None).await;
        assert_eq!(status, 200);
        let mut view = View::default();
        let reading = async {
            while let Some(event) = events.next().await {
                if let Some(message) = view.apply(&event) {
                    return Some(message);
                }
            }
            None
        };
        let end = finish("the end of the answer", reading).await;
        end.unwrap_or_else(|| panic!("the stream ended without an end: {view:?}"))
    }

    /// One chat with its newest messages.
    pub async fn chat(&mut self, chat: ChatId) -> colloquy::domain::Chat {
        let answer = self.post_json("/api/find_chat", &serde_json::json!({ "chat": chat })).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Waits until the last message of a chat is no longer open.
    pub async fn wait_for_answer(&mut self, chat: ChatId) -> Message {
        wait_for("the answer has ended", async || {
            let last = self.chat(chat).await.window.messages.pop().expect("a message");
            (!last.state.is_open()).then_some(last)
        })
        .await
    }
}

/// A page's view of a run.
#[derive(Debug, Default)]
pub struct View {
    /// The current state, `None` before the first event.
    pub snapshot: Option<RunSnapshot>,
    /// The id of the last event, for `Last-Event-ID`.
    pub last: Option<String>,
}

impl View {
    /// Applies an event. Returns the final message if the event is the end of the run.
    pub fn apply(&mut self, event: &Event) -> Option<Message> {
        if event.id.is_some() {
            self.last.clone_from(&event.id);
        }
        match event.name.as_str() {
            "snapshot" => self.snapshot = Some(serde_json::from_str(&event.data).expect("a snapshot")),
            "update" => {
                let update: RunUpdate = serde_json::from_str(&event.data).expect("an update");
                let before = self.snapshot.take().expect("a snapshot comes first");
                self.snapshot = Some(before.apply(&update).expect("an update that fits"));
            }
            "end" => return Some(serde_json::from_str(&event.data).expect("a message")),
            other => assert_eq!(other, "reconnect"),
        }
        None
    }
}

/// A server-sent event.
#[derive(Debug, Clone, Default)]
pub struct Event {
    pub name: String,
    pub id: Option<String>,
    pub data: String,
}

fn events(body: Body) -> impl Stream<Item = Event> {
    let state = (body.into_data_stream(), Vec::new());
    futures::stream::unfold(state, |(mut body, mut buffer)| async move {
        loop {
            if let Some(at) = buffer.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = buffer.drain(..at + 2).collect();
                let event = parse(&String::from_utf8(block).expect("UTF-8"));
                if event.name.is_empty() {
                    continue;
                }
                return Some((event, (body, buffer)));
            }
            buffer.extend_from_slice(&body.next().await?.ok()?);
        }
    })
}

fn parse(block: &str) -> Event {
    let mut event = Event::default();
    for line in block.lines() {
        match line.split_once(": ") {
            Some(("event", name)) => event.name = name.to_owned(),
            Some(("id", id)) => event.id = Some(id.to_owned()),
            Some(("data", data)) => event.data.push_str(data),
            _ => {}
        }
    }
    event
}

/// Encodes fields as `application/x-www-form-urlencoded`.
pub fn encode(fields: &[(&str, &str)]) -> String {
    let escape = |text: &str| {
        text.bytes().fold(String::new(), |mut out, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~[]".contains(&byte) {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("%{byte:02X}"));
            }
            out
        })
    };
    fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect::<Vec<_>>().join("&")
}
