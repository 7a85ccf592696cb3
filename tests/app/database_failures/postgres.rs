//! PostgreSQL failures: a server that stops, that does not respond for a while, and whose disk is full.

use colloquy::domain::MessageState;
use secrecy::ExposeSecret;

use super::{assert_complete, long_prompt, program, status, try_send, wait_until};
use crate::support::{
    app::{Backend, TestApp},
    program::Program,
    tcp_proxy::{ProxyState, TcpProxy},
    visitor::Visitor,
};

/// A program whose connection to PostgreSQL can be paused and cut.
async fn with_proxy() -> (TestApp, TcpProxy, Program, Visitor) {
    let app = TestApp::start(Backend::PostgresAndRedis).await;
    let url = app.config.database_url.as_ref().expect("PostgreSQL").expose_secret().to_owned();
    let (before, after) = url.split_once("127.0.0.1:").expect("a server on this machine");
    let (port, name) = after.split_once('/').expect("a database");
    let proxy = TcpProxy::to(port.parse().expect("a port")).await;
    let url = format!("{before}127.0.0.1:{}/{name}", proxy.port);
    let (_, program, ada) = program(&app, |command| {
        command.env("DATABASE_URL", url);
    })
    .await;
    (app, proxy, program, ada)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_survives_a_stop_of_postgres() {
    let (_app, proxy, _program, ada) = with_proxy().await;
    let sent = ada.send_message(None, &long_prompt()).await;
    wait_until("the answer is written", async || !ada.answer_text(&sent).await.is_empty()).await;
    proxy.set(ProxyState::Cut);
    let (refused, said) = try_send(&ada, None).await;
    assert_eq!(refused, 503, "{said}");
    assert_eq!(status(&ada, "/health/ready").await, 503);
    proxy.set(ProxyState::Forwarding);
    wait_until("messages are taken again", async || try_send(&ada, None).await.0 == 200).await;
    assert_eq!(status(&ada, "/health/ready").await, 200);
    assert_complete(&ada, &sent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_survives_a_slow_postgres() {
    let (_app, proxy, _program, ada) = with_proxy().await;
    let sent = ada.send_message(None, &long_prompt()).await;
    wait_until("the answer is written", async || !ada.answer_text(&sent).await.is_empty()).await;
    proxy.set(ProxyState::Paused);
    let slow = tokio::spawn({
        let ada = ada.clone();
        async move { try_send(&ada, None).await }
    });
    assert_eq!(status(&ada, "/health/ready").await, 503, "it does not answer in time");
    proxy.set(ProxyState::Forwarding);
    let (taken, said) = slow.await.expect("no panic");
    assert_eq!(taken, 200, "it came through late: {said}");
    assert_complete(&ada, &sent).await;
}

/// Makes PostgreSQL report a full disk whenever a message is written.
const MAKE_DISK_FULL: &str = "create function no_room() returns trigger language plpgsql as
    $$ begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$;
    create trigger no_room before insert or update on messages execute function no_room();
    create trigger no_room before insert or update on write_checks execute function no_room()";
const FREE_DISK: &str = "drop trigger no_room on messages; drop trigger no_room on write_checks; drop function no_room";

#[tokio::test(flavor = "multi_thread")]
async fn b04_a_full_disk_is_survived() {
    let app = TestApp::start(Backend::PostgresAndRedis).await;
    let (_, _program, ada) = program(&app, |_| {}).await;
    let kept = ada.send_message(None, "kept").await;
    assert_eq!(ada.wait_for_answer(kept.chat).await.state, MessageState::Complete);
    let sent = ada.send_message(None, &long_prompt()).await;
    wait_until("the answer is written", async || !ada.answer_text(&sent).await.is_empty()).await;
    app.execute(MAKE_DISK_FULL).await;
    for _ in 0..3 {
        let (refused, said) = try_send(&ada, None).await;
        assert_eq!(refused, 503, "{said}");
        assert!(said.contains("disk_full"), "{said}");
        assert_eq!(status(&ada, "/health/ready").await, 503);
        assert_eq!(status(&ada, &format!("/chats/{}", kept.chat)).await, 200, "reading works");
    }
    app.execute(FREE_DISK).await;
    assert_eq!(try_send(&ada, Some(kept.chat)).await.0, 200);
    assert_eq!(status(&ada, "/health/ready").await, 200);
    assert_complete(&ada, &sent).await;
}
