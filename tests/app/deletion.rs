//! Deletion of accounts.

use colloquy::{
    domain::{JobKind, People, PersonChange, UserId},
    server::{
        audit::RequestMeta,
        jobs::Drained,
        people::Actor,
        store::{ID_COLUMNS, IdKind, TABLES_WITHOUT_IDS},
    },
};
use serde_json::json;

use crate::support::{
    app::{Backend, PASSWORD, TestApp, each_db},
    client::Client,
    smtp::Smtp,
    wait::wait_until,
};

const DAY: i64 = 86_400;
const BOB: &str = "bob-canary@example.org";
const NAME: &str = "Bob Canary";

async fn start(backend: Backend, smtp: Option<&Smtp>) -> (TestApp, Client, Client) {
    let mail = smtp.map(Smtp::config);
    let app = TestApp::start_with(backend, |config| {
        config.sign_up_open = true;
        config.mail = mail;
        config.sessions.administrator_idle = 10 * DAY;
        config.sessions.administrator_absolute = 10 * DAY;
    })
    .await;
    let ada = app.administrator().await;
    let bob = app.person(BOB, NAME).await;
    (app, ada, bob)
}

async fn id_of(app: &TestApp, email: &str) -> Option<UserId> {
    let mut tx = app.state.store.read().await.expect("a unit");
    tx.find_user_by_email(email).await.expect("a row").map(|user| user.id)
}

async fn is_signed_in(client: &mut Client) -> bool {
    client.post_form("/api/load_frame", &[]).await.status == 200
}

async fn request_deletion(client: &mut Client, email: &str) -> u16 {
    client.post_form("/api/delete_account", &[("email", email)]).await.status.as_u16()
}

async fn run_deletions(app: &TestApp) -> Drained {
    app.run_due_jobs(JobKind::DeleteAccount).await
}

fn is_sqlite(app: &TestApp) -> bool {
    app.backend() == Backend::Sqlite
}

/// All columns of the schema as `table.column`; only those that can contain ids if `types` is not empty.
async fn columns(app: &TestApp, types: &str) -> Vec<String> {
    let sql = if is_sqlite(app) {
        format!(
            "select m.name || '.' || c.name from sqlite_master m join pragma_table_info(m.name) c
             where m.type = 'table' and m.name not like '\\_sqlx%' escape '\\' and m.name not like 'sqlite%' {}",
            if types.is_empty() { "" } else { "and lower(c.type) = 'blob'" }
        )
    } else {
        format!(
            "select table_name || '.' || column_name from information_schema.columns
             where table_schema = 'public' and table_name not like '\\_sqlx%' {}",
            if types.is_empty() { "" } else { "and data_type in ('uuid', 'bytea')" }
        )
    };
    let mut found = app.column(&sql).await;
    found.sort();
    found
}

each_db! {
    async fn l04_every_column_with_ids_is_handled_by_the_purge(app: TestApp) {
        let mut known: Vec<String> = ID_COLUMNS.iter().map(|(table, column, _)| format!("{table}.{column}")).collect();
        known.sort();
        assert_eq!(columns(&app, "ids").await, known, "say in ID_COLUMNS what a deletion does with it");
        let table = |column: &String| column.split_once('.').expect("a table").0.to_owned();
        let mut tables: Vec<String> = columns(&app, "").await.iter().map(table).collect();
        tables.dedup();
        let known_tables = known.iter().map(table).chain(TABLES_WITHOUT_IDS.iter().map(|name| (*name).to_owned()));
        let known_tables: std::collections::BTreeSet<String> = known_tables.collect();
        assert_eq!(tables, known_tables.into_iter().collect::<Vec<_>>(), "a table without ids may contain traces too");
        assert!(ID_COLUMNS.contains(&("users", "id", IdKind::Owner)));
    }
}

/// The columns that contain a text.
async fn columns_with(app: &TestApp, canary: &str) -> Vec<String> {
    let mut found = Vec::new();
    for column in columns(app, "").await {
        let (table, name) = column.split_once('.').expect("a table");
        let sql = format!("select '{column}' from {table} where lower(cast({name} as text)) like '%{canary}%' limit 1");
        found.extend(app.column(&sql).await);
    }
    found
}

each_db! {
    async fn l04_nothing_is_left_of_a_deleted_account(app: TestApp) {
        let smtp = Smtp::start().await;
        let (app, mut ada, mut bob) = start(app.backend(), Some(&smtp)).await;
        let user = id_of(&app, BOB).await.expect("Bob");
        app.execute("update sign_ins set user_agent = 'agent-canary' where user_id = (select id from users where email like 'bob-canary%')").await;
        app.execute("update users set password_hash = password_hash || 'canary' where email like 'bob-canary%'").await;
        let sent = bob.send_message(None, "[[paced 3 5]] the secret canary").await;
        bob.wait_for_answer(sent.chat).await;
        app.execute("insert into message_parts (message_id, position, kind, text) select id, 0, 'reasoning', 'thought canary' from messages where author = 'assistant'").await;
        app.execute("update audit set user_agent = 'agent-canary', detail = 'canary' where subject_id = (select id from users where email like 'bob-canary%')").await;
        crate::factors::add_totp_app(&app, &mut bob).await;
        let form = [("email", BOB), ("role", "member"), ("uses", "1"), ("days", "9")];
        let of_ada = ada.send_message(None, "[[paced 3 5]] Ada's own").await;
        ada.wait_for_answer(of_ada.chat).await;
        assert_eq!(ada.post_form("/api/create_invitation", &form).await.status, 200);
        app.anonymous().post_form("/api/sign_in", &[("email", BOB), ("password", "wrong-canary-wrong")]).await;
        let before = columns_with(&app, "canary").await;
        for place in ["users.email", "users.name", "chats.title", "message_parts.text", "audit.detail", "sign_ins.user_agent", "throttles.key", "links.email", "mails.recipient"] {
            assert!(before.iter().any(|found| found == place), "{place} of {before:?}");
        }

        assert_eq!(request_deletion(&mut bob, BOB).await, 200);
        app.state.clock.advance(DAY - 60);
        assert_eq!(run_deletions(&app).await, Drained::default(), "too early");
        app.state.clock.advance(61);
        while id_of(&app, BOB).await.is_some() {
            run_deletions(&app).await;
        }
        // The last mail contains the address until it expires with the other mails after a week.
        let last = app.column("select subject from mails where recipient like 'bob-canary%'").await;
        assert_eq!(last, ["Your account was deleted"], "none of the earlier ones");
        app.execute("delete from mails").await;
        assert_eq!(columns_with(&app, "canary").await, Vec::<String>::new());
        let id = user.to_string();
        let mut named = columns_with(&app, &id).await;
        named.retain(|place| !place.starts_with("audit."));
        assert_eq!(named, Vec::<String>::new());
        if is_sqlite(&app) {
            app.state.store.checkpoint().await.expect("a checkpoint");
            for name in ["colloquy.db", "colloquy.db-wal"] {
                let bytes = std::fs::read(app.config.data.join(name)).unwrap_or_default();
                let at = bytes.to_ascii_lowercase().windows(6).position(|window| window == b"canary");
                assert_eq!(at, None, "{name}");
            }
        }
        let texts = app.column("select p.text from messages m join message_parts p on p.message_id = m.id where m.author = 'user'").await;
        assert_eq!(texts, ["[[paced 3 5]] Ada's own"], "rows of others are untouched");
        let fresh = ada.post_form("/api/confirm_identity", &[("password", PASSWORD)]).await;
        assert_eq!(fresh.status, 200, "{}", fresh.text());
        let people: People = ada.post_json("/api/load_people", &json!({})).await.json();
        assert!(people.receipts[0].counts.contains("2 messages"), "{:?}", people.receipts);
        assert!(ada.get("/people").await.text().contains(&people.receipts[0].id));
        assert_eq!(app.column("select outcome from audit where action = 'delete_account'").await, ["done"]);
        app.person(BOB, NAME).await;
    }
}

each_db! {
    async fn l04_an_interrupted_or_incomplete_deletion_keeps_the_account_and_is_resumed(app: TestApp) {
        let (app, _, mut bob) = start(app.backend(), None).await;
        let sent = bob.send_message(None, "[[paced 2000 20]]").await;
        let user = id_of(&app, BOB).await.expect("Bob");
        assert_eq!(request_deletion(&mut bob, BOB).await, 200);
        let trace = format!(
            "insert into throttles (key, subject, tries, ends_at) values ('code account {user}', '{user}', 1, 9000000000000000)"
        );
        let (make, drop) = if is_sqlite(&app) {
            (format!("create trigger trace after delete on users begin {trace}; end"), "drop trigger trace")
        } else {
            (format!("create rule trace as on delete to users do also {trace}"), "drop rule trace on users")
        };
        app.execute(&make).await;
        app.state.clock.advance(DAY + 1);
        run_deletions(&app).await;
        assert!(!is_signed_in(&mut bob).await, "no one can sign in any more");
        let failed = "select last_error from jobs where kind = 'delete_account' and last_error is not null";
        wait_until("the purge has failed", async || {
            run_deletions(&app).await;
            !app.column(failed).await.is_empty()
        })
        .await;
        assert!(app.column(failed).await[0].contains("throttles.key"), "the trace is found");
        assert_eq!(app.state.chats.open_runs(), 0, "the answer of {} was stopped", sent.chat);
        assert_eq!(app.column("select name from users order by name").await, ["Ada", NAME], "the account is kept");
        assert_eq!(app.column("select counts from deletions").await, Vec::<String>::new(), "there is no receipt");
        app.execute(drop).await;

        // A server that dies during the purge: its transaction is never committed.
        let mut tx = app.state.store.write().await.expect("a unit");
        let due = tx.owned_by(user).lock_due_deletion(app.state.clock.now()).await.expect("a row").expect("it is due");
        tx.engine().purge(&due).await.expect("a purge");
        std::mem::drop(tx);
        assert_eq!(app.column("select name from users order by name").await, ["Ada", NAME]);
        let other = app.second_instance().await;
        let (one, two) = tokio::join!(run_deletions(&app), run_deletions(&other));
        assert!(one.done + two.done <= 1 && one.failed + two.failed == 0, "{one:?} {two:?}");
        assert_eq!(app.column("select name from users").await, ["Ada"]);
        assert_eq!(app.column("select counts from deletions").await.len(), 1, "once on all instances");
        other.stop().await;
    }
}

each_db! {
    async fn l04_a_deletion_can_be_cancelled_within_a_day(app: TestApp) {
        let (app, _, mut bob) = start(app.backend(), None).await;
        let mut elsewhere = app.signed_in(BOB).await;
        let led = bob.submit("/api/delete_account", &[("email", BOB)]).await;
        assert_eq!(led.header("location"), "/settings/data?done=deletion#delete", "{}", led.text());
        assert!(is_signed_in(&mut bob).await && !is_signed_in(&mut elsewhere).await, "the other sign-ins are revoked immediately");
        assert_eq!(request_deletion(&mut bob, BOB).await, 409);
        let mut elsewhere = app.signed_in(BOB).await;
        assert!(elsewhere.get("/").await.text().contains("Cancel deletion"));
        assert_eq!(elsewhere.submit("/api/keep_account", &[]).await.status, 302);
        assert!(!elsewhere.get("/").await.text().contains("Cancel deletion"));
        assert_eq!(elsewhere.post_form("/api/keep_account", &[]).await.status, 404);
        app.state.clock.advance(2 * DAY);
        assert_eq!(run_deletions(&app).await, Drained::default());
        assert!(id_of(&app, BOB).await.is_some());
        let acts = app.column("select action from audit where action like '%deletion' order by at").await;
        assert_eq!(acts, ["ask_deletion", "withdraw_deletion"]);
    }
}

each_db! {
    async fn s08_deleting_an_account_needs_recent_authentication(app: TestApp) {
        let (app, _, mut bob) = start(app.backend(), None).await;
        assert_eq!(request_deletion(&mut bob, "ada@example.org").await, 422, "another address");
        app.state.clock.advance(660);
        assert_eq!(request_deletion(&mut bob, BOB).await, 403);
        assert!(bob.get("/settings/data").await.text().contains("Required to delete your account."));
        bob.post_form("/api/confirm_identity", &[("password", PASSWORD)]).await;
        assert!(bob.get("/settings/data").await.text().contains("Delete my account"));
        assert_eq!(request_deletion(&mut bob, BOB).await, 200);
    }
}

async fn change_person(ada: &mut Client, user: UserId, change: &str) -> u16 {
    let form = [("user", &*user.to_string()), ("change", change)];
    ada.post_form("/api/change_person", &form).await.status.as_u16()
}

each_db! {
    async fn l03_the_last_administrator_is_not_deleted_and_a_leaving_one_does_not_count(app: TestApp) {
        let (app, mut ada, mut bob) = start(app.backend(), None).await;
        let (own, user) = (id_of(&app, "ada@example.org").await.expect("Ada"), id_of(&app, BOB).await.expect("Bob"));
        assert_eq!(request_deletion(&mut ada, "ada@example.org").await, 409);
        assert_eq!((change_person(&mut ada, user, "delete_account").await, change_person(&mut ada, user, "delete_account").await), (200, 409));
        assert!(!is_signed_in(&mut bob).await);
        let refused = app.anonymous().post_form("/api/sign_in", &[("email", BOB), ("password", PASSWORD)]).await;
        assert_eq!(refused.status, 422, "it is disabled immediately");
        assert_eq!((change_person(&mut ada, user, "keep_account").await, change_person(&mut ada, user, "keep_account").await), (200, 409));
        app.signed_in(BOB).await;
        assert_eq!(change_person(&mut ada, user, "make_administrator").await, 200);
        let mut bob = app.signed_in(BOB).await;
        assert_eq!(request_deletion(&mut bob, BOB).await, 200, "another one is left");
        assert_eq!(request_deletion(&mut ada, "ada@example.org").await, 409, "a leaving administrator does not count");
        bob.post_form("/api/keep_account", &[]).await;
        assert_eq!(request_deletion(&mut ada, "ada@example.org").await, 200, "the first one may leave too");
        let meta = RequestMeta::command_line();
        let by = Actor::operator(&meta);
        assert!(app.state.people.change_person(&by, user, PersonChange::MakeMember, true).await.is_err());
        app.state.clock.advance(DAY + 1);
        run_deletions(&app).await;
        assert_eq!(id_of(&app, "ada@example.org").await, None, "{own}");
        assert!(app.state.store.read().await.expect("a unit").is_installed().await.expect("a row"), "the installation stays claimed");
    }
}
