//! Background tasks on many rows: they work in batches, so that they do not block other writers and may be interrupted
//! at any point.

use colloquy::{
    domain::{ChatId, JobKind, UserId},
    server::{audit::RequestMeta, jobs::Drained, state::clock_skew_millis},
};
use serde_json::json;

use crate::support::{
    app::{Backend, TestApp, each_db},
    client::Client,
    smtp::Smtp,
    wait::wait_until,
};

const DAY: i64 = 86_400;

pub async fn user(app: &TestApp, email: &str) -> UserId {
    let mut tx = app.state.store.read().await.expect("a unit");
    tx.find_user_by_email(email).await.expect("a row").expect("a person").id
}

pub async fn count(app: &TestApp, from: &str) -> usize {
    app.column(&format!("select cast(count(*) as text) from {from}")).await[0].parse().expect("a number")
}

/// Appends this many messages to a chat.
async fn insert_messages(app: &TestApp, chat: ChatId, messages: i64) {
    let id = app.literal(chat.uuid());
    let (numbers, fresh) = if app.backend() == Backend::Sqlite {
        (
            format!(
                "(with recursive n(i) as (select 1 union all select i + 1 from n where i < {messages}) select i from n)"
            ),
            "randomblob(16)",
        )
    } else {
        (format!("(select i from generate_series(1, {messages}) as i)"), "gen_random_uuid()")
    };
    let sql = format!(
        "insert into messages (id, chat_id, owner_id, depth, author, state, left_out, prompt_tokens, answer_tokens, created_at)
         select {fresh}, c.id, c.owner_id, 1000 + n.i, 'user', 'complete', 0, 0, 0, 1
         from chats c cross join {numbers} n where c.id = {id}"
    );
    assert_eq!(app.execute(&sql).await, u64::try_from(messages).expect("a number"));
    let parts = "insert into message_parts (message_id, position, kind, text)
                 select id, 1, 'text', 'words' from messages where depth > 1000";
    app.execute(parts).await;
}

pub async fn change(client: &mut Client, chat: ChatId, action: &str) -> u16 {
    client.post_form("/api/change_chats", &[("chats[]", &*chat.to_string()), ("action", action)]).await.status.as_u16()
}

/// An SQL condition for the deepest message, the last one that a removal deletes.
async fn last_message_condition(app: &TestApp) -> String {
    let (cast, prefix) = if app.backend() == Backend::Sqlite { ("hex(id)", "x") } else { ("cast(id as text)", "") };
    let id = app.column(&format!("select {cast} from messages order by depth desc limit 1")).await.remove(0);
    format!("old.id = {prefix}'{id}'")
}

each_db! {
    async fn a_large_chat_is_removed_in_batches_and_never_partly_visible(app: TestApp) {
        let app = app.with_open_sign_up().await;
        app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        let sent = bob.send_message(None, "the large one").await;
        bob.wait_for_answer(sent.chat).await;
        let other = bob.send_message(None, "another one").await;
        bob.wait_for_answer(other.chat).await;
        insert_messages(&app, sent.chat, 2_000).await;
        assert_eq!(change(&mut bob, sent.chat, "delete").await, 200);
        assert_eq!(app.state.chats.remove_deleted().await.expect("too early"), 0);
        app.state.clock.advance(3_601);

        app.break_rows("before delete on messages", &last_message_condition(&app).await).await;
        app.state.chats.remove_deleted().await.expect_err("one row cannot be deleted");
        let left = count(&app, "messages").await;
        assert!((3..=1_600).contains(&left), "batches of less than 500 rows were committed: {left}");
        assert_eq!(change(&mut bob, sent.chat, "restore").await, 404, "a part of it is gone");
        assert_eq!(change(&mut bob, sent.chat, "delete").await, 404);
        let owner = user(&app, "bob@example.org").await;
        let mut tx = app.state.store.read().await.expect("a unit");
        assert_eq!(tx.owned_by(owner).export_chat_count().await.expect("a count"), 1);
        drop(tx);

        app.repair("messages").await;
        app.state.chats.remove_deleted().await.expect("a removal");
        assert_eq!(app.column("select title from chats").await, ["another one"]);
        assert_eq!((count(&app, "messages").await, count(&app, "runs").await), (2, 1));
    }
}

each_db! {
    async fn idle_background_tasks_do_not_open_write_transactions(app: TestApp) {
        let smtp = Smtp::start().await;
        let mail = smtp.config();
        let app = TestApp::start_with(app.backend(), |config| config.mail = Some(mail)).await;
        app.administrator().await;
        let state = &app.state;
        state.jobs.drain(JobKind::SendMail).await.expect("a queue");
        // SQLite has one writer: a second one would fail after some seconds.
        let tx = state.store.write().await.expect("a unit");
        for kind in [JobKind::SendMail, JobKind::BuildExport, JobKind::DeleteAccount, JobKind::RemoveFactors] {
            assert_eq!(state.jobs.drain(kind).await.expect("jobs"), Drained::default(), "{kind:?}");
        }
        assert_eq!(state.chats.remove_deleted().await.expect("chats"), 0);
        state.privacy.apply_retention().await.expect("retention");
        state.store.remove_expired_exports(state.clock.now()).await.expect("downloads");
        for kind in &colloquy::server::store::EXPIRING_ROWS {
            assert_eq!(state.store.delete_expired(kind, state.clock.now(), 365).await.expect(kind.name), 0);
        }
        drop(tx);
    }
}

/// The number of rows of a user by table, as in the deletion receipt.
async fn counts_of(app: &TestApp, id: &str) -> serde_json::Map<String, serde_json::Value> {
    let mut counts = serde_json::Map::new();
    for (table, column) in [
        ("runs", "owner_id"),
        ("messages", "owner_id"),
        ("chats", "owner_id"),
        ("sessions", "user_id"),
        ("sign_ins", "user_id"),
        ("links", "user_id"),
        ("users", "id"),
    ] {
        let rows = count(app, &format!("{table} where {column} = {id}")).await;
        if rows > 0 {
            counts.insert(table.to_owned(), json!(rows));
        }
    }
    counts
}

each_db! {
    async fn l04_a_deletion_interrupted_at_any_table_resumes_and_its_receipt_counts_every_row_once(app: TestApp) {
        let app = app.with_open_sign_up().await;
        let mut ada = app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        let of_ada = ada.send_message(None, "of Ada").await;
        ada.wait_for_answer(of_ada.chat).await;
        let sent = bob.send_message(None, "of Bob").await;
        bob.wait_for_answer(sent.chat).await;
        insert_messages(&app, sent.chat, 700).await;
        app.signed_in("bob@example.org").await;
        let bobs = user(&app, "bob@example.org").await;
        let id = app.literal(bobs.uuid());
        // A session record of an earlier version, without its user.
        let old = format!("update sessions set user_id = null where id in (select id from sessions where user_id = {id} limit 1)");
        assert_eq!(app.execute(&old).await, 1);
        let mut expected = counts_of(&app, &id).await;
        expected["sessions"] = json!(count(&app, &format!("sessions where user_id = {id}")).await + 1);
        let others = count(&app, &format!("sessions where user_id <> {id}")).await;

        assert_eq!(bob.post_form("/api/delete_account", &[("email", "bob@example.org")]).await.status, 200);
        // So that the server's own worker does not run the job first.
        app.stop().await;
        app.state.clock.advance(DAY + 1);
        for (table, owner) in [("runs", "owner_id"), ("messages", "owner_id"), ("chats", "owner_id"), ("sessions", "user_id"), ("sign_ins", "user_id"), ("users", "id")] {
            app.break_rows(&format!("before delete on {table}"), &format!("old.{owner} = {id}")).await;
            app.execute("update jobs set last_error = 'none' where kind = 'delete_account'").await;
            assert_eq!(app.run_due_jobs(JobKind::DeleteAccount).await.done, 0, "{table}");
            let error = app.column("select last_error from jobs where kind = 'delete_account'").await.remove(0);
            assert!(error.contains("broken on purpose"), "{table}: {error}");
            app.repair(table).await;
            assert_eq!(bob.post_form("/api/keep_account", &[]).await.status, 401, "{table}");
            let meta = RequestMeta::command_line();
            let by = colloquy::server::people::Actor::operator(&meta);
            let keep = colloquy::domain::PersonChange::KeepAccount;
            assert!(app.state.people.change_person(&by, bobs, keep, true).await.is_err(), "{table}: parts of it are gone");
        }
        app.run_due_jobs(JobKind::DeleteAccount).await;
        let receipt = app.column("select counts from deletions").await.remove(0);
        let receipt: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&receipt).expect("JSON");
        for (table, rows) in &expected {
            assert_eq!(receipt.get(table), Some(rows), "{table} of {receipt:?}");
        }
        assert_eq!(app.column("select name from users").await, ["Ada"]);
        assert_eq!(app.column("select p.text from messages m join message_parts p on p.message_id = m.id where m.author = 'user'").await, ["of Ada"]);
        assert_eq!(count(&app, "sessions").await, others, "those of others stay");
        assert_eq!(count(&app, "deletion_counts").await, 0);
    }
}

each_db! {
    async fn l04_a_deletion_dropped_at_any_point_is_resumed(app: TestApp) {
        let app = app.with_open_sign_up().await;
        app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        let sent = bob.send_message(None, "of Bob").await;
        bob.wait_for_answer(sent.chat).await;
        insert_messages(&app, sent.chat, 600).await;
        assert_eq!(bob.post_form("/api/delete_account", &[("email", "bob@example.org")]).await.status, 200);
        // So that the server's own worker does not run the job first.
        app.stop().await;
        app.state.clock.advance(DAY + 1);
        let rows = count(&app, "messages").await;
        // Like a killed server: the work is dropped after this many polls.
        for steps in 0_u32.. {
            // So that the next attempt does not wait for the lease of the dropped one.
            app.execute("update jobs set run_at = 1 where kind = 'delete_account'").await;
            let mut work = Box::pin(app.state.jobs.drain(JobKind::DeleteAccount));
            let mut polls = 0;
            let ended = std::future::poll_fn(|context| {
                polls += 1;
                if polls > steps {
                    return std::task::Poll::Ready(None);
                }
                work.as_mut().poll(context).map(Some)
            })
            .await;
            drop(work);
            if let Some(seen) = ended {
                assert_eq!(seen.expect("jobs").failed, 0, "after {steps} steps");
                break;
            }
        }
        app.run_due_jobs(JobKind::DeleteAccount).await;
        assert_eq!(app.column("select name from users").await, ["Ada"]);
        let receipt = app.column("select counts from deletions").await.remove(0);
        let receipt: serde_json::Value = serde_json::from_str(&receipt).expect("JSON");
        assert_eq!(receipt["messages"], json!(rows), "{receipt}");
    }
}

each_db! {
    async fn an_export_of_many_chats_needs_few_writes(app: TestApp) {
        let mut ada = app.administrator().await;
        let owner = user(&app, "ada@example.org").await;
        let mut tx = app.state.store.write().await.expect("a unit");
        for at in 0..60 {
            let (id, now) = (ChatId::from_uuid(app.state.clock.new_id()), app.state.clock.now());
            let title = format!("chat {at}");
            let chat = colloquy::server::store::NewChat { id, title: &title, model: "m", preview: "", head: None, now };
            tx.owned_by(owner).insert_chat(&chat).await.expect("a chat");
        }
        tx.commit().await.expect("a commit");
        app.execute("create table writes (at bigint)").await;
        if app.backend() == Backend::Sqlite {
            app.execute("create trigger counted after update on exports begin insert into writes values (1); end").await;
        } else {
            let count = "begin insert into writes values (1); return new; end";
            app.execute(&format!("create function counted() returns trigger language plpgsql as $$ {count} $$")).await;
            app.execute("create trigger counted after update on exports for each row execute function counted()").await;
        }
        assert_eq!(ada.post_form("/api/request_export", &[]).await.status, 200);
        wait_until("the export is ready", async || count(&app, "exports where state = 'ready'").await == 1).await;
        assert_eq!(count(&app, "exports where state = 'ready' and done = total").await, 1);
        let writes = count(&app, "writes").await;
        assert!((2..40).contains(&writes), "{writes} writes for 60 chats");
    }
}

each_db! {
    async fn one_failing_item_does_not_block_others(app: TestApp) {
        let smtp = Smtp::start().await;
        let mail = smtp.config();
        let app = TestApp::start_with(app.backend(), |config| {
            config.mail = Some(mail);
            config.retention_days = Some(10);
        })
        .await;
        let mut people = Vec::new();
        for (email, name) in [("ada@example.org", "Ada"), ("bob@example.org", "Bob"), ("eve@example.org", "Eve")] {
            let mut person = app.person(email, name).await;
            let sent = person.send_message(None, name).await;
            person.wait_for_answer(sent.chat).await;
            crate::factors::add_totp_app(&app, &mut person).await;
            people.push((app.literal(user(&app, email).await.uuid()), person));
        }
        let bob = people[1].0.clone();

        // Removal of second factors.
        app.break_rows("before delete on factors", &format!("old.user_id = {bob}")).await;
        app.execute("insert into factor_removals (user_id, created_at, due_at) select id, 1, 1 from users").await;
        let jobs = "select 'remove_factors', id, 'waiting', 1, 1 from users";
        app.execute(&format!("insert into jobs (kind, subject_id, state, run_at, created_at) {jobs}")).await;
        app.run_due_jobs(JobKind::RemoveFactors).await;
        assert_eq!(count(&app, "factor_removals").await, 1, "the others' are done");
        assert_eq!(count(&app, "factors").await, 1);
        app.repair("factors").await;
        app.run_due_jobs(JobKind::RemoveFactors).await;
        assert_eq!((count(&app, "factor_removals").await, count(&app, "factors").await), (0, 0));

        // Retention of chats.
        app.break_rows("before update on chats", &format!("old.owner_id = {bob} and new.deleted_at is not null")).await;
        app.state.clock.advance(11 * DAY);
        app.state.privacy.apply_retention().await.expect_err("Bob's");
        assert_eq!(app.column("select title from chats where deleted_at is null").await, ["Bob"]);
        app.repair("chats").await;

        // Data exports.
        app.execute("delete from throttles").await;
        app.break_rows("before update on exports", &format!("old.user_id = {bob} and new.state = 'ready'")).await;
        for email in ["bob@example.org", "ada@example.org", "eve@example.org"] {
            let (now, id) = (app.state.clock.now(), colloquy::domain::ExportId::from_uuid(app.state.clock.new_id()));
            let owner = user(&app, email).await;
            let mut tx = app.state.store.write().await.expect("a unit");
            assert!(tx.owned_by(owner).insert_export(id, now, now.plus_seconds(DAY)).await.expect("a row"));
            tx.commit().await.expect("a commit");
        }
        app.run_due_jobs(JobKind::BuildExport).await;
        // The application's own worker may have claimed one.
        wait_until("both exports are ready", async || count(&app, "exports where state = 'ready'").await == 2).await;
        app.repair("exports").await;
    }
}

each_db! {
    async fn m04_a_permanently_refused_mail_does_not_block_others(app: TestApp) {
        let smtp = Smtp::start().await;
        let mail = smtp.config();
        let app = TestApp::start_with(app.backend(), |config| config.mail = Some(mail)).await;
        let mut tx = app.state.store.write().await.expect("a unit");
        for recipient in ["nobody1@example.org", "not an address", "nobody2@example.org", "bob@example.org"] {
            let (id, created_at) = (app.state.clock.new_id(), app.state.clock.now());
            let mail = colloquy::server::store::NewMail { id, recipient, subject: "s", text: "t", html: "h", created_at };
            tx.insert_mail(&mail).await.expect("a mail");
        }
        // Committed together, so that the application's own worker sees all of them at the same time.
        tx.commit().await.expect("a commit");
        smtp.mails_to(&app.state, "bob@example.org", 1).await;
        app.state.jobs.drain(JobKind::SendMail).await.expect("jobs");
        let attempts = app.column("select cast(attempts as text) from jobs where kind = 'send_mail'").await;
        assert_eq!(attempts, ["1", "1", "1"]);
    }
}

each_db! {
    async fn the_clock_difference_to_the_database_is_measured(app: TestApp) {
        let difference = async || clock_skew_millis(&app.state.store, &app.state.clock).await.expect("a time");
        if app.backend() == Backend::Sqlite {
            assert_eq!(difference().await, None, "it is the same clock");
            return;
        }
        let before = difference().await.expect("PostgreSQL has its own");
        app.state.clock.advance(3_600);
        let after = difference().await.expect("PostgreSQL has its own");
        assert!((3_500_000..3_700_000).contains(&(before - after)), "{before} {after}");
    }
}

each_db! {
    async fn a_program_older_than_the_database_does_not_start_and_reports_it(app: TestApp) {
        app.stop().await;
        let (ok, checksum) = if app.backend() == Backend::Sqlite { ("1", "x'00'") } else { ("true", "'\\x00'") };
        let newer = format!(
            "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
             values (9999, 'of a later version', {ok}, {checksum}, 1)"
        );
        assert_eq!(app.execute(&newer).await, 1);
        let opened = colloquy::server::store::Store::open(&app.config.data, app.config.database_url.as_ref()).await;
        let text = opened.expect_err("it is too old").to_string();
        assert!(text.contains("newer Colloquy") && text.contains("9999"), "{text}");
        assert_eq!(app.column("select email from users").await, Vec::<String>::new(), "nothing was changed");
    }
}
