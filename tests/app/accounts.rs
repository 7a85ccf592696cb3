//! Sign-up, sign-in and sessions.

use std::sync::Arc;

use colloquy::{
    domain::{AppError, AuthPageData, CurrentUser, Role, SignInStep, SignUpPolicy},
    server::{
        audit::RequestMeta,
        auth::{Credentials, SessionChange, SessionState},
    },
};
use tower_sessions::{Expiry, Session, cookie::time::Duration};

use crate::support::{
    app::{Backend, PASSWORD, TestApp, each_db},
    client::Client,
};

async fn current_user(client: &mut Client) -> Option<CurrentUser> {
    client.post_form("/api/load_entrance", &[]).await.json::<AuthPageData>().user
}

async fn sign_in(client: &mut Client, email: &str, password: &str) -> crate::support::client::Answer {
    client.post_form("/api/sign_in", &[("email", email), ("password", password)]).await
}

each_db! {
    async fn the_first_account_is_the_administrators_and_closes_sign_up(app: TestApp) {
        let mut anonymous = app.anonymous();
        let entrance: AuthPageData = anonymous.post_form("/api/load_entrance", &[]).await.json();
        assert_eq!(entrance.policy, SignUpPolicy::First);
        let mut ada = app.administrator().await;
        let user = current_user(&mut ada).await.expect("signed in after sign-up");
        assert_eq!((user.role, user.name.as_str()), (Role::Administrator, "Ada"));
        let entrance: AuthPageData = anonymous.post_form("/api/load_entrance", &[]).await.json();
        assert_eq!(entrance.policy, SignUpPolicy::Closed);
        let form = [("email", "eve@example.org"), ("name", "Eve"), ("password", PASSWORD)];
        let refused = anonymous.post_form("/api/sign_up", &form).await;
        assert_eq!((refused.status.as_u16(), refused.error()), (403, AppError::Forbidden));
        assert_eq!(current_user(&mut anonymous).await, None);
    }
}

each_db! {
    async fn a09_of_fifty_concurrent_sign_ups_one_becomes_administrator(app: TestApp) {
        let tries = (0..50).map(|i| {
            let mut client = app.anonymous();
            async move {
                let email = format!("racer{i}@example.org");
                client.post_form("/api/sign_up", &[("email", &email), ("name", "Racer"), ("password", PASSWORD)]).await.status
            }
        });
        let statuses = futures::future::join_all(tries).await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| *status == 200 || *status == 403), "{statuses:?}");
    }
}

each_db! {
    async fn a03_passwords_are_not_trimmed_or_truncated(app: TestApp) {
        let spaced = " plum harbor 🦊 sextant 41 ";
        let mut ada = app.anonymous();
        for bad in ["short", &"x".repeat(1_025), &"y".repeat(900_000)] {
            let refused = ada.post_form("/api/sign_up", &[("email", "ada@example.org"), ("name", "Ada"), ("password", bad)]).await;
            assert_eq!(refused.error().field(), Some("password"));
        }
        let made = ada.post_form("/api/sign_up", &[("email", "ada@example.org"), ("name", "Ada"), ("password", spaced)]).await;
        assert_eq!(made.status, 200, "{}", made.text());
        let mut other = app.anonymous();
        for near in [spaced.trim(), "plum harbor 🦊 sextant 41", " plum harbor 🦊 sextant 42 "] {
            assert_eq!(sign_in(&mut other, "ada@example.org", near).await.status, 422, "{near:?}");
        }
        assert_eq!(sign_in(&mut other, "ADA@example.org", spaced).await.status, 200);
    }
}

each_db! {
    async fn a05_sign_in_does_not_reveal_whether_an_account_exists(app: TestApp) {
        app.administrator().await;
        let mut anonymous = app.anonymous();
        let known = sign_in(&mut anonymous, "ada@example.org", "wrong-wrong-wrong").await;
        let unknown = sign_in(&mut anonymous, "bob@example.org", "wrong-wrong-wrong").await;
        assert_eq!((known.status, &known.body), (unknown.status, &unknown.body));
        let names = |answer: &crate::support::client::Answer| answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(&known), names(&unknown));
    }
}

each_db! {
    async fn a06_guessing_is_rate_limited_and_locks_no_one_out(app: TestApp) {
        app.administrator().await;
        let mut guesser = app.anonymous().at("198.51.100.7");
        let mut statuses = Vec::new();
        for _ in 0..14 {
            statuses.push(sign_in(&mut guesser, "ada@example.org", "wrong-wrong-wrong").await.status.as_u16());
        }
        assert_eq!(statuses, [vec![422; 10], vec![429; 4]].concat());
        let refused = sign_in(&mut guesser, "ada@example.org", PASSWORD).await;
        assert!(matches!(refused.error(), AppError::RateLimited { retry_after: 1..=180 }));
        assert!(!refused.header("retry-after").is_empty());
        let mut ada = app.anonymous().at("203.0.113.9");
        assert_eq!(sign_in(&mut ada, "ada@example.org", PASSWORD).await.status, 200);
        app.state.clock.advance(181);
        assert_eq!(sign_in(&mut guesser, "ada@example.org", PASSWORD).await.status, 200);
    }
}

each_db! {
    async fn a07_rate_limits_are_shared_by_all_instances(app: TestApp) {
        app.administrator().await;
        let other = app.second_instance().await;
        let (mut one, mut two) = (app.anonymous().at("2001:db8::1"), other.anonymous().at("2001:db8::2"));
        let mut accepted = 0;
        for _ in 0..8 {
            for client in [&mut one, &mut two] {
                accepted += u32::from(sign_in(client, "ada@example.org", "wrong-wrong-wrong").await.status == 422);
            }
        }
        assert_eq!(accepted, 10);
    }
}

each_db! {
    async fn s02_sign_in_changes_the_session_id_and_revokes_the_old_one(app: TestApp) {
        let ada = app.administrator().await;
        let mut again = ada.clone();
        assert_eq!(sign_in(&mut again, "ada@example.org", PASSWORD).await.status, 200);
        assert_ne!(ada.cookies, again.cookies);
        let mut old = ada;
        assert_eq!(current_user(&mut old).await, None);
        assert!(current_user(&mut again).await.is_some());
    }
}

each_db! {
    async fn s03_the_cookie_is_same_site_and_http_only(app: TestApp) {
        let mut anonymous = app.anonymous();
        let made = anonymous.post_form("/api/sign_up", &[("email", "ada@example.org"), ("name", "Ada"), ("password", PASSWORD)]).await;
        let line = made.header("set-cookie").to_owned();
        for part in ["colloquy=", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(line.contains(part), "{part} in {line}");
        }
        assert!(!line.contains("Max-Age"), "without \"remember me\" it is a session cookie: {line}");
        let out = anonymous.post_form("/api/sign_out", &[]).await;
        let line = out.header("set-cookie");
        assert!(line.contains("Max-Age=0") && line.contains("Path=/"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s03_over_https_the_cookie_is_secure_and_bound_to_the_host() {
    let app = TestApp::start_with(Backend::Sqlite, |config| {
        config.url = Some(colloquy::server::config::PublicUrl { https: true, host: "127.0.0.1:3000".to_owned() });
    })
    .await;
    let mut anonymous = app.anonymous();
    anonymous.scheme = "https";
    let form = [("email", "ada@example.org"), ("name", "Ada"), ("password", PASSWORD), ("remember", "on")];
    let made = anonymous.post_form("/api/sign_up", &form).await;
    let line = made.header("set-cookie");
    for part in ["__Host-colloquy=", "Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="] {
        assert!(line.contains(part), "{part} in {line} ({})", made.text());
    }
    assert!(!line.contains("Domain"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s03_over_https_the_cookie_is_removed_with_the_same_attributes() {
    let app = TestApp::start_with(Backend::Sqlite, |config| {
        config.url = Some(colloquy::server::config::PublicUrl { https: true, host: "127.0.0.1:3000".to_owned() });
    })
    .await;
    let mut ada = app.anonymous();
    ada.scheme = "https";
    let form = [("email", "ada@example.org"), ("name", "Ada"), ("password", PASSWORD)];
    assert_eq!(ada.post_form("/api/sign_up", &form).await.status, 200);
    let mut removals = vec![ada.post_form("/api/sign_out", &[]).await];
    // Unknown ids and malformed ones.
    for id in ["AAAAAAAAAAAAAAAAAAAAAA", "", "null", "../../x", "AAAAAAAAAAAAAAAAAAAAAA="] {
        let mut anonymous = app.anonymous();
        anonymous.scheme = "https";
        anonymous.cookies.insert("__Host-colloquy".to_owned(), id.to_owned());
        removals.push(anonymous.get("/sign-in").await);
    }
    for answer in removals {
        let line = answer.header("set-cookie");
        assert_eq!(line, "__Host-colloquy=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0");
    }
}

each_db! {
    async fn s04_signing_out_ends_the_session_on_every_instance(app: TestApp) {
        let other = app.second_instance().await;
        let mut ada = app.administrator().await;
        let mut stolen = other.anonymous();
        stolen.cookies = ada.cookies.clone();
        assert!(current_user(&mut stolen).await.is_some());
        assert_eq!(ada.post_form("/api/sign_out", &[]).await.status, 200);
        assert_eq!(current_user(&mut stolen).await, None);
        assert_eq!(current_user(&mut ada).await, None);
    }
}

each_db! {
    async fn s05_sign_ins_expire_when_idle_or_too_old_and_reading_counts_as_use(app: TestApp) {
        let app = app.with_open_sign_up().await;
        app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        const DAY: i64 = 86_400;
        for _ in 0..4 {
            app.state.clock.advance(6 * DAY);
            assert!(current_user(&mut bob).await.is_some(), "reading keeps it alive");
        }
        app.state.clock.advance(7 * DAY + 120);
        assert_eq!(current_user(&mut bob).await, None, "idle");
        assert_eq!(sign_in(&mut bob, "bob@example.org", PASSWORD).await.status, 200);
        for _ in 0..5 {
            app.state.clock.advance(6 * DAY);
            current_user(&mut bob).await;
        }
        assert_eq!(current_user(&mut bob).await, None, "thirty days are the end in any case");
    }
}

each_db! {
    async fn s10_a_failed_sign_in_does_not_change_the_session(app: TestApp) {
        let mut ada = app.administrator().await;
        assert_eq!(sign_in(&mut ada, "ada@example.org", "wrong-wrong-wrong").await.status, 422);
        assert!(current_user(&mut ada).await.is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s12_a_copy_of_the_session_store_does_not_sign_in() {
    let app = TestApp::start(Backend::Sqlite).await;
    let ada = app.administrator().await;
    let cookie = ada.cookies["colloquy"].clone();
    let file = app.config.data.join("colloquy.db");
    let url = format!("sqlite://{}?mode=ro", file.display());
    let pool = sqlx::SqlitePool::connect(&url).await.expect("the file");
    let rows: Vec<(Vec<u8>, String)> =
        sqlx::query_as("select id, record from sessions").fetch_all(&pool).await.expect("rows");
    assert_eq!(rows.len(), 1);
    let (id, record) = &rows[0];
    assert!(!record.contains(&cookie));
    use base64::Engine;
    let kept = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(id);
    assert_ne!(kept, cookie);
    let mut thief = app.anonymous();
    thief.cookies.insert("colloquy".to_owned(), kept);
    assert_eq!(current_user(&mut thief).await, None);
}

each_db! {
    async fn s13_anonymous_visits_create_no_session_and_are_not_cached(app: TestApp) {
        app.administrator().await;
        let mut anonymous = app.anonymous();
        for _ in 0..100 {
            let page = anonymous.get("/sign-in").await;
            assert_eq!(page.status, 200);
            assert!(page.headers.get("set-cookie").is_none());
            assert!(page.header("cache-control").contains("no-store"), "{}", page.header("cache-control"));
        }
        assert!(anonymous.cookies.is_empty());
    }
}

each_db! {
    async fn row_28_malformed_cookies_are_anonymous(app: TestApp) {
        app.administrator().await;
        for cookie in ["x".repeat(10_000), "!!!".into(), "AAAAAAAAAAAAAAAAAAAAAA".into(), String::from("%00")] {
            let mut anonymous = app.anonymous();
            anonymous.cookies.insert("colloquy".to_owned(), cookie);
            assert_eq!(current_user(&mut anonymous).await, None);
        }
    }
}

each_db! {
    async fn row_25_extra_fields_are_refused(app: TestApp) {
        let mut ada = app.anonymous();
        let form = [("email", "ada@example.org"), ("name", "Ada"), ("password", PASSWORD)];
        assert_eq!(ada.post_form("/api/sign_up", &form).await.status, 200);
        let sent = ada.send_message(None, "hello").await;
        ada.wait_for_answer(sent.chat).await;
        let chat = sent.chat.to_string();
        let forged = [("chat", chat.as_str()), ("title", "mine"), ("owner_id", "0190e2a4-7b1c-7def-8123-456789abcdef"), ("created_at", "0"), ("is_admin", "true")];
        assert_eq!(ada.post_form("/api/rename_chat", &forged).await.status, 422);
        assert_eq!(ada.chat(sent.chat).await.title, "hello");
        let mut eve = app.anonymous();
        let forged = [("email", "eve@example.org"), ("name", "Eve"), ("password", PASSWORD), ("role", "administrator")];
        assert_eq!(eve.post_form("/api/sign_up", &forged).await.status, 422, "before anything else is checked");
    }
}

each_db! {
    async fn services_sign_in_without_a_browser(app: TestApp) {
        app.administrator().await;
        let (accounts, meta) = (&app.state.accounts, RequestMeta::default());
        let credentials = || Credentials {
            email: "ada@example.org".to_owned(),
            password: PASSWORD.to_owned(),
            remember: true,
            meta: RequestMeta::default(),
        };
        let valid = async |session: &SessionState| accounts.authenticate_session(session).await.expect("a database");

        let (step, change) = accounts.sign_in(credentials(), &SessionState::default()).await.expect("signed in");
        assert_eq!(step, SignInStep::Done);
        let SessionChange::SignedIn { sign_in, serial, cookie_seconds: Some(_) } = change else { panic!("{change:?}") };
        let first = SessionState { sign_in: Some(sign_in), serial, ..SessionState::default() };
        let caller = valid(&first).await.expect("a valid session");

        let change = accounts.reauthenticate(&caller, PASSWORD.to_owned(), "", &meta).await.expect("confirmed");
        let SessionChange::SignedIn { serial, cookie_seconds: Some(_), .. } = change else { panic!("{change:?}") };
        assert!(valid(&first).await.is_none(), "s02: the former session is no longer valid");
        let second = SessionState { serial, ..first };
        assert!(valid(&second).await.is_some());

        let (_, change) = accounts.sign_in(credentials(), &second).await.expect("signed in");
        let SessionChange::SignedIn { sign_in, serial, .. } = change else { panic!("{change:?}") };
        assert!(valid(&second).await.is_none(), "the former sign-in has ended");
        let third = SessionState { sign_in: Some(sign_in), serial, ..SessionState::default() };
        let caller = valid(&third).await.expect("a valid session");
        assert_eq!(accounts.sign_out(&caller, &meta).await.expect("signed out"), SessionChange::SignedOut);
        assert!(valid(&third).await.is_none());
    }
}

/// An id that refers to nothing.
fn some_id<T: std::str::FromStr>() -> T {
    "0190e2a4-7b1c-7def-8123-456789abcdef".parse().unwrap_or_else(|_| panic!("an id"))
}

each_db! {
    async fn s02_a_sign_in_replaces_the_whole_session_under_a_new_id(app: TestApp) {
        let store = Arc::new(app.state.sessions.clone());
        let session = Session::new(None, Arc::clone(&store), None);
        let read = async |session: &Session| SessionState::read(session).await.expect("a session");
        assert_eq!(read(&session).await, SessionState::default());
        assert!(session.is_empty().await && !session.is_modified(), "reading creates no session");

        SessionChange::Ceremony(some_id()).apply(&session).await.expect("saved");
        assert_eq!(read(&session).await, SessionState { ceremony: Some(some_id()), ..SessionState::default() });
        let anonymous = session.id().expect("an id");
        SessionChange::SignedUp(some_id()).apply(&session).await.expect("saved");
        let signed_up = SessionState { sign_up: Some(some_id()), ceremony: Some(some_id()), ..SessionState::default() };
        assert_eq!((read(&session).await, session.id()), (signed_up, Some(anonymous)));

        SessionChange::Pending(some_id()).apply(&session).await.expect("saved");
        assert_eq!(read(&session).await, SessionState { pending: Some(some_id()), ..SessionState::default() });
        let pending = session.id().expect("an id");
        assert_ne!(pending, anonymous);

        let change = SessionChange::SignedIn { sign_in: some_id(), serial: 3, cookie_seconds: Some(60) };
        change.apply(&session).await.expect("saved");
        let signed_in = SessionState { sign_in: Some(some_id()), serial: 3, ..SessionState::default() };
        assert_eq!(read(&session).await, signed_in);
        assert_eq!(session.expiry(), Some(Expiry::OnInactivity(Duration::seconds(60))));
        let id = session.id().expect("an id");
        assert_ne!(id, pending);
        assert_eq!(read(&Session::new(Some(id), Arc::clone(&store), None)).await, signed_in, "it is saved");
        for former in [anonymous, pending] {
            let former = Session::new(Some(former), Arc::clone(&store), None);
            assert_eq!(read(&former).await, SessionState::default());
        }

        SessionChange::SignedOut.apply(&session).await.expect("saved");
        assert_eq!((read(&session).await, session.id()), (SessionState::default(), None));
    }
}
