//! The mail queue and the mail server.

use std::collections::BTreeSet;

use colloquy::{
    domain::{JobKind, Timestamp},
    server::store::{ClaimedJob, FailingMail, NewMail},
};
use serde_json::json;

use crate::support::{
    app::{PASSWORD, TestApp, each_db},
    client::Client,
    smtp::{Behaviour, ReceivedMail, Smtp},
    wait::{wait_for, wait_until},
};

/// Another installation on the same kind of database, with a mail server.
async fn with_mail(app: &TestApp) -> (TestApp, Smtp) {
    let smtp = Smtp::start().await;
    let config = smtp.config();
    (TestApp::start_with(app.backend(), |settings| settings.mail = Some(config)).await, smtp)
}

async fn insert(app: &TestApp, recipient: &str) {
    let (id, created_at) = (app.state.clock.new_id(), app.state.clock.now());
    let mut tx = app.state.store.write().await.expect("a transaction");
    let mail = NewMail { id, recipient, subject: "Hello", text: "secret text", html: "<p>secret text</p>", created_at };
    tx.insert_mail(&mail).await.expect("a mail");
    tx.commit().await.expect("a commit");
}

async fn failing_mails(app: &TestApp) -> Vec<FailingMail> {
    let mut tx = app.state.store.read().await.expect("a unit");
    tx.admin().list_failing_mails().await.expect("a list")
}

async fn send_due(app: &TestApp) -> usize {
    app.state.jobs.drain(JobKind::SendMail).await.expect("a queue").done
}

/// Claims a mail like another instance.
async fn claim(app: &TestApp) -> Option<ClaimedJob> {
    let (lease, now) = (app.state.clock.new_id(), app.state.clock.now());
    let mut tx = app.state.store.write().await.expect("a transaction");
    let job = tx.engine().claim_job(JobKind::SendMail, lease, now, now.plus_seconds(60)).await.expect("a claim");
    tx.commit().await.expect("a commit");
    job
}

/// Waits until this many attempts have failed. The application's own worker may have claimed the mail, so this polls.
async fn wait_for_attempts(app: &TestApp, attempts: i64) -> FailingMail {
    let mail = wait_for(&format!("{attempts} attempts have failed"), async || {
        send_due(app).await;
        failing_mails(app).await.pop().filter(|mail| mail.attempts >= attempts)
    })
    .await;
    assert_eq!(mail.attempts, attempts);
    mail
}

each_db! {
    async fn a_mail_is_sent_and_its_text_is_deleted(app: TestApp) {
        let (app, smtp) = with_mail(&app).await;
        insert(&app, "bob@example.org").await;
        let mail = smtp.newest_mail_to(&app.state, "bob@example.org", 1).await;
        assert_eq!(mail.from, "chat@example.org");
        assert_eq!((mail.header("Subject"), mail.header("Auto-Submitted")), ("Hello", "auto-generated"));
        assert_eq!(mail.part("text/plain").trim(), "secret text");
        assert_eq!(mail.part("text/html").trim(), "<p>secret text</p>");
        // The mail server receives the mail a moment before the row is updated.
        let text = "select text || html from mails where sent_at is not null";
        wait_until("the text is deleted", async || app.column(text).await == [""]).await;
        assert_eq!(failing_mails(&app).await, []);
    }
}

each_db! {
    async fn a_temporarily_refused_mail_is_retried_and_finally_given_up(app: TestApp) {
        let (app, smtp) = with_mail(&app).await;
        smtp.set_behaviour(Behaviour::Reject);
        insert(&app, "bob@example.org").await;
        let first = wait_for_attempts(&app, 1).await;
        assert!(first.last_error.as_deref().is_some_and(|error| error.contains("451")), "{first:?}");
        assert!(first.next_attempt_at > Some(app.state.clock.now()));
        assert_eq!(send_due(&app).await, 0);
        app.state.clock.advance(61);
        wait_for_attempts(&app, 2).await;
        assert_eq!(smtp.connections(), 2, "not before the time");

        insert(&app, "eve@example.org").await;
        app.state.clock.advance(301);
        smtp.set_behaviour(Behaviour::Accept);
        smtp.mails_to(&app.state, "bob@example.org", 1).await;
        smtp.mails_to(&app.state, "eve@example.org", 1).await;

        smtp.set_behaviour(Behaviour::Reject);
        insert(&app, "carol@example.org").await;
        let begun = app.state.clock.now();
        for attempt in 1..20 {
            let mail = wait_for_attempts(&app, attempt).await;
            let Some(next) = mail.next_attempt_at else {
                assert!((8..=14).contains(&attempt), "given up after {attempt}");
                assert!(app.state.clock.now() > begun.plus_seconds(36 * 3_600));
                let texts = app.column("select text || html from mails where recipient = 'carol@example.org'").await;
                assert_eq!(texts, [""], "what is given up keeps no links");
                return;
            };
            let wait: fn(Timestamp, Timestamp) -> i64 = |from, to| (to.micros() - from.micros()) / 1_000_000 + 1;
            app.state.clock.advance(wait(app.state.clock.now(), next));
        }
        panic!("it was never given up");
    }
}

/// What administrators see of an undelivered mail: whether it will be retried, and the error.
async fn undelivered(ada: &mut Client, recipient: &str) -> (bool, String) {
    let people: serde_json::Value = ada.post_json("/api/load_people", &json!({ "search": "" })).await.json();
    let mails = people["undelivered"].as_array().expect("a list");
    let mail = mails.iter().find(|mail| mail["recipient"] == recipient).expect("the mail");
    (mail["will_retry"].as_bool().expect("a truth"), mail["error"].as_str().expect("a text").to_owned())
}

each_db! {
    async fn a_permanently_refused_mail_is_given_up_immediately_and_shown(app: TestApp) {
        let (app, smtp) = with_mail(&app).await;
        let mut ada = app.administrator().await;
        for (at, answer) in [
            ("RCPT", "550 5.1.1 nobody of that name"),
            ("MAIL", "550 not from you"),
            ("RCPT", "553-this address\r\n553 is none"),
            ("DATA", "554 no valid recipients"),
            (".", "554 5.7.1 this looks like spam"),
            (".", "552 5.3.4 too large"),
            ("RCPT", "501 5.1.3 bad address syntax"),
        ] {
            let recipient = format!("r{}@example.org", app.state.clock.new_id());
            smtp.set_behaviour(Behaviour::Reply(at, answer));
            insert(&app, &recipient).await;
            let given_up = wait_for_failure(&app, &recipient).await;
            assert_eq!((given_up.attempts, given_up.next_attempt_at), (1, None), "{answer}");
            let (will_retry, error) = undelivered(&mut ada, &recipient).await;
            assert!(!will_retry && error.contains(&answer[..3]), "{answer}: {error}");
            let texts = app.column(&format!("select text || html from mails where recipient = '{recipient}'")).await;
            assert_eq!(texts, [""], "what is given up keeps no links");
        }
        let tried = smtp.connections();
        smtp.set_behaviour(Behaviour::Accept);
        app.state.clock.advance(86_400);
        assert_eq!((send_due(&app).await, smtp.connections()), (0, tried), "none is tried again");
        assert_eq!(app.column("select detail from audit where action = 'setup_fault'").await, Vec::<String>::new());
    }
}

each_db! {
    async fn a_given_up_mail_does_not_delay_others(app: TestApp) {
        let (app, smtp) = with_mail(&app).await;
        smtp.set_behaviour(Behaviour::Reply("RCPT TO:<BOB", "550 nobody of that name"));
        for recipient in ["bob@example.org", "carol@example.org", "bobby@example.org", "dora@example.org"] {
            insert(&app, recipient).await;
        }
        let taken = smtp.wait_for_mails(&app.state, 2).await;
        assert_eq!(taken.iter().map(|mail| mail.to[0].as_str()).collect::<Vec<_>>(), ["carol@example.org", "dora@example.org"]);
        assert_eq!(failing_mails(&app).await.iter().filter(|mail| mail.next_attempt_at.is_none()).count(), 2);
    }
}

each_db! {
    async fn temporary_mail_errors_are_retried(app: TestApp) {
        let (app, smtp) = with_mail(&app).await;
        for (at, answer) in [
            ("HELLO", "421 too busy"),
            ("HELLO", ""),
            ("EHLO", ""),
            ("MAIL", "452 no room"),
            ("RCPT", "450 come back later"),
            ("RCPT", "552 too many recipients"),
            ("RCPT", ""),
            ("DATA", "451 an error here"),
            (".", "552 5.2.2 mailbox full"),
            (".", "421 going down"),
            (".", ""),
            (".", "this is not SMTP"),
        ] {
            let recipient = format!("r{}@example.org", app.state.clock.new_id());
            smtp.set_behaviour(Behaviour::Reply(at, answer));
            insert(&app, &recipient).await;
            let failed = wait_for_failure(&app, &recipient).await;
            assert!(failed.attempts == 1 && failed.next_attempt_at.is_some(), "{at} {answer}: {failed:?}");
            smtp.set_behaviour(Behaviour::Accept);
            app.state.clock.advance(61);
            smtp.mails_to(&app.state, &recipient, 1).await;
        }
        assert_eq!(app.column("select detail from audit where action = 'setup_fault'").await, Vec::<String>::new());
    }
}

each_db! {
    async fn a_mail_server_that_refuses_the_login_loses_no_mail_and_is_reported_once(app: TestApp) {
        let smtp = Smtp::start().await;
        let config = smtp.config_with_login();
        let app = TestApp::start_with(app.backend(), |settings| settings.mail = Some(config)).await;
        let mut ada = app.administrator().await;
        for (nth, (at, answer)) in [
            ("AUTH", "535 5.7.8 wrong user or password"),
            ("HELLO", "554 no service for your address"),
            ("EHLO", "550 who are you"),
            ("MAIL", "530 5.7.0 sign in first"),
            ("MAIL", "553 5.1.7 that address is not yours"),
        ].into_iter().enumerate() {
            let recipient = format!("r{}@example.org", app.state.clock.new_id());
            smtp.set_behaviour(Behaviour::Reply(at, answer));
            insert(&app, &recipient).await;
            let failed = wait_for_failure(&app, &recipient).await;
            let now = app.state.clock.now();
            assert!(failed.attempts == 1 && failed.next_attempt_at > Some(now.plus_seconds(600)), "{answer}: {failed:?}");
            assert!(undelivered(&mut ada, &recipient).await.0, "{answer}: it will be tried again");
            // Other mails are not attempted either, so that wrong passwords do not lock the account at the mail server.
            let tried = smtp.connections();
            insert(&app, &format!("other{nth}@example.org")).await;
            assert_eq!((send_due(&app).await, smtp.connections()), (0, tried), "{answer}");
            smtp.set_behaviour(Behaviour::Accept);
            app.state.clock.advance(901);
            smtp.mails_to(&app.state, &recipient, 1).await;
            smtp.mails_to(&app.state, &format!("other{nth}@example.org"), 1).await;
        }
        let entries = app.column("select detail from audit where action = 'setup_fault'").await;
        assert!(entries.len() == 1 && entries[0].contains("(535)") && !entries[0].contains("cret"), "{entries:?}");
    }
}

/// Waits for the first failed attempt of a mail to this recipient.
async fn wait_for_failure(app: &TestApp, recipient: &str) -> FailingMail {
    wait_for("the mail was tried", async || {
        send_due(app).await;
        failing_mails(app).await.into_iter().find(|mail| mail.recipient == recipient)
    })
    .await
}

each_db! {
    async fn m04_two_instances_send_a_mail_once(app: TestApp) {
        let (one, smtp) = with_mail(&app).await;
        let two = one.second_instance().await;
        let recipients: BTreeSet<String> = (0..30).map(|n| format!("reader{n}@example.org")).collect();
        for recipient in &recipients {
            insert(&one, recipient).await;
        }
        // Also until those that the applications' own workers have claimed are recorded as sent.
        wait_until("all mails are sent", async || {
            tokio::join!(send_due(&one), send_due(&two));
            one.column("select recipient from mails where sent_at is null").await.is_empty()
        })
        .await;
        assert_eq!(tokio::join!(send_due(&one), send_due(&two)), (0, 0));
        let taken = smtp.received();
        assert_eq!(taken.len(), recipients.len());
        assert_eq!(taken.iter().flat_map(|mail| mail.to.clone()).collect::<BTreeSet<_>>(), recipients);
    }
}

each_db! {
    async fn m04_a_mail_of_a_dead_instance_can_be_claimed_when_its_lease_expires(app: TestApp) {
        insert(&app, "bob@example.org").await;
        assert_eq!(claim(&app).await.expect("a mail").attempts, 1);
        assert!(claim(&app).await.is_none());
        app.state.clock.advance(61);
        assert_eq!(claim(&app).await.expect("the mail").attempts, 2);
    }
}

each_db! {
    async fn a_mail_server_that_does_not_respond_blocks_nothing_else(app: TestApp) {
        let (app, smtp) = with_mail(&app).await;
        let other = app.second_instance().await;
        app.administrator().await;
        smtp.set_behaviour(Behaviour::Hang);
        insert(&app, "bob@example.org").await;
        wait_until("the mail server is connected to", async || smtp.connections() > 0).await;
        assert_eq!(claim(&other).await, None, "the mail is claimed");
        let form = [("email", "ada@example.org"), ("password", PASSWORD)];
        assert_eq!(app.anonymous().post_form("/api/sign_in", &form).await.status, 200);
        // Other work has transactions too, but they end soon.
        wait_until("no transaction is open while a mail is sent", async || app.open_transactions().await == 0).await;
        assert_eq!(failing_mails(&app).await, [], "the mail server is still waited for");
        assert_eq!(smtp.connections(), 1);
        smtp.set_behaviour(Behaviour::Accept);
        let mail = wait_for_timeout(&app).await;
        assert_eq!(mail.attempts, 1);
    }
}

/// Waits for the first failure, after the timeout of the mail server.
async fn wait_for_timeout(app: &TestApp) -> FailingMail {
    wait_for("the attempt has failed", async || failing_mails(app).await.pop()).await
}

each_db! {
    async fn row_13_a_recipient_with_several_addresses_is_not_sent(app: TestApp) {
        let (app, smtp) = with_mail(&app).await;
        insert(&app, "bob@example.org\r\nBcc: eve@example.org").await;
        let mail = wait_for_attempts(&app, 1).await;
        assert!(mail.last_error.is_some_and(|error| error.contains("address")));
        assert_eq!(mail.next_attempt_at, None, "it will not become one");
        assert_eq!((smtp.connections(), smtp.received().len()), (0, 0));
        let mut anonymous = app.anonymous();
        for bad in ["a@b.org\r\nBcc: x@y.org", "a@b@c.org", "\"a b\"@c.org", "а@example.org", &format!("{}@b.org", "a".repeat(300))] {
            let refused = anonymous.post_form("/api/request_mail", &[("purpose", "reset"), ("email", bad)]).await;
            assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("email")), "{bad:?}");
        }
    }
}

each_db! {
    async fn mails_are_in_the_language_of_the_recipient(app: TestApp) {
        let (app, smtp) = with_mail(&app).await;
        let mut ada = app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        let changed = bob.post_form("/api/change_locale", &[("language", "de"), ("time_zone", "")]).await;
        assert_eq!(changed.status, 200, "{}", changed.text());
        let newest = async |recipient: &str, count: usize| {
            smtp.newest_mail_to(&app.state, recipient, count).await.part("text/plain")
        };

        // Regardless of the language of the request.
        app.anonymous().post_form("/api/request_mail", &[("purpose", "reset"), ("email", "BOB@example.org")]).await;
        let reset = newest("bob@example.org", 1).await;
        assert!(reset.contains("Neues Passwort wählen:") && reset.contains("Der Link gilt 15 Minuten"), "{reset}");

        // The new address will be Bob's.
        bob.post_form("/api/request_address_change", &[("email", "rob@example.net")]).await;
        let confirm = newest("rob@example.net", 1).await;
        assert!(confirm.contains("Neue E-Mail-Adresse bestätigen:"), "{confirm}");
        let notice = newest("bob@example.org", 2).await;
        assert!(notice.contains("wird in rob@example.net geändert") && notice.contains(", von 127.0.0.* aus."), "{notice}");

        // No one has this address: the invitation is in Ada's language.
        let form = [("email", "eve@example.net"), ("role", "member"), ("uses", "1"), ("days", "2")];
        ada.post_form("/api/create_invitation", &form).await;
        let invitation = newest("eve@example.net", 1).await;
        assert!(invitation.contains("It expires in 2 days."), "{invitation}");

        // The last mail is written after the account is deleted.
        bob.post_form("/api/delete_account", &[("email", "bob@example.org")]).await;
        let scheduled = newest("bob@example.org", 3).await;
        assert!(scheduled.contains("Dein Konto und alles darin wird am "), "{scheduled}");
        app.state.clock.advance(86_401);
        while !app.column("select email from users where email = 'bob@example.org'").await.is_empty() {
            app.run_due_jobs(JobKind::DeleteAccount).await;
        }
        let last = newest("bob@example.org", 4).await;
        assert!(last.contains("Dein Konto wurde am ") && last.contains("1 Konto"), "{last}");
    }
}

#[test]
fn a_token_may_begin_a_line_with_two_hyphens() {
    let data = "Content-Type: multipart/alternative; boundary=\"end\"\r\n\r\n--end\r\n\
        Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
        https://colloquy.example/verify?token=3Dab=\r\n--cd\r\n--end--\r\n";
    let mail = ReceivedMail { data: data.to_owned(), ..ReceivedMail::default() };
    assert_eq!(mail.token(), "ab--cd");
}
