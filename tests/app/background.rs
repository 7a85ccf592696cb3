//! Background tasks: panics, and shutdown.

use colloquy::server::store::NewMail;

use crate::support::{
    app::{TestApp, each_db},
    client::Client,
    smtp::{Behaviour, Smtp},
    wait::wait_until,
};

const DAY: i64 = 86_400;

async fn with_mail(app: &TestApp) -> (TestApp, Smtp) {
    let smtp = Smtp::start().await;
    let mail = smtp.config();
    let app = TestApp::start_with(app.backend(), |config| {
        config.mail = Some(mail);
        config.sessions.administrator_idle = 10 * DAY;
        config.sessions.administrator_absolute = 10 * DAY;
    })
    .await;
    (app, smtp)
}

/// Makes tasks panic, and waits until each was restarted and panicked again.
async fn make_tasks_panic(app: &TestApp, tasks: &[&str]) {
    let supervisor = &app.state.supervisor;
    let before: Vec<u64> = tasks.iter().map(|task| supervisor.panics(task)).collect();
    for task in tasks {
        supervisor.set_failing(task, true);
    }
    for (task, before) in tasks.iter().zip(before) {
        wait_until(task, async || supervisor.panics(task) >= before + 2).await;
    }
}

fn stop_panics(app: &TestApp, task: &str) {
    app.state.supervisor.set_failing(task, false);
}

async fn readiness(app: &TestApp) -> (u16, String) {
    let answer = app.anonymous().get("/health/ready").await;
    (answer.status.as_u16(), answer.text())
}

async fn insert_mail(app: &TestApp) {
    let (id, created_at) = (app.state.clock.new_id(), app.state.clock.now());
    let mut tx = app.state.store.write().await.expect("a unit");
    let mail = NewMail { id, recipient: "bob@example.org", subject: "Hello", text: "t", html: "h", created_at };
    tx.insert_mail(&mail).await.expect("a mail");
    tx.commit().await.expect("a commit");
}

async fn is_empty(app: &TestApp, statement: &str) -> bool {
    app.column(statement).await.is_empty()
}

each_db! {
    async fn a_server_that_cannot_store_answers_is_not_ready_and_recovers_without_loss(app: TestApp) {
        let mut ada = app.administrator().await;
        assert_eq!(readiness(&app).await, (200, "ok".to_owned()));
        make_tasks_panic(&app, &["answers"]).await;
        let (status, text) = readiness(&app).await;
        assert_eq!((status, text.contains("answers")), (503, true), "{text}");
        // Acknowledged while no task can claim the run.
        let sent = ada.send_message(None, "[[paced 3 5]] are you there?").await;
        assert_eq!(app.column("select state from runs").await, ["queued"]);
        stop_panics(&app, "answers");
        wait_until("ready", async || readiness(&app).await.0 == 200).await;
        ada.wait_for_answer(sent.chat).await;
        assert_eq!(app.column("select state from messages order by depth").await, ["complete", "complete"]);

        // The same in the middle of an answer.
        let sent = ada.send_message(None, "[[paced 40 25]]").await;
        wait_until("an answer is being written", async || app.state.chats.open_runs() == 1).await;
        make_tasks_panic(&app, &["answers"]).await;
        stop_panics(&app, "answers");
        ada.wait_for_answer(sent.chat).await;
        let states = app.column("select distinct state from messages").await;
        assert_eq!(states, ["complete"], "what was waiting to be written was written");
    }
}

each_db! {
    async fn every_background_task_is_restarted_after_a_panic(app: TestApp) {
        let (app, smtp) = with_mail(&app).await;
        let names = app.state.supervisor.names();
        assert_eq!(names.len(), 5, "say here how another one is seen at work: {names:?}");
        let mut ada = app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        crate::factors::add_totp_app(&app, &mut bob).await;
        make_tasks_panic(&app, &names).await;
        let (status, text) = readiness(&app).await;
        assert_eq!(status, 503, "{text}");
        assert!(text.contains("answers") && !text.contains("jobs"), "only what is vital: {text}");

        // Work for each task.
        insert_mail(&app).await;
        let sent = ada.send_message(None, "hello").await;
        let old = ada.send_message(None, "an old one").await;
        let gone = [("chats[]", &*old.chat.to_string()), ("action", "delete")];
        assert_eq!(ada.post_form("/api/change_chats", &gone).await.status, 200);
        assert_eq!(ada.post_form("/api/request_export", &[]).await.status, 200);
        let of_bob = "(select id from users where email = 'bob@example.org')";
        app.execute("update chats set deleted_at = 1 where deleted_at is not null").await;
        app.execute(&format!("insert into factor_removals (user_id, created_at, due_at) select id, 1, 1 from users where id = {of_bob}")).await;
        let columns = "insert into jobs (kind, subject_id, state, run_at, created_at)";
        app.execute(&format!("{columns} select 'remove_factors', id, 'waiting', 1, 1 from users where id = {of_bob}")).await;
        let chats = "(select id from chats where deleted_at = 1)";
        app.execute(&format!("update runs set state = 'running', epoch = 1, lease_until = 1 where chat_id in {chats}")).await;
        let expired = "insert into throttles (key, subject, tries, ends_at) values ('x y', 'y', 1, 1)";
        app.execute(expired).await;
        app.execute("update sign_ins set last_used_at = last_used_at - 120000000").await;
        let now = app.state.clock.now().micros();
        assert_eq!(ada.get("/sessions").await.status, 200);
        let asked = [("purpose", "reset"), ("email", "bob@example.org")];
        assert_eq!(app.anonymous().post_form("/api/request_mail", &asked).await.status, 200);
        // The scheduled jobs are due immediately too.
        app.execute("update jobs set run_at = 1 where state = 'waiting'").await;
        for task in &names {
            stop_panics(&app, task);
        }
        wait_until("ready", async || readiness(&app).await.0 == 200).await;
        ada.wait_for_answer(sent.chat).await;
        wait_until("mails", async || !smtp.received().is_empty()).await;
        let used = format!("select user_agent from sign_ins where last_used_at >= {now}");
        wait_until("deferred writes", async || !is_empty(&app, &used).await).await;
        wait_until("password resets", async || is_empty(&app, "select email from reset_requests").await).await;
        wait_until("downloads", async || !is_empty(&app, "select state from exports where state = 'ready'").await).await;
        wait_until("factor removals", async || is_empty(&app, "select created_at from factor_removals").await).await;
        wait_until("sweep", async || is_empty(&app, "select state from runs where state <> 'ended'").await).await;
        wait_until("deleted chats", async || is_empty(&app, "select title from chats where deleted_at is not null").await).await;
        wait_until("expired rows", async || is_empty(&app, "select key from throttles where key = 'x y'").await).await;

        make_tasks_panic(&app, &["jobs"]).await;
        let due = format!("update users set deletion_asked_at = 1, deletion_at = 2 where id = {of_bob}");
        assert_eq!(app.execute(&due).await, 1);
        app.execute(&format!("{columns} select 'delete_account', id, 'waiting', 2, 1 from users where id = {of_bob}")).await;
        stop_panics(&app, "jobs");
        wait_until("deletions", async || is_empty(&app, "select name from users where name = 'Bob'").await).await;
    }
}

each_db! {
    async fn m04_a_mail_accepted_during_shutdown_is_not_sent_again(app: TestApp) {
        let (app, smtp) = with_mail(&app).await;
        smtp.set_behaviour(Behaviour::DelayConfirmation);
        insert_mail(&app).await;
        wait_until("the mail server has it", async || smtp.received().len() == 1).await;
        app.state.stopping.cancel();
        let state = app.state.clone();
        let closing = tokio::spawn(async move { state.close().await });
        assert!(!closing.is_finished(), "the mail is waited for");
        smtp.confirm();
        closing.await.expect("closed");
        let marked = app.column("select subject from mails where sent_at is not null").await;
        assert_eq!(marked, ["Hello"]);

        smtp.set_behaviour(Behaviour::Accept);
        let next = app.second_instance().await;
        next.state.clock.advance(200);
        next.state.jobs.drain(colloquy::domain::JobKind::SendMail).await.expect("a queue");
        assert_eq!(smtp.received().len(), 1, "once");
        next.stop().await;
    }
}

each_db! {
    async fn all_background_tasks_end_at_shutdown(app: TestApp) {
        let (app, _smtp) = with_mail(&app).await;
        let mut ada: Client = app.administrator().await;
        let sent = ada.send_message(None, "[[paced 2000 20]]").await;
        wait_until("an answer is being written", async || app.state.chats.open_runs() == 1).await;
        app.stop().await;
        assert_eq!(app.state.chats.open_runs(), 0, "the answer of {} was put down", sent.chat);
        assert_eq!(app.column("select state from runs").await, ["ended"]);
    }
}
