//! Reading works while nothing can be written, because another program has locked the database.

use colloquy::domain::{DataExport, ExportState, StartedRun};
use secrecy::ExposeSecret;
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};

use crate::{
    credentials::current_user,
    support::{
        app::{TestApp, each_db},
        client::Client,
        wait::wait_for,
    },
};

/// A direct connection to the database that blocks all other writers until it is released.
enum WriteLock {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl WriteLock {
    async fn acquire(app: &TestApp) -> Self {
        let Some(url) = &app.config.database_url else {
            let url = format!("sqlite://{}", app.config.data.join("colloquy.db").display());
            let mut connection = SqliteConnection::connect(&url).await.expect("the file");
            connection.execute("begin immediate").await.expect("the only writer");
            return Self::Sqlite(connection);
        };
        let mut connection = PgConnection::connect(url.expose_secret()).await.expect("the test's database");
        let tables = "sign_ins, sessions, throttles, audit, users, chats, messages, runs";
        connection.execute("begin").await.expect("a transaction");
        connection.execute(format!("lock table {tables} in exclusive mode").as_str()).await.expect("the locks");
        Self::Postgres(connection)
    }

    async fn release(self) {
        match self {
            Self::Sqlite(mut connection) => connection.execute("rollback").await.map(drop),
            Self::Postgres(mut connection) => connection.execute("rollback").await.map(drop),
        }
        .expect("the locks are free");
    }
}

/// Requests all pages and reading functions, and checks their statuses.
async fn assert_readable(client: &mut Client, sent: &StartedRun, administrator: bool) {
    let chat = format!("/chats/{}", sent.chat);
    for page in [
        "/",
        "/sessions",
        "/settings",
        "/settings/appearance",
        "/settings/security",
        "/settings/data",
        "/privacy",
        &chat,
    ] {
        let answer = client.get(page).await;
        assert_eq!(answer.status, 200, "{page}: {}", answer.text());
    }
    let people = client.get("/people").await.status;
    assert_eq!(people, if administrator { 200 } else { 404 }, "/people");
    for (function, body) in [
        ("load_entrance", json!({})),
        ("load_frame", json!({})),
        ("load_settings", json!({"part": "profile"})),
        ("load_settings", json!({"part": "security"})),
        ("load_settings", json!({"part": "data"})),
        ("list_chats", json!({"filter": "all", "search": "", "cursor": null})),
        ("find_chat", json!({ "chat": sent.chat })),
        ("find_proof", json!({})),
        ("load_people", json!({})),
        ("load_audit", json!({})),
    ] {
        let path = format!("/api/{function}");
        let answer = match function {
            "load_entrance" | "load_frame" => client.post_form(&path, &[]).await,
            _ => client.post_json(&path, &body).await,
        };
        let wanted =
            if function == "load_people" || function == "load_audit" { people_status(administrator) } else { 200 };
        assert_eq!(answer.status, wanted, "{function}: {}", answer.text());
    }
}

const fn people_status(administrator: bool) -> u16 {
    if administrator { 200 } else { 403 }
}

/// Requests a data export and waits until it is ready.
async fn ready_export(client: &mut Client) -> DataExport {
    assert_eq!(client.post_form("/api/request_export", &[]).await.status, 200);
    wait_for("the download is ready", async || {
        let settings: colloquy::domain::Settings =
            client.post_json("/api/load_settings", &json!({"part": "data"})).await.json();
        settings.export.filter(|export| export.state == ExportState::Ready)
    })
    .await
}

async fn last_used(app: &TestApp, email: &str) -> Vec<String> {
    let sql = "select cast(s.last_used_at as text) from sign_ins s join users u on u.id = s.user_id where u.email =";
    app.column(&format!("{sql} '{email}' order by s.id")).await
}

each_db! {
    async fn b04_reading_works_while_nothing_can_be_written(app: TestApp) {
        let app = app.with_open_sign_up().await;
        let mut ada = app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        let sent = bob.send_message(None, "[[paced 3 5]] hello").await;
        bob.wait_for_answer(sent.chat).await;
        let of_ada = ada.send_message(None, "[[paced 3 5]] hello").await;
        ada.wait_for_answer(of_ada.chat).await;
        let export = ready_export(&mut bob).await;
        app.state.accounts.write_deferred().await.expect("nothing is blocked");

        let lock = WriteLock::acquire(&app).await;
        let before = (last_used(&app, "ada@example.org").await, last_used(&app, "bob@example.org").await);
        // Each use is more than a minute after the last, and all of them exceed an administrator's idle timeout.
        for _ in 0..3 {
            app.state.clock.advance(9 * 60);
            assert_readable(&mut ada, &of_ada, true).await;
            assert_readable(&mut bob, &sent, false).await;
        }
        let file = bob.get(&format!("/settings/data/{}", export.id)).await;
        assert_eq!(file.status, 403, "s08: only re-authentication is missing");
        app.state.clock.advance(-27 * 60);
        let file = bob.get(&format!("/settings/data/{}", export.id)).await;
        assert_eq!((file.status.as_u16(), i64::try_from(file.body.len())), (200, Ok(export.bytes)), "{}", file.text());
        app.state.clock.advance(31 * 60);
        assert!(current_user(&mut ada).await.is_some(), "a recent use counts although it is not stored yet");
        assert_eq!(bob.read_to_end(&sent).await.text, bob.chat(sent.chat).await.window.messages[1].text, "a stream");
        let refused = ada.post_form("/api/change_name", &[("name", "Ada L.")]).await;
        assert_eq!(refused.status, 503, "writing is refused with an error: {}", refused.text());
        let after = (last_used(&app, "ada@example.org").await, last_used(&app, "bob@example.org").await);
        assert_eq!(before, after, "nothing was written");
        lock.release().await;

        app.state.accounts.write_deferred().await.expect("it can be written again");
        let after = (last_used(&app, "ada@example.org").await, last_used(&app, "bob@example.org").await);
        assert!(before.0 < after.0 && before.1 < after.1, "{before:?} {after:?}");
        let written = async |action: &str| app.column(&format!("select detail from audit where action = '{action}'")).await;
        assert_eq!(written("download_data").await.len(), 1);
        let places = written("overstep").await;
        assert_eq!(places.len(), 9, "{places:?}");
    }
}

each_db! {
    async fn s05_a_use_not_yet_stored_counts_and_expires(app: TestApp) {
        let mut ada = app.administrator().await;
        let lock = WriteLock::acquire(&app).await;
        for _ in 0..4 {
            app.state.clock.advance(20 * 60);
            assert!(current_user(&mut ada).await.is_some());
        }
        app.state.clock.advance(31 * 60);
        assert!(current_user(&mut ada).await.is_none(), "she was idle for too long");
        lock.release().await;
    }
}

each_db! {
    async fn s06_a_use_not_yet_stored_does_not_revive_a_revoked_sign_in(app: TestApp) {
        let mut ada = app.administrator().await;
        let mut other = app.signed_in("ada@example.org").await;
        app.state.clock.advance(120);
        assert!(current_user(&mut other).await.is_some());
        assert_eq!(ada.post_form("/api/end_other_devices", &[]).await.status, 200);
        assert!(current_user(&mut other).await.is_none());
        app.state.accounts.write_deferred().await.expect("written");
        assert!(current_user(&mut other).await.is_none());
        let ended = "select cast(last_used_at as text) from sign_ins where ended_at is not null and last_used_at <> created_at";
        assert_eq!(app.column(ended).await, Vec::<String>::new(), "nothing is stored for revoked sign-ins");
    }
}
