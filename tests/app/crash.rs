//! Repeated `kill -9` while users send messages and read answers.

use std::{
    collections::HashSet,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use colloquy::domain::{Author, ChatFilter, ChatId, ChatPage, ClientId, MessageState, StartedRun};
use rand::Rng;
use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, ORIGIN};
use serde_json::json;
use tokio::sync::watch;

use crate::support::{
    app::{TestApp, each_db},
    client::{Client, encode},
    http_client,
    program::{Program, program_on},
    upstream::script,
    visitor::Visitor,
    wait::wait_until,
};

const KILLS: usize = 50;
/// The number of clients that send concurrently, all of one account.
const SENDERS: usize = 6;
/// The number of tokens of an answer; below, the milliseconds between two. Answers last longer than some server runs.
const TOKENS: usize = 25;
const TOKEN_INTERVAL_MS: usize = 15;

/// The limit of concurrent answers per person: high enough that the queue, which has a limit, stays empty.
const ANSWERS_PER_PERSON: &str = "64";

fn program_for_all(app: &TestApp) -> Command {
    let mut command = program_on(app);
    command.env("COLLOQUY_ANSWERS_PER_PERSON", ANSWERS_PER_PERSON);
    command
}

fn origin(program: &Program) -> String {
    format!("http://{}", program.address)
}

/// The state that all senders share.
struct Load {
    client: reqwest::Client,
    cookie: String,
    origin: watch::Receiver<String>,
    is_over: AtomicBool,
    /// Status and body of error responses.
    errors: Mutex<Vec<String>>,
}

impl Load {
    /// Sends messages until the test ends. Returns the acknowledged ones with their texts.
    async fn send_all(self: Arc<Self>) -> Vec<(StartedRun, String)> {
        let mut acknowledged = Vec::new();
        while !self.is_over.load(Ordering::Relaxed) {
            let id = ClientId::random().to_string();
            let text = format!("[[paced {TOKENS} {TOKEN_INTERVAL_MS}]] {id}");
            let sent = loop {
                // Like the browser: the same message with the same client id until it is acknowledged.
                match self.send(&id, &text).await {
                    Ok(sent) => break sent,
                    Err(_) => tokio::time::sleep(Duration::from_millis(25)).await,
                }
            };
            self.read_a_while(&sent).await;
            acknowledged.push((sent, text));
        }
        acknowledged
    }

    async fn send(&self, id: &str, text: &str) -> reqwest::Result<StartedRun> {
        let origin = self.origin.borrow().clone();
        let request = self
            .client
            .post(format!("{origin}/api/send_message"))
            .header(ORIGIN, origin)
            .header("sec-fetch-site", "same-origin")
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(COOKIE, &self.cookie)
            .body(encode(&[("client_id", id), ("text", text)]));
        let response = request.send().await?;
        if let Err(status) = response.error_for_status_ref() {
            let error = format!("{}: {}", response.status(), response.text().await?);
            self.errors.lock().expect("no panic").push(error);
            return Err(status);
        }
        response.json().await
    }

    /// Reads the answer's stream until it ends or breaks, at most 150 ms.
    async fn read_a_while(&self, sent: &StartedRun) {
        let path = format!("{}/chats/{}/runs/{}/events", *self.origin.borrow(), sent.chat, sent.run);
        let request = self.client.get(path).header(ACCEPT, "text/event-stream").header(COOKIE, &self.cookie);
        let reading = async { request.send().await?.bytes().await };
        // The outcome does not matter: the message was acknowledged.
        let _ = tokio::time::timeout(Duration::from_millis(150), reading).await;
    }
}

each_db! {
    async fn c01_b02_fifty_kills_lose_no_acknowledged_message(app: TestApp) {
        let ada = app.administrator().await;
        let cookies: Vec<String> = ada.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        app.stop().await;
        app.state.close().await;

        let mut program = Program::start(program_for_all(&app));
        let (origin_sender, origins) = watch::channel(origin(&program));
        let load = Arc::new(Load {
            client: http_client().timeout(Duration::from_secs(10)).build().expect("a client"),
            cookie: cookies.join("; "),
            origin: origins,
            is_over: AtomicBool::new(false),
            errors: Mutex::default(),
        });
        let senders: Vec<_> = (0..SENDERS).map(|_| tokio::spawn(load.clone().send_all())).collect();
        for _ in 0..KILLS {
            let life = rand::rng().random_range(20..450);
            tokio::time::sleep(Duration::from_millis(life)).await;
            program.kill();
            program = Program::start(program_for_all(&app));
            origin_sender.send_replace(origin(&program));
        }
        // So that some answers complete even on a slow machine.
        let complete = "select state from messages where author = 'assistant' and state = 'complete'";
        wait_until("some answers are complete", async || app.column(complete).await.len() >= SENDERS).await;
        load.is_over.store(true, Ordering::Relaxed);
        let mut acknowledged = Vec::new();
        for sender in senders {
            acknowledged.extend(sender.await.expect("a sender"));
        }
        program.kill();
        assert!(acknowledged.len() > KILLS, "{} messages are no load", acknowledged.len());
        let errors = load.errors.lock().expect("no panic").clone();
        assert!(errors.is_empty(), "a server that answers takes the message: {errors:?}");

        let after = app.second_instance().await;
        let mut reader = after.anonymous();
        reader.cookies = ada.cookies.clone();
        assert_eq!(chats(&mut reader).await, acknowledged.iter().map(|(sent, _)| sent.chat).collect());
        let mut outcomes = [0; 2];
        for (sent, text) in &acknowledged {
            outcomes[usize::from(check(&mut reader, sent, text).await)] += 1;
        }
        assert!(outcomes.iter().all(|count| *count > 0), "kills hit some answers and spare others: {outcomes:?}");
    }
}

/// The ids of all chats. Checks that none is listed twice.
async fn chats(reader: &mut Client) -> HashSet<ChatId> {
    let (mut ids, mut cursor) = (HashSet::new(), None);
    loop {
        let asked = json!({ "filter": ChatFilter::All, "search": "", "cursor": cursor });
        let page: ChatPage = reader.post_json("/api/list_chats", &asked).await.json();
        for chat in page.chats {
            assert!(ids.insert(chat.id), "{} is listed twice", chat.id);
        }
        cursor = page.next;
        if cursor.is_none() {
            return ids;
        }
    }
}

/// Checks that the message is stored unchanged, and that its answer has ended and contains only the model's text.
/// Returns whether the answer is complete.
async fn check(reader: &mut Client, sent: &StartedRun, text: &str) -> bool {
    let last = reader.wait_for_answer(sent.chat).await;
    let messages = reader.chat(sent.chat).await.window.messages;
    assert_eq!(messages.len(), 2, "one message and one answer");
    assert_eq!((messages[0].id, messages[0].author, messages[0].text.as_str()), (sent.message, Author::User, text));
    assert_eq!(last.id, sent.answer);
    let body = json!({ "chat": sent.chat, "message": sent.answer });
    let answer: String = reader.post_json("/api/message_text", &body).await.json();
    let whole = script::text(TOKENS);
    match last.state {
        MessageState::Complete => assert_eq!(answer, whole),
        MessageState::Interrupted => assert!(whole.starts_with(&answer), "{answer:?}"),
        // A kill must not lead to any other state, also if the provider has not responded yet.
        other => panic!("an answer ended as {other:?}"),
    }
    last.state == MessageState::Complete
}

/// An action on a finished answer right before the server is killed.
#[derive(Debug, Clone, Copy)]
enum Action {
    Continue,
    Retry,
    /// Continue; after the restart, delete the chat and undo that.
    ContinueAndDelete,
    /// Delete the chat and undo it immediately.
    DeleteAndUndo,
}

const ACTIONS: [Action; 4] = [Action::Continue, Action::ContinueAndDelete, Action::Retry, Action::DeleteAndUndo];

async fn change(visitor: &Visitor, sent: &StartedRun, action: &str) {
    let chat = sent.chat.to_string();
    let answer = visitor.post("/api/change_chats", &[("chats[]", &chat), ("action", action)]).await;
    assert_eq!(answer.expect("an answer").status(), 200, "{action}");
}

impl Action {
    /// Performs the action. The server is killed as soon as it is acknowledged.
    async fn perform(self, visitor: &Visitor, sent: &StartedRun) {
        let path = match self {
            Self::Continue | Self::ContinueAndDelete => "/api/continue_answer",
            Self::Retry => "/api/retry_answer",
            Self::DeleteAndUndo => {
                change(visitor, sent, "delete").await;
                return change(visitor, sent, "restore").await;
            }
        };
        assert_eq!(visitor.post_for_answer(path, sent).await.expect("an answer").status(), 200, "{path}");
    }
}

/// Stops an answer once it has some text.
async fn stop_with_text(visitor: &Visitor, sent: &StartedRun) {
    wait_until("there is some text", async || !visitor.answer_text(sent).await.is_empty()).await;
    visitor.post_for_answer("/api/stop_answer", sent).await.expect("an answer");
    visitor.wait_for_answer(sent.chat).await;
}

each_db! {
    async fn c01_b02_kills_at_continue_retry_delete_and_undo_lose_no_text(app: TestApp) {
        let ada = app.administrator().await;
        app.stop().await;
        app.state.close().await;
        let mut program = Program::start(program_on(&app));
        let mut visitor = Visitor::new(&ada, &program.address);
        let mut sent = visitor.send_message(None, &format!("[[paced {TOKENS} {TOKEN_INTERVAL_MS}]]")).await;
        stop_with_text(&visitor, &sent).await;
        for round in 0..24 {
            let action = ACTIONS[round % ACTIONS.len()];
            // An empty answer can only be retried.
            let before = visitor.answer_text(&sent).await;
            let action = if before.is_empty() { Action::Retry } else { action };
            let is_complete = visitor.wait_for_answer(sent.chat).await.state == MessageState::Complete;
            if is_complete && matches!(action, Action::Continue | Action::ContinueAndDelete) {
                // A complete answer cannot be continued: the next question starts another one.
                sent = visitor.send_message(Some(sent.chat), &format!("[[paced {TOKENS} {TOKEN_INTERVAL_MS}]]")).await;
                stop_with_text(&visitor, &sent).await;
                continue;
            }
            action.perform(&visitor, &sent).await;
            program.kill();
            program = Program::start(program_on(&app));
            visitor.origin = origin(&program);
            if matches!(action, Action::ContinueAndDelete) {
                change(&visitor, &sent, "delete").await;
                change(&visitor, &sent, "restore").await;
            }
            let last = visitor.wait_for_answer(sent.chat).await;
            if matches!(action, Action::Retry) {
                let id = last.id;
                assert_ne!(id, sent.answer, "another answer");
                assert!(app.answer_text(&sent).await.starts_with(&before), "the one before is kept");
                sent.answer = id;
            } else {
                assert_eq!(last.id, sent.answer);
                let after = visitor.answer_text(&sent).await;
                assert!(after.starts_with(&before), "{action:?} in round {round}: {before:?}, then {after:?}");
            }
        }
        program.kill();
    }
}

each_db! {
    async fn after_a_kill_a_chat_accepts_messages_immediately(app: TestApp) {
        let ada = app.administrator().await;
        app.stop().await;
        app.state.close().await;
        let program = Program::start(program_on(&app));
        let mut visitor = Visitor::new(&ada, &program.address);
        let sent = visitor.send_message(None, "[[paced 300 10]]").await;
        let written = "select state from runs where answer_tokens > 0 and prompt_sections like '%instructions%'";
        wait_until("some text and its prompt are stored", async || {
            !visitor.answer_text(&sent).await.is_empty() && !app.column(written).await.is_empty()
        })
        .await;
        program.kill();
        let program = Program::start(program_on(&app));
        visitor.origin = origin(&program);
        // The lease of the killed server has not expired.
        assert_eq!(visitor.chat(sent.chat).await.window.messages[1].state, MessageState::Interrupted);
        let counted = "select state from messages where state = 'interrupted' and answer_tokens > 0 and prompt_tokens > 0";
        assert_eq!(app.column(counted).await, ["interrupted"], "it is known what the answer has taken");
        visitor.send_message(Some(sent.chat), "and now?").await;
        assert_eq!(visitor.wait_for_answer(sent.chat).await.state, MessageState::Complete);
    }
}
