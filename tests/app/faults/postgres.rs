//! PostgreSQL: a server that stops, that does not answer for a while, and whose disk is full.

use colloquy::domain::MessageState;
use secrecy::ExposeSecret;

use super::{is_whole, long, program, say, status, until};
use crate::support::{
    app::{Kept, TestApp},
    program::Program,
    visitor::Visitor,
    wire::{State, Wire},
};

/// A program whose way to PostgreSQL can be held and cut.
async fn wired() -> (TestApp, Wire, Program, Visitor) {
    let app = TestApp::start(Kept::PostgresAndRedis).await;
    let url = app.config.database_url.as_ref().expect("PostgreSQL").expose_secret().to_owned();
    let (before, after) = url.split_once("127.0.0.1:").expect("a server on this machine");
    let (port, name) = after.split_once('/').expect("a database");
    let wire = Wire::to(port.parse().expect("a port")).await;
    let url = format!("{before}127.0.0.1:{}/{name}", wire.port);
    let (_, program, ada) = program(&app, |command| {
        command.env("DATABASE_URL", url);
    })
    .await;
    (app, wire, program, ada)
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_may_stop_during_an_answer() {
    let (_app, wire, _program, ada) = wired().await;
    let sent = ada.say(None, &long()).await;
    until("the answer is written", async || !ada.text(&sent).await.is_empty()).await;
    wire.set(State::Cut);
    let (refused, said) = say(&ada, None).await;
    assert_eq!(refused, 503, "{said}");
    assert_eq!(status(&ada, "/health/ready").await, 503);
    wire.set(State::Sound);
    until("messages are taken again", async || say(&ada, None).await.0 == 200).await;
    assert_eq!(status(&ada, "/health/ready").await, 200);
    is_whole(&ada, &sent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_may_be_slow_during_an_answer() {
    let (_app, wire, _program, ada) = wired().await;
    let sent = ada.say(None, &long()).await;
    until("the answer is written", async || !ada.text(&sent).await.is_empty()).await;
    wire.set(State::Held);
    let slow = tokio::spawn({
        let ada = ada.clone();
        async move { say(&ada, None).await }
    });
    assert_eq!(status(&ada, "/health/ready").await, 503, "it does not answer in time");
    wire.set(State::Sound);
    let (taken, said) = slow.await.expect("no panic");
    assert_eq!(taken, 200, "it came through late: {said}");
    is_whole(&ada, &sent).await;
}

/// PostgreSQL says that its disk is full whenever a message is written.
const FULL: &str = "create function no_room() returns trigger language plpgsql as
    $$ begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$;
    create trigger no_room before insert or update on messages execute function no_room();
    create trigger no_room before insert or update on write_checks execute function no_room()";
const ROOM: &str = "drop trigger no_room on messages; drop trigger no_room on write_checks; drop function no_room";

#[tokio::test(flavor = "multi_thread")]
async fn b04_a_full_disk_is_survived() {
    let app = TestApp::start(Kept::PostgresAndRedis).await;
    let (_, _program, ada) = program(&app, |_| {}).await;
    let kept = ada.say(None, "kept").await;
    assert_eq!(ada.settled(kept.chat).await.state, MessageState::Complete);
    let sent = ada.say(None, &long()).await;
    until("the answer is written", async || !ada.text(&sent).await.is_empty()).await;
    app.execute(FULL).await;
    for _ in 0..3 {
        let (refused, said) = say(&ada, None).await;
        assert_eq!(refused, 503, "{said}");
        assert!(said.contains("disk_full"), "{said}");
        assert_eq!(status(&ada, "/health/ready").await, 503);
        assert_eq!(status(&ada, &format!("/chats/{}", kept.chat)).await, 200, "reading works");
    }
    app.execute(ROOM).await;
    assert_eq!(say(&ada, Some(kept.chat)).await.0, 200);
    assert_eq!(status(&ada, "/health/ready").await, 200);
    is_whole(&ada, &sent).await;
}
