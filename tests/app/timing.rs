//! The number of writes for a request does not depend on whether the account exists: commits that wait for a disk would
//! reveal it by their time. The tests count transactions instead of measuring times.

use std::{collections::BTreeSet, fs};

use crate::{
    credentials::id_of,
    support::{
        app::{PASSWORD, TestApp, each_db},
        client::Client,
        smtp::Smtp,
    },
};

/// The ids of the committed write transactions.
async fn transactions(app: &TestApp) -> BTreeSet<String> {
    if app.config.database_url.is_none() {
        let wal = fs::read(app.config.data.join("colloquy.db-wal")).expect("the log of changes");
        return commits(&wal);
    }
    let tables = "select table_name::text from information_schema.tables
                  where table_schema = 'public' and table_type = 'BASE TABLE' and table_name not like '\\_sqlx%'";
    let mut found = BTreeSet::new();
    for table in app.column(tables).await {
        found.extend(app.column(&format!("select distinct xmin::text from \"{table}\"")).await);
    }
    found
}

/// The positions of commits in SQLite's write-ahead log: the frames that contain the size of the database. Frames whose
/// salts differ from those in the log's header are left over from before a checkpoint.
fn commits(wal: &[u8]) -> BTreeSet<String> {
    let number = |at: usize| u32::from_be_bytes(wal[at..at + 4].try_into().expect("four bytes"));
    let frame = 24 + usize::try_from(number(8)).expect("the size of a page");
    let starts = (32..wal.len() - frame + 1).step_by(frame);
    let salts = &wal[16..24];
    let ends = starts.filter(|at| wal[at + 8..at + 16] == *salts && number(at + 4) != 0);
    ends.map(|at| format!("{salts:?} {at}")).collect()
}

/// The number of write transactions of a request, and its status.
async fn count_writes(app: &TestApp, client: &mut Client, path: &str, fields: &[(&str, &str)]) -> (usize, u16) {
    let before = transactions(app).await;
    let answer = client.post_form(path, fields).await;
    let after = transactions(app).await;
    (after.difference(&before).count(), answer.status.as_u16())
}

/// An installation without background tasks, so that only requests write. Ada and Bob have accounts, Cy's is
/// unverified, Dan's is disabled.
async fn quiet_installation(app: &TestApp) -> (TestApp, Smtp) {
    let smtp = Smtp::start().await;
    let mail = smtp.config();
    let app = TestApp::start_with(app.backend(), |config| {
        config.sign_up_open = true;
        config.mail = Some(mail);
    })
    .await;
    let mut ada = app.administrator().await;
    app.person("bob@example.org", "Bob").await;
    app.person("dan@example.org", "Dan").await;
    let form = [("email", "cy@example.org"), ("name", "Cy"), ("password", PASSWORD)];
    assert_eq!(app.anonymous().post_form("/api/sign_up", &form).await.status, 200);
    let dan = id_of(&app, "dan@example.org").await.to_string();
    let shut = ada.post_form("/api/change_person", &[("user", &dan), ("change", "disable")]).await;
    assert_eq!(shut.status, 200, "{}", shut.text());
    smtp.wait_for_mails(&app.state, 2).await;
    app.state.stopping.cancel();
    (app, smtp)
}

const KNOWN: [&str; 5] = ["ada@example.org", "bob@example.org", "cy@example.org", "dan@example.org", "BOB@example.org"];

each_db! {
    async fn a05_a_password_reset_writes_the_same_for_known_and_unknown_addresses(app: TestApp) {
        let (app, smtp) = quiet_installation(&app).await;
        let mails = smtp.received().len();
        let mut anonymous = app.anonymous();
        let ask = "/api/request_mail";
        let unknown = count_writes(&app, &mut anonymous, ask, &[("purpose", "reset"), ("email", "nobody@example.org")]).await;
        assert_eq!(unknown, (1, 200));
        for email in KNOWN {
            assert_eq!(count_writes(&app, &mut anonymous, ask, &[("purpose", "reset"), ("email", email)]).await, unknown, "{email}");
        }
        let asked = "select email from reset_requests order by created_at, id";
        assert_eq!(app.column(asked).await.len(), 6, "each is stored until it is processed");
        assert_eq!(app.column("select email from links where purpose = 'reset_password'").await.len(), 0);

        app.state.accounts.process_mail_requests().await.expect("the requests");
        let links = app.column("select email from links where purpose = 'reset_password' order by email").await;
        assert_eq!(links, ["ada@example.org", "bob@example.org", "bob@example.org", "cy@example.org"], "not for the disabled account");
        assert_eq!(app.column(asked).await, Vec::<String>::new());
        assert_eq!(smtp.wait_for_mails(&app.state, mails + 4).await.len(), mails + 4);
        let addresses = app.column("select address from audit where action = 'ask_reset'").await;
        assert_eq!(addresses, ["127.0.0.1"; 4]);
    }
}

each_db! {
    async fn a05_another_confirmation_link_writes_the_same_for_known_and_unknown_addresses(app: TestApp) {
        let (app, smtp) = quiet_installation(&app).await;
        let mails = smtp.received().len();
        let mut anonymous = app.anonymous();
        let ask = async |client: &mut Client, email: &str| {
            count_writes(&app, client, "/api/request_mail", &[("email", email), ("purpose", "confirmation")]).await
        };
        let unknown = ask(&mut anonymous, "nobody@example.org").await;
        assert_eq!(unknown, (1, 200));
        for email in KNOWN {
            assert_eq!(ask(&mut anonymous, email).await, unknown, "{email}");
        }
        assert_eq!(app.column("select email from reset_requests").await.len(), 6, "each is stored until it is processed");
        app.state.accounts.process_mail_requests().await.expect("the requests");
        assert_eq!(app.column("select email from reset_requests").await, Vec::<String>::new());
        // Cy gets another link, Ada and Bob hear that they have an account, the disabled account and nobody get nothing.
        let links = app.column("select email from links where purpose = 'verify_address' order by email").await;
        assert_eq!(links, ["cy@example.org"; 2]);
        assert_eq!(smtp.wait_for_mails(&app.state, mails + 4).await.len(), mails + 4);
    }
}

each_db! {
    async fn a05_sign_up_writes_the_same_for_free_and_used_addresses(app: TestApp) {
        let (app, _smtp) = quiet_installation(&app).await;
        let mut anonymous = app.anonymous();
        let sign_up = async |anonymous: &mut Client, email: &str| {
            let form = [("email", email), ("name", "Guest"), ("password", PASSWORD)];
            count_writes(&app, anonymous, "/api/sign_up", &form).await
        };
        let free = sign_up(&mut anonymous, "free@example.org").await;
        // The attempt is counted, the account is stored, and the session is saved: twice, which only SQLite's log shows.
        assert_eq!(free, (if app.config.database_url.is_none() { 4 } else { 3 }, 200));
        // Also after the limit of mails to the owner.
        for email in KNOWN.into_iter().chain(["free@example.org"; 5]) {
            assert_eq!(sign_up(&mut anonymous, email).await, free, "{email}");
        }
        assert_eq!(sign_up(&mut anonymous, "other@example.org").await, free);
    }
}

each_db! {
    async fn a05_a_wrong_password_writes_the_same_for_known_and_unknown_addresses(app: TestApp) {
        let (app, _smtp) = quiet_installation(&app).await;
        let mut anonymous = app.anonymous();
        let sign_in = async |anonymous: &mut Client, email: &str| {
            let form = [("email", email), ("password", "wrong-wrong-wrong")];
            count_writes(&app, anonymous, "/api/sign_in", &form).await
        };
        let unknown = sign_in(&mut anonymous, "nobody@example.org").await;
        assert_eq!(unknown, (2, 422), "the attempt is counted, and the refusal is recorded");
        for email in KNOWN {
            assert_eq!(sign_in(&mut anonymous, email).await, unknown, "{email}");
        }
        let refused = app.column("select outcome from audit where action = 'sign_in' and outcome = 'refused'").await;
        assert_eq!(refused.len(), 6);
    }
}

each_db! {
    async fn a05_a_reset_link_is_mailed_after_one_request(app: TestApp) {
        let smtp = Smtp::start().await;
        let mail = smtp.config();
        let app = TestApp::start_with(app.backend(), |config| config.mail = Some(mail)).await;
        app.administrator().await;
        let ask = [("purpose", "reset"), ("email", "ada@example.org")];
        assert_eq!(app.anonymous().post_form("/api/request_mail", &ask).await.status, 200);
        // By this instance, or by any other running one.
        let link = smtp.newest_mail_to(&app.state, "ada@example.org", 1).await.link();
        assert!(link.contains("/reset-password?token="), "{link}");
        // Requests left over by a stopped instance are done by the next, unless they are too old.
        app.stop().await;
        assert_eq!(app.anonymous().post_form("/api/request_mail", &ask).await.status, 200);
        let another = app.second_instance().await;
        smtp.mails_to(&another.state, "ada@example.org", 2).await;
        another.stop().await;
        assert_eq!(app.anonymous().post_form("/api/request_mail", &ask).await.status, 200);
        app.state.clock.advance(86_401);
        app.state.accounts.process_mail_requests().await.expect("the requests");
        assert_eq!(app.column("select email from reset_requests").await, Vec::<String>::new());
        smtp.mails_to(&another.state, "ada@example.org", 2).await;
    }
}
