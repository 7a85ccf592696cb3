//! The log of the whole program at the level trace contains no secrets and no user content.

use std::process::Command;

use colloquy::domain::{ClientId, StartedRun};
use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE};
use secrecy::ExposeSecret;

use crate::support::{app::each_db, client::encode, http_client, program::Program};

const CANARY: &str = "CaNaRy";

/// A client of the running program.
struct Browser {
    client: reqwest::Client,
    origin: String,
    cookie: String,
}

impl Browser {
    async fn post(&mut self, function: &str, fields: &[(&str, &str)]) -> reqwest::Response {
        let request = self.client.post(format!("{}/api/{function}", self.origin)).header(ORIGIN, &self.origin);
        let request = request.header("sec-fetch-site", "same-origin").header(ACCEPT, "application/json");
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").header(COOKIE, &self.cookie);
        let answer = request.body(encode(fields)).send().await.expect("an answer");
        if let Some(line) = answer.headers().get(SET_COOKIE).and_then(|line| line.to_str().ok()) {
            line.split(';').next().unwrap_or_default().clone_into(&mut self.cookie);
        }
        answer
    }
}

each_db! {
    async fn l02_the_log_contains_no_user_input_or_secrets_even_at_trace(app: TestApp) {
        app.stop().await;
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command
            .env_clear()
            .current_dir(app.config.data.parent().expect("a folder around the data"))
            .env("COLLOQUY_LISTEN", "127.0.0.1:0")
            .env("COLLOQUY_LOG_FORMAT", "json")
            .env("COLLOQUY_LOG_FILTER", "trace")
            .env("COLLOQUY_DATA", &app.config.data)
            .env("COLLOQUY_DEFAULT_MODEL", "scripted/echo")
            .env("COLLOQUY_PROVIDERS__SCRIPTED__BASE_URL", app.upstream.base_url())
            .env("COLLOQUY_PROVIDERS__SCRIPTED__KEY", format!("key-{CANARY}"))
            .env("COLLOQUY_PROVIDERS__SCRIPTED__MODELS", "echo");
        if let Some(url) = &app.config.database_url {
            command.env("DATABASE_URL", url.expose_secret());
        }
        if let Some(url) = &app.config.redis_url {
            command.env("REDIS_URL", url.expose_secret());
        }
        let program = Program::start(command);
        let origin = format!("http://{}", program.address);
        let mut ada = Browser { client: http_client().build().expect("a client"), origin: origin.clone(), cookie: String::new() };
        let email = format!("{CANARY}@example.org");
        let password = format!("{CANARY} nine red kites at sea");
        let account = [("email", email.as_str()), ("name", CANARY), ("password", &password)];
        assert_eq!(ada.post("sign_up", &account).await.status(), 200);
        let session = ada.cookie.split_once('=').expect("a cookie").1.to_owned();
        let wrong = format!("wrong {CANARY} wrong");
        let mut anonymous = Browser { client: ada.client.clone(), origin, cookie: String::new() };
        assert_eq!(anonymous.post("sign_in", &[("email", &email), ("password", &wrong)]).await.status(), 422);
        assert_eq!(anonymous.post("reset_password", &[("token", CANARY), ("password", &password)]).await.status(), 422);
        let (id, text) = (ClientId::random().to_string(), format!("[[paced 3 5]] {CANARY}"));
        let sent: StartedRun = ada.post("send_message", &[("client_id", &id), ("text", &text)]).await.json().await.expect("an acknowledgement");
        let events = format!("{}/chats/{}/runs/{}/events", ada.origin, sent.chat, sent.run);
        let answer = ada.client.get(events).header(COOKIE, &ada.cookie).send().await.expect("a stream").text().await.expect("all of it");
        assert!(answer.contains("event:"), "{answer}");
        let chat = sent.chat.to_string();
        assert_eq!(ada.post("rename_chat", &[("chat", &chat), ("title", CANARY)]).await.status(), 200);
        assert_eq!(ada.post("change_name", &[("name", &format!("{CANARY} L"))]).await.status(), 200);
        let search = ada.client.get(format!("{}/sessions?q={CANARY}", ada.origin)).header(COOKIE, &ada.cookie);
        assert_eq!(search.send().await.expect("a page").status(), 200);
        program.signal("-TERM");
        let (code, log) = program.wait_for_exit();
        assert_eq!(code, Some(0));
        assert!(log.lines().count() > 10, "it did log: {log}");
        let leaks: Vec<&str> = log.lines().filter(|line| line.to_lowercase().contains(&CANARY.to_lowercase()) || line.contains(&session)).collect();
        assert!(leaks.is_empty(), "{leaks:#?}");
        for line in log.lines() {
            serde_json::from_str::<serde_json::Value>(line).expect("each line is one event");
        }
    }
}
