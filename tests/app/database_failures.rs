//! Database failures: a full disk, I/O errors, locks, a server that stops or does not respond.

mod postgres;
mod sqlite;

use colloquy::domain::{ChatId, MessageState, StartedRun};

use crate::support::{
    app::TestApp,
    client::Client,
    program::{Program, program_on},
    upstream::script,
    visitor::Visitor,
    wait::wait_until,
};

/// The number of tokens of an answer that outlasts the failure; below, the milliseconds between two.
const TOKENS: usize = 400;
const TOKEN_INTERVAL_MS: usize = 10;

/// A message with a long answer.
fn long_prompt() -> String {
    format!("[[paced {TOKENS} {TOKEN_INTERVAL_MS}]]")
}

/// The status of a GET request, 0 if it fails.
async fn status(visitor: &Visitor, path: &str) -> u16 {
    visitor.get(path).await.map_or(0, |answer| answer.status().as_u16())
}

/// Sends a message. Returns the status and body of the response.
async fn try_send(visitor: &Visitor, chat: Option<ChatId>) -> (u16, String) {
    let answer = visitor.try_send_message(chat, "hello").await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("a text"))
}

/// Creates an account, stops the test application, and starts the program on its data.
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

/// Waits for the answer, and checks that it is complete and has every token.
async fn assert_complete(visitor: &Visitor, sent: &StartedRun) {
    assert_eq!(visitor.wait_for_answer(sent.chat).await.state, MessageState::Complete);
    assert_eq!(visitor.answer_text(sent).await, script::text(TOKENS));
}
