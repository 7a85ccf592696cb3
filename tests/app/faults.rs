//! Databases that fail: a full disk, I/O errors, locks, a server that stops or does not answer.

mod postgres;
mod sqlite;

use std::time::Duration;

use colloquy::domain::{ChatId, MessageState, Sent};

use crate::support::{
    app::TestApp,
    client::Client,
    program::{Program, program_on},
    upstream::script,
    visitor::Visitor,
};

/// Tokens of an answer that goes on for longer than the fault lasts, and milliseconds between two.
const TOKENS: usize = 400;
const PACE: usize = 10;

/// A long answer.
fn long() -> String {
    format!("[[paced {TOKENS} {PACE}]]")
}

/// Waits until something is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("in vain: {what}");
}

/// The status of a page or of a check.
async fn status(visitor: &Visitor, path: &str) -> u16 {
    visitor.get(path).await.map_or(0, |answer| answer.status().as_u16())
}

/// The status that a message gets, and what is said with it.
async fn say(visitor: &Visitor, chat: Option<ChatId>) -> (u16, String) {
    let answer = visitor.try_say(chat, "hello").await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("a text"))
}

/// An account, and the program on its data in place of the application.
async fn program(app: &TestApp, change: impl FnOnce(&mut std::process::Command)) -> (Client, Program, Visitor) {
    let ada = app.administrator().await;
    app.stop().await;
    app.state.close().await;
    let mut command = program_on(app);
    change(&mut command);
    let program = Program::start(command);
    let visitor = Visitor::new(&ada, &program.address);
    (ada, program, visitor)
}

/// The answer is complete, and holds every token.
async fn is_whole(visitor: &Visitor, sent: &Sent) {
    assert_eq!(visitor.settled(sent.chat).await.state, MessageState::Complete);
    assert_eq!(visitor.text(sent).await, script::text(TOKENS));
}
