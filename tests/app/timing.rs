//! What is written for a stranger does not depend on whether an address is known: where a commit waits for a disk, a clock
//! would tell. Counted in the database, not timed.

use std::{collections::BTreeSet, fs};

use crate::{
    credentials::id_of,
    support::{
        app::{PASSWORD, TestApp, each_db},
        client::Client,
        smtp::Smtp,
    },
};

/// The transactions that have written, as the database itself knows them.
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

/// The places in SQLite's log at which a commit ends: the frames that name the size of the database. Each frame has the
/// salts of the log's head, and those that have others are left from before.
fn commits(wal: &[u8]) -> BTreeSet<String> {
    let number = |at: usize| u32::from_be_bytes(wal[at..at + 4].try_into().expect("four bytes"));
    let frame = 24 + usize::try_from(number(8)).expect("the size of a page");
    let starts = (32..wal.len() - frame + 1).step_by(frame);
    let salts = &wal[16..24];
    let ends = starts.filter(|at| wal[at + 8..at + 16] == *salts && number(at + 4) != 0);
    ends.map(|at| format!("{salts:?} {at}")).collect()
}

/// How many transactions a request has written, and its status.
async fn written(app: &TestApp, client: &mut Client, path: &str, fields: &[(&str, &str)]) -> (usize, u16) {
    let before = transactions(app).await;
    let answer = client.post_form(path, fields).await;
    let after = transactions(app).await;
    (after.difference(&before).count(), answer.status.as_u16())
}

/// An installation whose background work rests, so that only requests write; Ada and Bob have accounts, Cy one that is not
/// verified, Dan's is shut.
async fn house(app: &TestApp) -> (TestApp, Smtp) {
    let smtp = Smtp::start().await;
    let mail = smtp.config();
    let app = TestApp::start_with(app.kept(), |config| {
        config.sign_up_open = true;
        config.mail = Some(mail);
    })
    .await;
    let mut ada = app.administrator().await;
    app.person("bob@example.org", "Bob").await;
    app.person("dan@example.org", "Dan").await;
    let form = [("email", "cy@example.org"), ("name", "Cy"), ("password", PASSWORD)];
    assert_eq!(app.stranger().post_form("/api/sign_up", &form).await.status, 200);
    let dan = id_of(&app, "dan@example.org").await.to_string();
    let shut = ada.post_form("/api/change_person", &[("user", &dan), ("change", "disable")]).await;
    assert_eq!(shut.status, 200, "{}", shut.text());
    smtp.taken_by(&app.state, 2).await;
    app.state.stopping.cancel();
    (app, smtp)
}

const KNOWN: [&str; 5] = ["ada@example.org", "bob@example.org", "cy@example.org", "dan@example.org", "BOB@example.org"];

each_db! {
    async fn a05_asking_for_a_password_writes_the_same_for_known_and_unknown_addresses(app: TestApp) {
        let (app, smtp) = house(&app).await;
        let mails = smtp.taken().len();
        let mut stranger = app.stranger();
        let ask = "/api/request_password_reset";
        let unknown = written(&app, &mut stranger, ask, &[("email", "nobody@example.org")]).await;
        assert_eq!(unknown, (1, 200));
        for email in KNOWN {
            assert_eq!(written(&app, &mut stranger, ask, &[("email", email)]).await, unknown, "{email}");
        }
        let asked = "select email from reset_requests order by created_at, id";
        assert_eq!(app.column(asked).await.len(), 6, "each is kept until it is looked at");
        assert_eq!(app.column("select email from links where purpose = 'reset_password'").await.len(), 0);

        app.state.accounts.carry_out_resets().await.expect("the requests");
        let links = app.column("select email from links where purpose = 'reset_password' order by email").await;
        assert_eq!(links, ["ada@example.org", "bob@example.org", "bob@example.org", "cy@example.org"], "not of who is shut");
        assert_eq!(app.column(asked).await, Vec::<String>::new());
        assert_eq!(smtp.taken_by(&app.state, mails + 4).await.len(), mails + 4);
        let told = app.column("select address from audit where action = 'ask_reset'").await;
        assert_eq!(told, ["127.0.0.1"; 4]);
    }
}

each_db! {
    async fn a05_signing_up_writes_the_same_for_free_and_taken_addresses(app: TestApp) {
        let (app, _smtp) = house(&app).await;
        let mut stranger = app.stranger();
        let sign_up = async |stranger: &mut Client, email: &str| {
            let form = [("email", email), ("name", "Guest"), ("password", PASSWORD)];
            written(&app, stranger, "/api/sign_up", &form).await
        };
        let free = sign_up(&mut stranger, "free@example.org").await;
        assert_eq!(free, (2, 200), "the try is counted, and the account written");
        // More often than its owner is told, too.
        for email in KNOWN.into_iter().chain(["free@example.org"; 5]) {
            assert_eq!(sign_up(&mut stranger, email).await, free, "{email}");
        }
        assert_eq!(sign_up(&mut stranger, "other@example.org").await, free);
    }
}

each_db! {
    async fn a05_a_wrong_password_writes_the_same_for_known_and_unknown_addresses(app: TestApp) {
        let (app, _smtp) = house(&app).await;
        let mut stranger = app.stranger();
        let sign_in = async |stranger: &mut Client, email: &str| {
            let form = [("email", email), ("password", "wrong-wrong-wrong")];
            written(&app, stranger, "/api/sign_in", &form).await
        };
        let unknown = sign_in(&mut stranger, "nobody@example.org").await;
        assert_eq!(unknown, (2, 422), "the try is counted, and the refusal written down");
        for email in KNOWN {
            assert_eq!(sign_in(&mut stranger, email).await, unknown, "{email}");
        }
        let refused = app.column("select outcome from audit where action = 'sign_in' and outcome = 'refused'").await;
        assert_eq!(refused.len(), 6);
    }
}

each_db! {
    async fn a05_a_link_for_a_new_password_is_mailed_without_being_asked_for_twice(app: TestApp) {
        let smtp = Smtp::start().await;
        let mail = smtp.config();
        let app = TestApp::start_with(app.kept(), |config| config.mail = Some(mail)).await;
        app.administrator().await;
        let ask = [("email", "ada@example.org")];
        assert_eq!(app.stranger().post_form("/api/request_password_reset", &ask).await.status, 200);
        // By the instance that was asked, or by any other one that is running.
        let link = smtp.newest_to(&app.state, "ada@example.org", 1).await.link();
        assert!(link.contains("/reset-password?token="), "{link}");
        // What an instance left that was stopped is done by the next, unless it is too old.
        app.stop().await;
        assert_eq!(app.stranger().post_form("/api/request_password_reset", &ask).await.status, 200);
        let another = app.another().await;
        smtp.mails_to(&another.state, "ada@example.org", 2).await;
        another.stop().await;
        assert_eq!(app.stranger().post_form("/api/request_password_reset", &ask).await.status, 200);
        app.state.clock.advance(86_401);
        app.state.accounts.carry_out_resets().await.expect("the requests");
        assert_eq!(app.column("select email from reset_requests").await, Vec::<String>::new());
        smtp.mails_to(&another.state, "ada@example.org", 2).await;
    }
}
