//! Concurrent changes of the same rows.

use colloquy::{
    domain::{ChatAction, ChatId, MessageId, UserId},
    server::{
        audit::RequestMeta,
        store::{NewMessage, Node, Tx},
    },
};
use secrecy::ExposeSecret;
use sqlx::{Connection, Executor, PgConnection};

use crate::{
    maintenance::{change, count, user},
    support::{
        app::{Backend, TestApp, each_db},
        client::Client,
        wait::wait_until,
    },
};

const DAY: i64 = 86_400;

/// Begins to write a message in a chat of Ada's, in a transaction that is not committed.
async fn begin_message(app: &TestApp, tx: &mut Tx, chat: ChatId) {
    let owner = {
        let found = tx.find_user_by_email("ada@example.org").await.expect("a row");
        found.expect("Ada").id
    };
    let now = app.state.clock.now();
    let head = tx.owned_by(owner).lock_chat_for_writing(chat, "m", now).await.expect("a row");
    assert!(head.is_some());
}

/// On PostgreSQL, waits until this many connections wait for a lock.
async fn until_waiting(app: &TestApp, connections: usize) {
    if app.backend() == Backend::Sqlite {
        return;
    }
    let sql =
        "select application_name from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    wait_until("connections wait", async || app.column(sql).await.len() >= connections).await;
}

each_db! {
    async fn a_chat_with_a_concurrent_message_does_not_expire(app: TestApp) {
        let app = TestApp::start_with(app.backend(), |config| config.retention_days = Some(10)).await;
        let mut ada = app.administrator().await;
        let spoken = ada.send_message(None, "spoken in").await;
        ada.wait_for_answer(spoken.chat).await;
        let silent = ada.send_message(None, "silent").await;
        ada.wait_for_answer(silent.chat).await;
        app.state.clock.advance(11 * DAY);
        let mut tx = app.state.store.write().await.expect("a unit");
        begin_message(&app, &mut tx, spoken.chat).await;
        let privacy = app.state.privacy.clone();
        let expiring = tokio::spawn(async move { privacy.apply_retention().await });
        until_waiting(&app, 1).await;
        tx.commit().await.expect("a commit");
        expiring.await.expect("no panic").expect("a pass");
        assert_eq!(app.column("select title from chats where deleted_at is null").await, ["spoken in"]);
    }
}

each_db! {
    async fn a_message_that_waits_for_the_chat_follows_the_concurrent_one(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "first").await;
        ada.wait_for_answer(sent.chat).await;
        let (owner, now) = (user(&app, "ada@example.org").await, app.state.clock.now());
        let mut tx = app.state.store.write().await.expect("a unit");
        let mut own = tx.owned_by(owner);
        let parent = own.lock_chat_for_writing(sent.chat, "m", now).await.expect("a row").expect("the chat");
        assert_eq!(parent, Some(Node { id: sent.answer, depth: 1 }));
        let id = MessageId::from_uuid(app.state.clock.new_id());
        let (author, state, text) = ("user", "complete", "second");
        let message =
            NewMessage { id, chat: sent.chat, parent, author, state, text, model: None, model_label: None, client_id: None, now };
        own.insert_message(&message).await.expect("a message");
        own.update_head(sent.chat, id, None).await.expect("a head");
        let store = app.state.store.clone();
        let waiting = tokio::spawn(async move {
            let mut tx = store.write().await.expect("a unit");
            tx.owned_by(owner).lock_chat_for_writing(sent.chat, "m", now).await.expect("a row").expect("the chat")
        });
        until_waiting(&app, 1).await;
        tx.commit().await.expect("a commit");
        assert_eq!(waiting.await.expect("no panic"), Some(Node { id, depth: 2 }));
    }
}

each_db! {
    async fn a_concurrently_restored_chat_is_not_removed(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "come back").await;
        ada.wait_for_answer(sent.chat).await;
        assert_eq!(change(&mut ada, sent.chat, "delete").await, 200);
        let owner = user(&app, "ada@example.org").await;
        app.state.clock.advance(3_601);
        let mut tx = app.state.store.write().await.expect("a unit");
        assert!(tx.owned_by(owner).update_deleted(sent.chat, None).await.expect("a row"));
        let chats = app.state.chats.clone();
        let removing = tokio::spawn(async move { chats.remove_deleted().await });
        until_waiting(&app, 1).await;
        tx.commit().await.expect("a commit");
        removing.await.expect("no panic").expect("a removal");
        assert_eq!(app.column("select title from chats where deleted_at is null").await, ["come back"]);
        assert_eq!(count(&app, "messages").await, 2);
    }
}

/// A direct connection to PostgreSQL, bypassing the application.
async fn direct_connection(app: &TestApp) -> PgConnection {
    let url = app.config.database_url.as_ref().expect("PostgreSQL");
    PgConnection::connect(url.expose_secret()).await.expect("a connection")
}

async fn three_chats(app: &TestApp) -> (Client, Vec<ChatId>) {
    let mut ada = app.administrator().await;
    let mut chats = Vec::new();
    for _ in 0..3 {
        let sent = ada.send_message(None, "hello").await;
        ada.wait_for_answer(sent.chat).await;
        chats.push(sent.chat);
    }
    chats.sort();
    (ada, chats)
}

fn pin(app: &TestApp, owner: UserId, chats: &[ChatId]) -> tokio::task::JoinHandle<bool> {
    let (state, chats) = (app.state.clone(), chats.to_vec());
    tokio::spawn(async move {
        state.chats.apply_action(owner, &chats, ChatAction::Pin, &RequestMeta::default()).await.is_ok()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn chats_are_locked_in_the_same_order_for_every_request() {
    let app = TestApp::start(Backend::PostgresAndRedis).await;
    let (_ada, chats) = three_chats(&app).await;
    let owner = user(&app, "ada@example.org").await;
    let mut one = direct_connection(&app).await;
    one.execute("begin").await.expect("a transaction");
    one.execute(&*format!("update chats set title = title where id = '{}'", chats[0])).await.expect("a lock");
    let pinning = pin(&app, owner, &[chats[2], chats[1], chats[0]]);
    until_waiting(&app, 1).await;
    // It waits for the first chat and has locked none of the others.
    let mut two = direct_connection(&app).await;
    for chat in &chats[1..] {
        two.execute(&*format!("select 1 from chats where id = '{chat}' for update nowait"))
            .await
            .expect("it is not locked");
    }
    one.execute("commit").await.expect("a commit");
    assert!(pinning.await.expect("no panic"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_that_postgresql_rolls_back_for_a_deadlock_is_retried() {
    let app = TestApp::start(Backend::PostgresAndRedis).await;
    let (_ada, chats) = three_chats(&app).await;
    let owner = user(&app, "ada@example.org").await;
    let lock = |chat: ChatId| format!("update chats set title = title where id = '{chat}'");
    let (mut one, mut two) = (direct_connection(&app).await, direct_connection(&app).await);
    // So that this connection never detects the deadlock, and its transaction is never the one rolled back.
    one.execute("set deadlock_timeout = '1h'").await.expect("a setting");
    one.execute("begin").await.expect("a transaction");
    one.execute(&*lock(chats[2])).await.expect("a lock");
    two.execute("begin").await.expect("a transaction");
    two.execute(&*lock(chats[1])).await.expect("a lock");
    // The request has locked the first chat and waits for the second.
    let pinning = pin(&app, owner, &chats);
    until_waiting(&app, 1).await;
    let first = lock(chats[0]);
    let waiting = tokio::spawn(async move {
        one.execute(&*first).await.expect("the lock, once the other one is undone");
        one.execute("commit").await.expect("a commit");
    });
    until_waiting(&app, 2).await;
    // Now the request waits for the third chat, whose holder waits for the request.
    two.execute("rollback").await.expect("a rollback");
    waiting.await.expect("no panic");
    assert!(pinning.await.expect("no panic"), "it was retried");
    assert_eq!(count(&app, "chats where pinned").await, 3);
}
