//! A signed-in client of the running program, over real connections.

use std::time::Duration;

use colloquy::domain::{Chat, ChatId, ClientId, Message, StartedRun};
use reqwest::{
    Response,
    header::{ACCEPT, CONTENT_TYPE, COOKIE, ORIGIN},
};

use serde::de::DeserializeOwned;
use serde_json::json;

use super::{
    client::{Client, encode},
    wait::wait_for,
};

/// A signed-in client.
#[derive(Clone)]
pub struct Visitor {
    client: reqwest::Client,
    cookie: String,
    /// The program's origin, for example `http://127.0.0.1:3000`.
    pub origin: String,
}

impl Visitor {
    /// A client with the session of another one.
    pub fn new(person: &Client, address: &str) -> Self {
        let cookies: Vec<String> = person.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let client = super::http_client().timeout(Duration::from_secs(20)).build().expect("a client");
        Self { client, cookie: cookies.join("; "), origin: format!("http://{address}") }
    }

    /// Sends a GET request.
    pub async fn get(&self, path: &str) -> reqwest::Result<Response> {
        self.client.get(format!("{}{path}", self.origin)).header(COOKIE, &self.cookie).send().await
    }

    /// Calls a server function with a form.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> reqwest::Result<Response> {
        self.send(path, "application/x-www-form-urlencoded", encode(fields)).await
    }

    /// Calls a server function with JSON.
    pub async fn post_json<T: DeserializeOwned>(&self, path: &str, body: &serde_json::Value) -> T {
        let answer = self.send(path, "application/json", body.to_string()).await.expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.expect("JSON")
    }

    async fn send(&self, path: &str, content_type: &str, body: String) -> reqwest::Result<Response> {
        self.client
            .post(format!("{}{path}", self.origin))
            .header(ORIGIN, &self.origin)
            .header("sec-fetch-site", "same-origin")
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, content_type)
            .header(COOKIE, &self.cookie)
            .body(body)
            .send()
            .await
    }

    /// Sends a message, and returns the response whatever its status.
    pub async fn try_send_message(&self, chat: Option<ChatId>, text: &str) -> reqwest::Result<Response> {
        let (id, chat) = (ClientId::random().to_string(), chat.map(|chat| chat.to_string()));
        let mut fields = vec![("client_id", id.as_str()), ("text", text)];
        if let Some(chat) = &chat {
            fields.push(("chat", chat));
        }
        self.post("/api/send_message", &fields).await
    }

    /// Sends a message.
    pub async fn send_message(&self, chat: Option<ChatId>, text: &str) -> StartedRun {
        let answer = self.try_send_message(chat, text).await.expect("an answer");
        assert_eq!(answer.status(), 200);
        answer.json().await.expect("JSON")
    }

    /// Calls a server function that acts on an answer.
    pub async fn post_for_answer(&self, path: &str, sent: &StartedRun) -> reqwest::Result<Response> {
        let (chat, message) = (sent.chat.to_string(), sent.answer.to_string());
        self.post(path, &[("chat", &chat), ("message", &message)]).await
    }

    /// The text of an answer.
    pub async fn answer_text(&self, sent: &StartedRun) -> String {
        self.post_json("/api/message_text", &json!({ "chat": sent.chat, "message": sent.answer })).await
    }

    /// One chat with its newest messages.
    pub async fn chat(&self, chat: ChatId) -> Chat {
        self.post_json("/api/find_chat", &json!({ "chat": chat })).await
    }

    /// Waits until the last message of a chat is no longer open.
    pub async fn wait_for_answer(&self, chat: ChatId) -> Message {
        wait_for("the answer has ended", async || {
            let last = self.chat(chat).await.window.messages.pop().expect("a message");
            (!last.state.is_open()).then_some(last)
        })
        .await
    }
}
