//! `kill -9`, again and again, while people send messages and read answers.

use std::{
    collections::HashSet,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use colloquy::domain::{Author, ChatFilter, ChatId, ChatPage, ClientId, MessageState, Sent};
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
};

const KILLS: usize = 50;
/// People (all of one account) who send at once.
const SENDERS: usize = 6;
/// Tokens of an answer, and milliseconds between two: answers last longer than some lives of the server.
const TOKENS: usize = 25;
const PACE: usize = 15;

/// Answers of one person at once: so many that no line forms, whose length has a limit.
const AT_ONCE: &str = "64";

fn program_for_all(app: &TestApp) -> Command {
    let mut command = program_on(app);
    command.env("COLLOQUY_ANSWERS_PER_PERSON", AT_ONCE);
    command
}

fn origin(program: &Program) -> String {
    format!("http://{}", program.address)
}

/// What all senders know.
struct Load {
    client: reqwest::Client,
    cookie: String,
    origin: watch::Receiver<String>,
    is_over: AtomicBool,
    /// What answers that were no success said.
    refused: Mutex<Vec<String>>,
}

impl Load {
    /// Sends messages until it is over; gives those that were acknowledged, with their texts.
    async fn send_all(self: Arc<Self>) -> Vec<(Sent, String)> {
        let mut acknowledged = Vec::new();
        while !self.is_over.load(Ordering::Relaxed) {
            let id = ClientId::random().to_string();
            let text = format!("[[paced {TOKENS} {PACE}]] {id}");
            let sent = loop {
                // As a person's browser does: the same message under the same id, until it is acknowledged.
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

    async fn send(&self, id: &str, text: &str) -> reqwest::Result<Sent> {
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
        if let Err(refusal) = response.error_for_status_ref() {
            let said = format!("{}: {}", response.status(), response.text().await?);
            self.refused.lock().expect("no panic").push(said);
            return Err(refusal);
        }
        response.json().await
    }

    /// Reads the answer's stream until it ends or breaks, or for a moment.
    async fn read_a_while(&self, sent: &Sent) {
        let path = format!("{}/chats/{}/runs/{}/events", *self.origin.borrow(), sent.chat, sent.run);
        let request = self.client.get(path).header(ACCEPT, "text/event-stream").header(COOKIE, &self.cookie);
        let reading = async { request.send().await?.bytes().await };
        // Whatever happens to it, the message was acknowledged.
        let _ = tokio::time::timeout(Duration::from_millis(150), reading).await;
    }
}

each_db! {
    async fn c01_b02_nothing_acknowledged_is_lost_by_fifty_kills(app: TestApp) {
        let ada = app.administrator().await;
        let cookies: Vec<String> = ada.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        app.stop().await;
        app.state.close().await;

        let mut program = Program::start(program_for_all(&app));
        let (tell, origins) = watch::channel(origin(&program));
        let load = Arc::new(Load {
            client: http_client().timeout(Duration::from_secs(10)).build().expect("a client"),
            cookie: cookies.join("; "),
            origin: origins,
            is_over: AtomicBool::new(false),
            refused: Mutex::default(),
        });
        let senders: Vec<_> = (0..SENDERS).map(|_| tokio::spawn(load.clone().send_all())).collect();
        for _ in 0..KILLS {
            let life = rand::rng().random_range(20..450);
            tokio::time::sleep(Duration::from_millis(life)).await;
            program.kill();
            program = Program::start(program_for_all(&app));
            tell.send_replace(origin(&program));
        }
        // However slow the machine is, some answers come to their end.
        tokio::time::sleep(Duration::from_secs(3)).await;
        load.is_over.store(true, Ordering::Relaxed);
        let mut acknowledged = Vec::new();
        for sender in senders {
            acknowledged.extend(sender.await.expect("a sender"));
        }
        program.kill();
        assert!(acknowledged.len() > KILLS, "{} messages are no load", acknowledged.len());
        let refused = load.refused.lock().expect("no panic").clone();
        assert!(refused.is_empty(), "a server that answers takes the message: {refused:?}");

        let after = app.another().await;
        let mut reader = after.stranger();
        reader.cookies = ada.cookies.clone();
        assert_eq!(chats(&mut reader).await, acknowledged.iter().map(|(sent, _)| sent.chat).collect());
        let mut outcomes = [0; 2];
        for (sent, text) in &acknowledged {
            outcomes[usize::from(check(&mut reader, sent, text).await)] += 1;
        }
        assert!(outcomes.iter().all(|count| *count > 0), "kills hit some answers and spare others: {outcomes:?}");
    }
}

/// Ids of all chats; nothing was written twice.
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

/// The message is there as it was written, its answer has ended, and holds nothing but what the model said. True if
/// the answer is complete.
async fn check(reader: &mut Client, sent: &Sent, text: &str) -> bool {
    let last = reader.settled(sent.chat).await;
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
        // The kill also cuts a request that the provider has not answered yet.
        other => panic!("an answer ended as {other:?}"),
    }
    last.state == MessageState::Complete
}

/// What a person does with an answer that has ended, right before the server is killed.
#[derive(Debug, Clone, Copy)]
enum Act {
    Continue,
    Retry,
    /// Continue, then delete the chat, and undo that after the restart.
    ContinueAndDelete,
    /// Delete the chat and undo it at once.
    DeleteAndUndo,
}

const ACTS: [Act; 4] = [Act::Continue, Act::ContinueAndDelete, Act::Retry, Act::DeleteAndUndo];

async fn change(visitor: &Visitor, sent: &Sent, action: &str) {
    let chat = sent.chat.to_string();
    let answer = visitor.post("/api/change_chats", &[("chats[]", &chat), ("action", action)]).await;
    assert_eq!(answer.expect("an answer").status(), 200, "{action}");
}

impl Act {
    /// Does it; the server is killed as soon as this was acknowledged.
    async fn before_the_kill(self, visitor: &Visitor, sent: &Sent) {
        let path = match self {
            Self::Continue | Self::ContinueAndDelete => "/api/continue_answer",
            Self::Retry => "/api/retry_answer",
            Self::DeleteAndUndo => {
                change(visitor, sent, "delete").await;
                return change(visitor, sent, "restore").await;
            }
        };
        assert_eq!(visitor.act(path, sent).await.expect("an answer").status(), 200, "{path}");
    }
}

each_db! {
    async fn c01_b02_kills_at_continue_retry_delete_and_undo_cost_no_word(app: TestApp) {
        let ada = app.administrator().await;
        app.stop().await;
        app.state.close().await;
        let mut program = Program::start(program_on(&app));
        let mut visitor = Visitor::new(&ada, &program.address);
        let mut sent = visitor.say(None, &format!("[[paced {TOKENS} {PACE}]]")).await;
        tokio::time::sleep(Duration::from_millis(150)).await;
        visitor.act("/api/stop_answer", &sent).await.expect("an answer");
        visitor.settled(sent.chat).await;
        for round in 0..24 {
            let act = ACTS[round % ACTS.len()];
            // An answer without a word can only be written anew.
            let before = visitor.text(&sent).await;
            let act = if before.is_empty() { Act::Retry } else { act };
            let is_complete = visitor.settled(sent.chat).await.state == MessageState::Complete;
            if is_complete && matches!(act, Act::Continue | Act::ContinueAndDelete) {
                // It was completed: the next question begins the next answer.
                sent = visitor.say(Some(sent.chat), &format!("[[paced {TOKENS} {PACE}]]")).await;
                tokio::time::sleep(Duration::from_millis(120)).await;
                visitor.act("/api/stop_answer", &sent).await.expect("an answer");
                visitor.settled(sent.chat).await;
                continue;
            }
            act.before_the_kill(&visitor, &sent).await;
            program.kill();
            program = Program::start(program_on(&app));
            visitor.origin = origin(&program);
            if matches!(act, Act::ContinueAndDelete) {
                change(&visitor, &sent, "delete").await;
                change(&visitor, &sent, "restore").await;
            }
            let last = visitor.settled(sent.chat).await;
            if matches!(act, Act::Retry) {
                let id = last.id;
                assert_ne!(id, sent.answer, "another answer");
                assert!(app.answer_text(&sent).await.starts_with(&before), "the one before is kept");
                sent.answer = id;
            } else {
                assert_eq!(last.id, sent.answer);
                let after = visitor.text(&sent).await;
                assert!(after.starts_with(&before), "{act:?} in round {round}: {before:?}, then {after:?}");
            }
        }
        program.kill();
    }
}

each_db! {
    async fn after_a_kill_a_chat_takes_messages_at_once(app: TestApp) {
        let ada = app.administrator().await;
        app.stop().await;
        app.state.close().await;
        let program = Program::start(program_on(&app));
        let mut visitor = Visitor::new(&ada, &program.address);
        let sent = visitor.say(None, "[[paced 300 10]]").await;
        let written = "select state from runs where answer_tokens > 0 and prompt_sections like '%instructions%'";
        while visitor.text(&sent).await.is_empty() || app.column(written).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        program.kill();
        let program = Program::start(program_on(&app));
        visitor.origin = origin(&program);
        // The lease of the killed one has not run out.
        assert_eq!(visitor.chat(sent.chat).await.window.messages[1].state, MessageState::Interrupted);
        let counted = "select state from messages where state = 'interrupted' and answer_tokens > 0 and prompt_tokens > 0";
        assert_eq!(app.column(counted).await, ["interrupted"], "it is known what the answer has taken");
        visitor.say(Some(sent.chat), "and now?").await;
        assert_eq!(visitor.settled(sent.chat).await.state, MessageState::Complete);
    }
}
