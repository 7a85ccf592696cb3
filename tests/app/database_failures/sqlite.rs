//! SQLite failures: a disk that is full or fails, and a file locked by another process.

use std::time::Duration;

use colloquy::domain::{ClientId, MessageState};
use sqlx::{Connection, Executor, SqliteConnection};

use super::{assert_complete, long_prompt, program, status, try_send};
use crate::support::{
    app::{Backend, TestApp},
    client::Client,
    disk::{Disk, Fault},
    http_client,
    program::{Program, program_on},
    upstream::script,
    wait::wait_until,
};

async fn start() -> TestApp {
    TestApp::start(Backend::Sqlite).await
}

/// Makes writing fail for a while in the middle of an answer, and checks that the server recovers.
async fn fails_and_recovers(fault: Fault, code: &str) {
    let app = start().await;
    let disk = Disk::new(&app.config.data);
    let (_, program, mut ada) = program(&app, |command| disk.attach_to(command)).await;
    let kept = ada.send_message(None, "kept").await;
    ada.wait_for_answer(kept.chat).await;
    let sent = ada.send_message(None, &long_prompt()).await;
    wait_until("the answer is written", async || !ada.answer_text(&sent).await.is_empty()).await;

    disk.fail(fault);
    for _ in 0..3 {
        let (refused, said) = try_send(&ada, None).await;
        assert_eq!(refused, 503, "{said}");
        assert!(said.contains(code), "{said}");
        assert_eq!(status(&ada, "/health/ready").await, 503, "not ready");
        assert_eq!(status(&ada, &format!("/chats/{}", kept.chat)).await, 200, "reading works");
    }
    let path = format!("/chats/{}/runs/{}/events", sent.chat, sent.run);
    let mut events = ada.get(&path).await.expect("a stream");
    let mut read = String::new();
    while !read.contains(r#""save_delayed":true"#) {
        let piece = events.chunk().await.expect("a stream").expect("a chunk");
        read.push_str(&String::from_utf8_lossy(&piece));
    }
    disk.repair();

    // Immediately, and without a restart.
    let (taken, said) = try_send(&ada, Some(kept.chat)).await;
    assert_eq!(taken, 200, "{said}");
    assert_eq!(status(&ada, "/health/ready").await, 200, "ready again");
    assert_complete(&ada, &sent).await;
    program.signal("-TERM");
    let (code, ..) = program.wait_for_exit();
    assert_eq!(code, Some(0), "it stops as usual");
    let program = Program::start(program_on(&app));
    ada.origin = format!("http://{}", program.address);
    assert_complete(&ada, &sent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b04_a_full_disk_is_survived() {
    fails_and_recovers(Fault::Full, "disk_full").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b04_disk_errors_are_survived() {
    fails_and_recovers(Fault::Io, "database_busy").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b04_flush_errors_are_survived() {
    fails_and_recovers(Fault::Flush, "database_busy").await;
}

/// Another connection that locks the database file for writing.
async fn lock(app: &TestApp) -> SqliteConnection {
    let url = format!("sqlite://{}", app.config.data.join("colloquy.db").display());
    let mut other = SqliteConnection::connect(&url).await.expect("the file");
    other.execute("pragma busy_timeout = 10000").await.expect("a setting");
    other.execute("begin immediate").await.expect("the lock");
    other
}

async fn unlock(mut other: SqliteConnection) {
    other.execute("rollback").await.expect("the end of the lock");
}

async fn text(ada: &mut Client, sent: &colloquy::domain::StartedRun) -> String {
    ada.post_json("/api/message_text", &serde_json::json!({ "chat": sent.chat, "message": sent.answer })).await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn c05_a_process_does_not_interrupt_its_own_answers() {
    let app = start().await;
    let mut ada = app.administrator().await;
    let sent = ada.send_message(None, &long_prompt()).await;
    wait_until("there is some text", async || {
        app.state.chats.open_runs() > 0 && !text(&mut ada, &sent).await.is_empty()
    })
    .await;
    let other = lock(&app).await;
    // The lease expires while nothing can be written.
    app.state.clock.advance(60);
    let sweep = tokio::spawn({
        let chats = app.state.chats.clone();
        async move { chats.sweep().await }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    unlock(other).await;
    sweep.await.expect("no panic").expect("a sweep");
    app.state.chats.sweep().await.expect("another one");
    assert_eq!(ada.wait_for_answer(sent.chat).await.state, MessageState::Complete);
    assert_eq!(text(&mut ada, &sent).await, script::text(super::TOKENS));
}

#[tokio::test(flavor = "multi_thread")]
async fn b04_a_locked_file_is_reported_and_survived() {
    let app = start().await;
    let mut ada = app.administrator().await;
    let kept = ada.send_message(None, "kept").await;
    ada.wait_for_answer(kept.chat).await;
    let other = lock(&app).await;
    let refused = ada.try_send_message(None, "hello", ClientId::random()).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(ada.get(&format!("/chats/{}", kept.chat)).await.status, 200, "reading works");
    assert!(app.state.is_ready().await.is_err());
    unlock(other).await;
    assert_eq!(ada.try_send_message(None, "hello", ClientId::random()).await.status, 200);
    assert_eq!(app.state.is_ready().await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_accepts_connections_only_when_it_can_serve() {
    let app = start().await;
    app.stop().await;
    app.state.close().await;
    let other = lock(&app).await;
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("its address").port();
    let mut command = program_on(&app);
    command.env("COLLOQUY_LISTEN", format!("127.0.0.1:{port}"));
    let starting = tokio::task::spawn_blocking(move || Program::start(command));
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let early = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
        assert!(early.is_err(), "the database is not open yet");
    }
    unlock(other).await;
    let program = starting.await.expect("it starts");
    let client = http_client().build().expect("a client");
    let answer = client.get(format!("http://{}/health/ready", program.address)).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
}
