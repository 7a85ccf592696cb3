//! The queue of mails, and the mail server at its end.

use std::collections::BTreeSet;

use colloquy::{
    domain::{JobKind, Timestamp},
    server::store::{ClaimedJob, FailingMail, NewMail},
};
use serde_json::json;

use crate::support::{
    app::{PASSWORD, TestApp, each_db},
    client::Client,
    smtp::{Mood, Smtp},
};

/// The same installation once more, with a mail server.
async fn with_mail(app: &TestApp) -> (TestApp, Smtp) {
    let smtp = Smtp::start().await;
    let config = smtp.config();
    (TestApp::start_with(app.kept(), |settings| settings.mail = Some(config)).await, smtp)
}

async fn insert(app: &TestApp, recipient: &str) {
    let (id, created_at) = (app.state.clock.new_id(), app.state.clock.now());
    let mut tx = app.state.store.write().await.expect("a transaction");
    let mail = NewMail { id, recipient, subject: "Hello", text: "secret text", html: "<p>secret text</p>", created_at };
    tx.insert_mail(&mail).await.expect("a mail");
    tx.commit().await.expect("a commit");
}

async fn failing(app: &TestApp) -> Vec<FailingMail> {
    let mut tx = app.state.store.read().await.expect("a unit");
    tx.list_failing_mails().await.expect("a list")
}

async fn send_due(app: &TestApp) -> usize {
    app.state.jobs.drain(JobKind::SendMail).await.expect("a queue").done
}

/// Claims a mail as another instance would.
async fn claim(app: &TestApp) -> Option<ClaimedJob> {
    let (lease, now) = (app.state.clock.new_id(), app.state.clock.now());
    let mut tx = app.state.store.write().await.expect("a transaction");
    let job = tx.claim_job(JobKind::SendMail, lease, now, now.plus_seconds(60)).await.expect("a claim");
    tx.commit().await.expect("a commit");
    job
}

/// Tries until a first failure is noted, as the application's own task may be at it.
async fn failed(app: &TestApp, attempts: i64) -> FailingMail {
    for _ in 0..200 {
        send_due(app).await;
        if let Some(mail) = failing(app).await.pop().filter(|mail| mail.attempts >= attempts) {
            assert_eq!(mail.attempts, attempts);
            return mail;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("there were not {attempts} attempts");
}

each_db! {
    async fn a_mail_is_sent_and_its_texts_are_forgotten(app: TestApp) {
        let (app, smtp) = with_mail(&app).await;
        insert(&app, "bob@example.org").await;
        let mail = smtp.newest_to(&app.state, "bob@example.org", 1).await;
        assert_eq!(mail.from, "chat@example.org");
        assert_eq!((mail.header("Subject"), mail.header("Auto-Submitted")), ("Hello", "auto-generated"));
        assert_eq!(mail.part("text/plain").trim(), "secret text");
        assert_eq!(mail.part("text/html").trim(), "<p>secret text</p>");
        // The mail server has it a moment before the row says so.
        for _ in 0..100 {
            if app.column("select text || html from mails where sent_at is not null").await == [""] {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert_eq!(app.column("select text || html from mails where sent_at is not null").await, [""]);
        assert_eq!(failing(&app).await, []);
    }
}

each_db! {
    async fn a_mail_that_is_refused_is_tried_again_later_and_given_up_in_the_end(app: TestApp) {
        let (app, smtp) = with_mail(&app).await;
        smtp.becomes(Mood::Refuses);
        insert(&app, "bob@example.org").await;
        let first = failed(&app, 1).await;
        assert!(first.last_error.as_deref().is_some_and(|error| error.contains("451")), "{first:?}");
        assert!(first.next_attempt_at > Some(app.state.clock.now()));
        assert_eq!(send_due(&app).await, 0);
        app.state.clock.advance(61);
        failed(&app, 2).await;
        assert_eq!(smtp.connections(), 2, "not before the time");

        insert(&app, "eve@example.org").await;
        app.state.clock.advance(301);
        smtp.becomes(Mood::Takes);
        smtp.mails_to(&app.state, "bob@example.org", 1).await;
        smtp.mails_to(&app.state, "eve@example.org", 1).await;

        smtp.becomes(Mood::Refuses);
        insert(&app, "carol@example.org").await;
        let begun = app.state.clock.now();
        for attempt in 1..20 {
            let mail = failed(&app, attempt).await;
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

/// What administrators see of a mail: whether it will be tried again, and why it was not sent.
async fn shown(ada: &mut Client, recipient: &str) -> (bool, String) {
    let people: serde_json::Value = ada.post_json("/api/load_people", &json!({ "search": "" })).await.json();
    let mails = people["undelivered"].as_array().expect("a list");
    let mail = mails.iter().find(|mail| mail["recipient"] == recipient).expect("the mail");
    (mail["tries_again"].as_bool().expect("a truth"), mail["error"].as_str().expect("a text").to_owned())
}

each_db! {
    async fn a_mail_that_is_refused_for_good_is_given_up_at_once_and_shown(app: TestApp) {
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
            smtp.becomes(Mood::Says(at, answer));
            insert(&app, &recipient).await;
            let given_up = failing_to(&app, &recipient).await;
            assert_eq!((given_up.attempts, given_up.next_attempt_at), (1, None), "{answer}");
            let (tries_again, error) = shown(&mut ada, &recipient).await;
            assert!(!tries_again && error.contains(&answer[..3]), "{answer}: {error}");
            let texts = app.column(&format!("select text || html from mails where recipient = '{recipient}'")).await;
            assert_eq!(texts, [""], "what is given up keeps no links");
        }
        let tried = smtp.connections();
        smtp.becomes(Mood::Takes);
        app.state.clock.advance(86_400);
        assert_eq!((send_due(&app).await, smtp.connections()), (0, tried), "none is tried again");
        assert_eq!(app.column("select detail from audit where action = 'setup_fault'").await, Vec::<String>::new());
    }
}

each_db! {
    async fn a_mail_that_is_given_up_does_not_hold_up_the_others(app: TestApp) {
        let (app, smtp) = with_mail(&app).await;
        smtp.becomes(Mood::Says("RCPT TO:<BOB", "550 nobody of that name"));
        for recipient in ["bob@example.org", "carol@example.org", "bobby@example.org", "dora@example.org"] {
            insert(&app, recipient).await;
        }
        let taken = smtp.taken_by(&app.state, 2).await;
        assert_eq!(taken.iter().map(|mail| mail.to[0].as_str()).collect::<Vec<_>>(), ["carol@example.org", "dora@example.org"]);
        assert_eq!(failing(&app).await.iter().filter(|mail| mail.next_attempt_at.is_none()).count(), 2);
    }
}

each_db! {
    async fn what_may_pass_is_tried_again(app: TestApp) {
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
            smtp.becomes(Mood::Says(at, answer));
            insert(&app, &recipient).await;
            let failed = failing_to(&app, &recipient).await;
            assert!(failed.attempts == 1 && failed.next_attempt_at.is_some(), "{at} {answer}: {failed:?}");
            smtp.becomes(Mood::Takes);
            app.state.clock.advance(61);
            smtp.mails_to(&app.state, &recipient, 1).await;
        }
        assert_eq!(app.column("select detail from audit where action = 'setup_fault'").await, Vec::<String>::new());
    }
}

each_db! {
    async fn a_mail_server_that_does_not_let_us_in_loses_no_mail_and_is_told_to_administrators_once(app: TestApp) {
        let smtp = Smtp::start().await;
        let config = smtp.config_with_login();
        let app = TestApp::start_with(app.kept(), |settings| settings.mail = Some(config)).await;
        let mut ada = app.administrator().await;
        for (nth, (at, answer)) in [
            ("AUTH", "535 5.7.8 wrong user or password"),
            ("HELLO", "554 no service for your address"),
            ("EHLO", "550 who are you"),
            ("MAIL", "530 5.7.0 sign in first"),
            ("MAIL", "553 5.1.7 that address is not yours"),
        ].into_iter().enumerate() {
            let recipient = format!("r{}@example.org", app.state.clock.new_id());
            smtp.becomes(Mood::Says(at, answer));
            insert(&app, &recipient).await;
            let failed = failing_to(&app, &recipient).await;
            let now = app.state.clock.now();
            assert!(failed.attempts == 1 && failed.next_attempt_at > Some(now.plus_seconds(600)), "{answer}: {failed:?}");
            assert!(shown(&mut ada, &recipient).await.0, "{answer}: it will be tried again");
            // Nothing else is tried either, so that nobody locks the account by a wrong password.
            let tried = smtp.connections();
            insert(&app, &format!("other{nth}@example.org")).await;
            assert_eq!((send_due(&app).await, smtp.connections()), (0, tried), "{answer}");
            smtp.becomes(Mood::Takes);
            app.state.clock.advance(901);
            smtp.mails_to(&app.state, &recipient, 1).await;
            smtp.mails_to(&app.state, &format!("other{nth}@example.org"), 1).await;
        }
        let told = app.column("select detail from audit where action = 'setup_fault'").await;
        assert!(told.len() == 1 && told[0].contains("(535)") && !told[0].contains("cret"), "{told:?}");
    }
}

/// The failure of the mail to somebody, once it was tried.
async fn failing_to(app: &TestApp, recipient: &str) -> FailingMail {
    for _ in 0..200 {
        send_due(app).await;
        if let Some(mail) = failing(app).await.into_iter().find(|mail| mail.recipient == recipient) {
            return mail;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the mail was not tried");
}

each_db! {
    async fn m04_two_instances_send_a_mail_once(app: TestApp) {
        let (one, smtp) = with_mail(&app).await;
        let two = one.another().await;
        let recipients: BTreeSet<String> = (0..30).map(|n| format!("reader{n}@example.org")).collect();
        for recipient in &recipients {
            insert(&one, recipient).await;
        }
        for _ in 0..200 {
            tokio::join!(send_due(&one), send_due(&two));
            if smtp.taken().len() >= recipients.len() {
                break;
            }
        }
        // Both would have come again by now.
        tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
        let taken = smtp.taken();
        assert_eq!(taken.len(), recipients.len());
        assert_eq!(taken.iter().flat_map(|mail| mail.to.clone()).collect::<BTreeSet<_>>(), recipients);
    }
}

each_db! {
    async fn m04_a_mail_of_a_dead_instance_is_free_when_its_lease_is_over(app: TestApp) {
        insert(&app, "bob@example.org").await;
        assert_eq!(claim(&app).await.expect("a mail").attempts, 1);
        assert!(claim(&app).await.is_none());
        app.state.clock.advance(61);
        assert_eq!(claim(&app).await.expect("the mail").attempts, 2);
    }
}

each_db! {
    async fn a_mail_server_that_says_nothing_holds_nobody_up(app: TestApp) {
        let (app, smtp) = with_mail(&app).await;
        let other = app.another().await;
        app.administrator().await;
        smtp.becomes(Mood::Hangs);
        insert(&app, "bob@example.org").await;
        while smtp.connections() == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let begun = std::time::Instant::now();
        assert_eq!(claim(&other).await, None, "the mail is claimed");
        let form = [("email", "ada@example.org"), ("password", PASSWORD)];
        assert_eq!(app.stranger().post_form("/api/sign_in", &form).await.status, 200);
        assert!(begun.elapsed().as_secs() < 8, "no transaction is open while a mail is sent");
        assert_eq!(smtp.connections(), 1);
        smtp.becomes(Mood::Takes);
        let mail = failed_in_time(&app).await;
        assert_eq!(mail.attempts, 1);
    }
}

/// The first failure, once the mail server was waited for.
async fn failed_in_time(app: &TestApp) -> FailingMail {
    for _ in 0..400 {
        if let Some(mail) = failing(app).await.pop() {
            return mail;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the mail server was waited for too long");
}

each_db! {
    async fn row_13_an_address_that_is_more_than_one_goes_nowhere(app: TestApp) {
        let (app, smtp) = with_mail(&app).await;
        insert(&app, "bob@example.org\r\nBcc: eve@example.org").await;
        let mail = failed(&app, 1).await;
        assert!(mail.last_error.is_some_and(|error| error.contains("address")));
        assert_eq!(mail.next_attempt_at, None, "it will not become one");
        assert_eq!((smtp.connections(), smtp.taken().len()), (0, 0));
        let mut stranger = app.stranger();
        for bad in ["a@b.org\r\nBcc: x@y.org", "a@b@c.org", "\"a b\"@c.org", "а@example.org", &format!("{}@b.org", "a".repeat(300))] {
            let refused = stranger.post_form("/api/request_password_reset", &[("email", bad)]).await;
            assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("email")), "{bad:?}");
        }
    }
}

each_db! {
    async fn a_mail_is_in_the_language_of_whoever_gets_it(app: TestApp) {
        let (app, smtp) = with_mail(&app).await;
        let mut ada = app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        let changed = bob.post_form("/api/change_locale", &[("language", "de"), ("time_zone", "")]).await;
        assert_eq!(changed.status, 200, "{}", changed.text());
        let newest = async |recipient: &str, count: usize| {
            smtp.newest_to(&app.state, recipient, count).await.part("text/plain")
        };

        // Whoever asks, and whatever they read.
        app.stranger().post_form("/api/request_password_reset", &[("email", "BOB@example.org")]).await;
        let reset = newest("bob@example.org", 1).await;
        assert!(reset.contains("Neues Passwort wählen:") && reset.contains("Der Link gilt 15 Minuten"), "{reset}");

        // Nobody has the other address: it is going to be Bob's.
        bob.post_form("/api/request_address_change", &[("email", "rob@example.net")]).await;
        let confirm = newest("rob@example.net", 1).await;
        assert!(confirm.contains("Neue Adresse bestätigen:"), "{confirm}");
        let notice = newest("bob@example.org", 2).await;
        assert!(notice.contains("soll rob@example.net werden") && notice.contains(", von 127.0.0.* aus."), "{notice}");

        // Nor this one: Ada invites in her own language.
        let form = [("email", "eve@example.net"), ("role", "member"), ("uses", "1"), ("days", "2")];
        ada.post_form("/api/create_invitation", &form).await;
        let invitation = newest("eve@example.net", 1).await;
        assert!(invitation.contains("The link holds for 2 days."), "{invitation}");

        // When the last mail is written, the account is gone.
        bob.post_form("/api/delete_account", &[("email", "bob@example.org")]).await;
        let told = newest("bob@example.org", 3).await;
        assert!(told.contains("Dein Konto und alles darin wird am "), "{told}");
        app.state.clock.advance(86_401);
        while !app.column("select email from users where email = 'bob@example.org'").await.is_empty() {
            app.work_off(JobKind::DeleteAccount).await;
        }
        let last = newest("bob@example.org", 4).await;
        assert!(last.contains("Dein Konto wurde am ") && last.contains("1 Konto"), "{last}");
    }
}
