//! A lightweight HTTP client: one keep-alive connection that sends one request after the other, and sign-in.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use colloquy::domain::{ChatId, ClientId, MessageId, StartedRun};
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response,
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, COOKIE, HOST, ORIGIN, SET_COOKIE},
};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::net::TcpStream;

use crate::Result;

/// The longest time for one response.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(60);
/// The `Accept-Encoding` of browsers over plain HTTP.
pub const BROWSER_ENCODINGS: &str = "gzip, deflate";
/// The password of all accounts.
pub const PASSWORD: &str = "plum-harbor-sextant-41";

/// One connection to the server.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    /// The `Accept-Encoding` header; not sent if empty.
    pub encodings: &'static str,
    /// The `X-Forwarded-For` header; not sent if empty.
    pub forwarded_for: String,
}

/// A response whose body was read to its end.
pub struct Answer {
    pub status: u16,
    pub cookies: Vec<String>,
    pub body: Bytes,
}

impl Answer {
    /// Returns an error if the status is a different one.
    pub fn expect(&self, status: u16) -> Result<()> {
        if self.status == status {
            return Ok(());
        }
        let body: String = String::from_utf8_lossy(&self.body).chars().take(120).collect();
        Err(format!("answered {} instead of {status}: {body}", self.status).into())
    }

    /// The body of a successful response as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        self.expect(200)?;
        Ok(serde_json::from_slice(&self.body)?)
    }
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // Its errors are also returned by the requests on it.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(Self { sender, host: address.to_string(), encodings: "", forwarded_for: String::new() })
    }

    /// Sends a request and returns the response with its body unread. `kind` is `Content-Type` of a POST request, and
    /// `Accept` of others.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        cookie: &str,
        kind: &str,
        body: String,
    ) -> Result<Response<Incoming>> {
        let mut request = Request::builder().method(&method).uri(path).header(HOST, &self.host);
        if method == Method::POST {
            request = request
                .header(ORIGIN, format!("http://{}", self.host))
                .header("sec-fetch-site", "same-origin")
                .header(CONTENT_TYPE, kind)
                .header(ACCEPT, "application/json");
        } else {
            request = request.header(ACCEPT, kind);
        }
        if !cookie.is_empty() {
            request = request.header(COOKIE, cookie);
        }
        if !self.forwarded_for.is_empty() {
            request = request.header("x-forwarded-for", &self.forwarded_for);
        }
        if !self.encodings.is_empty() {
            request = request.header(ACCEPT_ENCODING, self.encodings);
        }
        let request = request.body(Full::new(Bytes::from(body)))?;
        self.sender.ready().await?;
        Ok(tokio::time::timeout(RESPONSE_TIMEOUT, self.sender.send_request(request)).await??)
    }

    async fn request(&mut self, method: Method, path: &str, cookie: &str, kind: &str, body: String) -> Result<Answer> {
        let response = self.send(method, path, cookie, kind, body).await?;
        let (head, body) = response.into_parts();
        let lines = head.headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
        let cookies = lines.filter_map(|line| line.split(';').next()).map(str::to_owned).collect();
        let body = tokio::time::timeout(RESPONSE_TIMEOUT, body.collect()).await??.to_bytes();
        Ok(Answer { status: head.status.as_u16(), cookies, body })
    }

    /// Requests a page.
    pub async fn get(&mut self, path: &str, cookie: &str) -> Result<Answer> {
        self.request(Method::GET, path, cookie, "text/html", String::new()).await
    }

    /// Calls a server function with a form.
    pub async fn post_form(&mut self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Result<Answer> {
        self.request(Method::POST, path, cookie, "application/x-www-form-urlencoded", encode(fields)).await
    }

    /// Sends a message; to a new chat if `chat` is `None`.
    pub async fn send_message(&mut self, cookie: &str, chat: Option<ChatId>, text: &str) -> Result<StartedRun> {
        let (chat, id) = (chat.map(|chat| chat.to_string()), ClientId::random().to_string());
        let mut fields = vec![("client_id", id.as_str()), ("text", text)];
        if let Some(chat) = &chat {
            fields.push(("chat", chat));
        }
        self.post_form("/api/send_message", cookie, &fields).await?.json()
    }

    /// The text of a message as it is stored.
    pub async fn stored_text(&mut self, cookie: &str, chat: ChatId, message: MessageId) -> Result<String> {
        let body = json!({ "chat": chat, "message": message }).to_string();
        self.request(Method::POST, "/api/message_text", cookie, "application/json", body).await?.json()
    }
}

/// A signed-in user.
#[derive(Clone)]
pub struct Person {
    /// The `Cookie` header.
    pub cookie: String,
}

impl Person {
    /// Creates an account with the form.
    pub async fn sign_up(address: SocketAddr, email: &str) -> Result<Self> {
        let form = [("email", email), ("name", "Ada"), ("password", PASSWORD)];
        Self::authenticate(address, "/api/sign_up", &form).await
    }

    /// Signs in with the form.
    pub async fn sign_in(address: SocketAddr, email: &str) -> Result<Self> {
        Self::authenticate(address, "/api/sign_in", &[("email", email), ("password", PASSWORD)]).await
    }

    async fn authenticate(address: SocketAddr, path: &str, form: &[(&str, &str)]) -> Result<Self> {
        let answer = Connection::open(address).await?.post_form(path, "", form).await?;
        answer.expect(200)?;
        if answer.cookies.is_empty() {
            return Err(format!("{path} set no cookie").into());
        }
        Ok(Self { cookie: answer.cookies.join("; ") })
    }
}

/// Encodes fields as `application/x-www-form-urlencoded`.
fn encode(fields: &[(&str, &str)]) -> String {
    let escape = |text: &str| {
        text.bytes().fold(String::new(), |mut out, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("%{byte:02X}"));
            }
            out
        })
    };
    fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect::<Vec<_>>().join("&")
}
