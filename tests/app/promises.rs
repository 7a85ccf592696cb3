//! Promises about accounts, sessions and requests that concern several pages.

use std::{collections::BTreeSet, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, SaltString},
};
use axum::{
    body::Body,
    http::{Method, Request, header::HOST},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use colloquy::domain::{AppError, AuthPageData, CurrentUser};
use futures::StreamExt;
use serde_json::{Value, json};
use tower_sessions::{
    SessionStore,
    cookie::time::OffsetDateTime,
    session::{Id, Record},
};

use super::factors::add_totp_app;
use crate::support::{
    app::{Backend, PASSWORD, TestApp, each_db},
    client::{Answer, Client, HOST_NAME},
    redis::Redis,
    smtp::Smtp,
};

async fn current_user(client: &mut Client) -> Option<CurrentUser> {
    client.post_form("/api/load_entrance", &[]).await.json::<AuthPageData>().user
}

async fn sign_up(client: &mut Client, email: &str, password: &str) -> Answer {
    client.post_form("/api/sign_up", &[("email", email), ("name", "Grace"), ("password", password)]).await
}

fn names(answer: &Answer) -> Vec<String> {
    answer.headers.keys().map(ToString::to_string).collect()
}

each_db! {
    async fn a02_a_weak_hash_is_upgraded_at_the_next_sign_in(app: TestApp) {
        app.administrator().await;
        let params = Params::new(8_192, 1, 1, None).expect("parameters");
        let salt = SaltString::from_b64("c29tZXRoaW5nc2FsdHk").expect("a salt");
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password(PASSWORD.as_bytes(), &salt);
        app.execute(&format!("update users set password_hash = '{}'", weak.expect("a hash"))).await;
        let stored = async || app.column("select password_hash from users").await.remove(0);
        assert!(stored().await.contains("m=8192"));
        assert_eq!(app.anonymous().post_form("/api/sign_in", &[("email", "ada@example.org"), ("password", "wrong-wrong-wrong")]).await.status, 422);
        assert!(stored().await.contains("m=8192"), "only a right password upgrades the hash");
        app.signed_in("ada@example.org").await;
        assert!(stored().await.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        app.signed_in("ada@example.org").await;
    }
}

each_db! {
    async fn a03_every_byte_of_a_password_counts_up_to_the_limit(app: TestApp) {
        let app = app.with_open_sign_up().await;
        app.administrator().await;
        let long: String = "plum-harbor-sextant-41 teapot glacier violin ".chars().cycle().take(1_025).collect();
        for (bytes, status) in [(11, 422), (12, 200), (64, 200), (128, 200), (1_024, 200), (1_025, 422)] {
            let (password, email) = (&long[..bytes], format!("p{bytes}@example.org"));
            let answer = sign_up(&mut app.anonymous(), &email, password).await;
            assert_eq!(answer.status, status, "{bytes}: {}", answer.text());
            if status == 422 {
                assert_eq!(answer.error().field(), Some("password"));
                continue;
            }
            for (typed, right) in [(password.to_owned(), 200), (format!("{}_", &password[..bytes - 1]), 422), (format!("{password} "), 422)] {
                let form = [("email", email.as_str()), ("password", typed.as_str())];
                assert_eq!(app.anonymous().post_form("/api/sign_in", &form).await.status, right, "{bytes}");
            }
        }
    }
}

each_db! {
    async fn a03_a_password_is_the_same_on_every_device(app: TestApp) {
        let (composed, decomposed) = ("sch\u{F6}ne gr\u{FC}ne Tannen 77", "scho\u{308}ne gru\u{308}ne\u{A0}Tannen 77");
        let signs_in = async |password: &str| {
            let form = [("email", "ada@example.org"), ("password", password)];
            app.anonymous().post_form("/api/sign_in", &form).await.status.as_u16()
        };
        let mut ada = app.anonymous();
        assert_eq!(sign_up(&mut ada, "ada@example.org", decomposed).await.status, 200);
        assert_eq!((signs_in(composed).await, signs_in(decomposed).await), (200, 200));
        assert_eq!(signs_in("schone grune Tannen 77").await, 422);
        for typed in [composed, decomposed] {
            assert_eq!(ada.post_form("/api/confirm_identity", &[("password", typed)]).await.status, 200);
        }
        let (new, newly) = ("rote B\u{E4}ume im \u{C5}land 12", "rote Ba\u{308}ume im \u{212B}land 12");
        let change = [("current", decomposed), ("password", newly)];
        assert_eq!(ada.post_form("/api/change_password", &change).await.status, 200);
        assert_eq!((signs_in(new).await, signs_in(newly).await, signs_in(composed).await), (200, 200, 422));
        let id = { app.state.store.read().await.expect("a unit").find_user_by_email("ada@example.org").await.expect("a row").expect("her").id };
        let link = app.state.accounts.create_reset_link(id).await.expect("a link");
        let reset = [("token", link.split_once('=').expect("a token").1), ("password", composed)];
        assert_eq!(app.anonymous().post_form("/api/reset_password", &reset).await.status, 200);
        assert_eq!((signs_in(decomposed).await, signs_in(composed).await, signs_in(new).await), (200, 200, 422));

        // A hash of an earlier version is of the unnormalized password.
        let salt = SaltString::from_b64("c29tZXRoaW5nc2FsdHk").expect("a salt");
        let old = Argon2::default().hash_password(decomposed.as_bytes(), &salt).expect("a hash");
        app.execute(&format!("update users set password_hash = '{old}'")).await;
        assert_eq!(signs_in("schone grune Tannen 77").await, 422);
        assert_eq!((signs_in(decomposed).await, signs_in(composed).await), (200, 200));
        assert_ne!(app.column("select password_hash from users").await, [old.to_string()], "it is upgraded");
    }
}

each_db! {
    async fn a04_common_and_personal_passwords_are_refused_everywhere(app: TestApp) {
        let mut ada = app.anonymous();
        let bad = ["1qaz2wsx3edc", "ticketmaster", "UNBELIEVABLE", "colloquy2024", "grace.hopper@example.org", "graceHOPPER1906"];
        for password in bad {
            let refused = sign_up(&mut ada, "grace.hopper@example.org", password).await;
            assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("password")), "{password}");
            assert!(!refused.text().contains(password));
        }
        assert_eq!(sign_up(&mut ada, "grace.hopper@example.org", PASSWORD).await.status, 200);
        for password in bad {
            let refused = ada.post_form("/api/change_password", &[("current", PASSWORD), ("password", password)]).await;
            assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("password")), "{password}");
        }
        let same = ada.post_form("/api/change_password", &[("current", PASSWORD), ("password", PASSWORD)]).await;
        assert_eq!(same.error().field(), Some("password"), "the current one");
        let id = { app.state.store.read().await.expect("a unit").find_user_by_email("grace.hopper@example.org").await.expect("a row").expect("her").id };
        let link = app.state.accounts.create_reset_link(id).await.expect("a link");
        let token = link.split_once('=').expect("a token").1;
        for password in bad {
            let refused = app.anonymous().post_form("/api/reset_password", &[("token", token), ("password", password)]).await;
            assert_eq!(refused.error().field(), Some("password"), "{password}");
        }
    }
}

each_db! {
    async fn a05_sign_up_does_not_reveal_accounts_if_addresses_are_verified(app: TestApp) {
        for domains in [vec!["example.org".to_owned()], Vec::new()] {
            assert_sign_up_reveals_nothing(app.backend(), domains).await;
        }
    }
}

/// Checks that sign-up does not reveal accounts: with open sign-up, or for these domains only.
async fn assert_sign_up_reveals_nothing(backend: Backend, domains: Vec<String>) {
    let smtp = Smtp::start().await;
    let mail = smtp.config();
    let app = TestApp::start_with(backend, |config| {
        config.sign_up_open = domains.is_empty();
        config.sign_up_domains = domains;
        config.mail = Some(mail);
    })
    .await;
    app.person("ada@example.org", "Ada").await;
    for round in 1..=4 {
        let known = sign_up(&mut app.anonymous().at("198.51.100.1"), "ADA@example.org", PASSWORD).await;
        let unknown =
            sign_up(&mut app.anonymous().at("198.51.100.2"), &format!("new{round}@example.org"), PASSWORD).await;
        assert_eq!((known.status, &known.body, names(&known)), (unknown.status, &unknown.body, names(&unknown)));
        assert_eq!((known.status.as_u16(), known.header("location")), (200, unknown.header("location")));
    }
    let mails = smtp.mails_to(&app.state, "ada@example.org", 3).await;
    assert_eq!(mails[0].header("Subject"), "You already have an account");
    assert!(mails[0].link().ends_with("/sign-in"), "{}", mails[0].link());
    let again = sign_up(&mut app.anonymous(), "new1@example.org", "teapot-glacier-violin-88").await;
    assert_eq!(again.status, 200);
    assert_eq!(smtp.mails_to(&app.state, "new1@example.org", 2).await.len(), 2, "another link");
    assert_eq!(app.column("select email from users").await.len(), 5);
    let first = [("email", "new1@example.org"), ("password", PASSWORD)];
    assert!(
        matches!(app.anonymous().post_form("/api/sign_in", &first).await.error(), AppError::Conflict { .. }),
        "the first password stays"
    );
}

each_db! {
    async fn a05_closed_sign_up_responds_the_same_for_known_addresses(app: TestApp) {
        app.administrator().await;
        let known = sign_up(&mut app.anonymous(), "ada@example.org", PASSWORD).await;
        let unknown = sign_up(&mut app.anonymous(), "new@example.org", PASSWORD).await;
        assert_eq!((known.status.as_u16(), &known.body, names(&known)), (403, &unknown.body, names(&unknown)));
    }
}

each_db! {
    async fn s01_the_session_cookie_is_128_random_bits_and_known_to_the_server_alone(app: TestApp) {
        let mut ids = vec![app.administrator().await.cookies["colloquy"].clone()];
        for _ in 0..3 {
            ids.push(app.signed_in("ada@example.org").await.cookies["colloquy"].clone());
        }
        let ids: Vec<Vec<u8>> = ids.iter().map(|id| URL_SAFE_NO_PAD.decode(id).expect("base64")).collect();
        assert!(ids.iter().all(|id| id.len() == 16), "{ids:?}");
        // Neither a time nor a counter: even their quarters differ.
        for quarter in 0..4 {
            let parts: BTreeSet<&[u8]> = ids.iter().map(|id| &id[4 * quarter..4 * quarter + 4]).collect();
            assert_eq!(parts.len(), ids.len(), "{ids:?}");
        }
        let hex = if app.backend() == Backend::Sqlite { "lower(hex(id))" } else { "replace(cast(id as text), '-', '')" };
        for table in ["sessions", "sign_ins", "users"] {
            let stored = app.column(&format!("select {hex} from {table}")).await;
            assert!(!stored.is_empty());
            for id in &ids {
                let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
                assert!(stored.iter().all(|stored| !stored.contains(&id)), "{table}: {stored:?}");
            }
        }
    }
}

each_db! {
    async fn s04_a_slow_request_does_not_restore_a_deleted_session(app: TestApp) {
        let other = app.second_instance().await;
        let mut record = Record { id: Id::default(), data: Default::default(), expiry_date: OffsetDateTime::now_utc() };
        record.data.insert("sign_in".into(), json!("0190e2a4-7b1c-7def-8123-456789abcdef"));
        app.state.sessions.create(&mut record).await.expect("a record");
        let mut slow = other.state.sessions.load(&record.id).await.expect("a store").expect("it is there");
        app.state.sessions.delete(&record.id).await.expect("a store");
        slow.data.insert("more".into(), json!(1));
        other.state.sessions.save(&slow).await.expect("it says nothing");
        for instance in [&app, &other] {
            assert!(instance.state.sessions.load(&record.id).await.expect("a store").is_none());
        }
        assert!(app.column("select record from sessions").await.is_empty());
    }
}

each_db! {
    async fn s06_a_new_second_factor_revokes_the_other_sign_ins_and_their_streams(app: TestApp) {
        let mut ada = app.administrator().await;
        let mut other = app.signed_in("ada@example.org").await;
        let sent = other.send_message(None, "[[paced 2000 20]]").await;
        let (_, mut events) = other.events(&sent, None).await;
        events.next().await.expect("an event");
        add_totp_app(&app, &mut ada).await;
        assert_eq!((current_user(&mut ada).await.is_some(), current_user(&mut other).await), (true, None));
        let over = async { while events.next().await.is_some() {} };
        tokio::time::timeout(Duration::from_secs(6), over).await.expect("the stream ends");
    }
}

each_db! {
    async fn s08_and_r04_sensitive_actions_need_reauthentication_after_ten_minutes(app: TestApp) {
        let smtp = Smtp::start().await;
        let mail = smtp.config();
        let app = TestApp::start_with(app.backend(), |config| config.mail = Some(mail)).await;
        let mut ada = app.administrator().await;
        add_totp_app(&app, &mut ada).await;
        app.state.clock.advance(11 * 60);
        let factor = crate::factors::factors(&mut ada).await.factors[0].id.to_string();
        let forms: [(&str, Vec<(&str, &str)>); 7] = [
            ("/api/request_address_change", vec![("email", "new@example.org")]),
            ("/api/begin_totp", vec![]),
            ("/api/confirm_totp", vec![("code", "123456")]),
            ("/api/remove_factor", vec![("factor", &factor)]),
            ("/api/new_recovery_codes", vec![]),
            ("/api/begin_passkey_registration", vec![]),
            ("/api/unlink_identity", vec![("issuer", "https://login.example"), ("subject", "x")]),
        ];
        for (path, fields) in &forms {
            let refused = ada.post_form(path, fields).await;
            assert_eq!((refused.status.as_u16(), refused.error()), (403, AppError::ReauthRequired), "{path}");
        }
        let passkey = json!({"name": "Key", "credential": "{}"});
        assert_eq!(ada.post_json("/api/finish_passkey_registration", &passkey).await.error(), AppError::ReauthRequired);
        assert_eq!(crate::factors::factors(&mut ada).await.factors.len(), 1, "nothing has changed");
        assert_eq!(smtp.wait_for_mails(&app.state, 1).await.len(), 1, "the notice of the factor, and nothing else");
    }
}

each_db! {
    async fn s09_session_records_contain_only_ids(app: TestApp) {
        let mut ada = app.administrator().await;
        add_totp_app(&app, &mut ada).await;
        let mut pending = app.anonymous();
        crate::factors::sign_in_step(&mut pending).await;
        app.anonymous().post_form("/api/begin_passkey_sign_in", &[]).await;
        let mut keys = BTreeSet::new();
        for record in app.column("select record from sessions").await {
            let record: Value = serde_json::from_str(&record).expect("JSON");
            keys.extend(record["data"].as_object().expect("an object").keys().cloned());
        }
        let ids = ["ceremony", "pending_sign_in", "serial", "sign_in"].map(str::to_owned);
        assert_eq!(keys, BTreeSet::from(ids));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s12_a_copy_of_redis_does_not_sign_in() {
    let redis = Redis::start();
    let app = TestApp::start_with(Backend::Sqlite, |config| config.redis_url = Some(redis.url().into())).await;
    let mut ada = app.administrator().await;
    assert!(current_user(&mut ada).await.is_some());
    let key = String::from_utf8(redis.command(&[b"RANDOMKEY"])).expect("text");
    assert_ne!(key, ada.cookies["colloquy"]);
    let copy = redis.command(&[b"GET", key.as_bytes()]);
    assert!(!String::from_utf8_lossy(&copy).contains(&ada.cookies["colloquy"]));
    let mut thief = app.anonymous();
    thief.cookies.insert("colloquy".to_owned(), key);
    assert_eq!(current_user(&mut thief).await, None);
}

each_db! {
    async fn s13_a_thousand_anonymous_visits_create_no_rows(app: TestApp) {
        app.administrator().await;
        let before = app.column("select record from sessions").await.len();
        for n in 0..1_000 {
            let path = ["/sign-in", "/", "/sessions", "/settings", "/forgot-password"][n % 5];
            let page = app.anonymous().get(path).await;
            assert!(page.headers.get("set-cookie").is_none(), "{path}");
        }
        assert_eq!(app.column("select record from sessions").await.len(), before);
    }
}

each_db! {
    async fn h03_and_row_27_only_the_cookie_authenticates_and_no_cors_is_granted(app: TestApp) {
        let mut ada = app.administrator().await;
        let ask = |client: &Client, values: &[&str]| {
            let mut request = client.request(Method::POST, "/api/load_frame").header("content-type", "application/json");
            for value in values {
                request = request.header("authorization", *value);
            }
            request.body(Body::from("{}")).expect("a request")
        };
        let cookie = ada.cookies["colloquy"].clone();
        let bearer = format!("Bearer {cookie}");
        for values in [vec![bearer.as_str()], vec!["bearer x", "Basic YWRhOng="], vec!["Basic YWRhOng="]] {
            let mut anonymous = app.anonymous();
            let request = ask(&anonymous, &values);
            assert_eq!(anonymous.send(request).await.status, 401, "{values:?}");
            let request = ask(&ada, &values);
            assert_eq!(ada.send(request).await.status, 200, "{values:?}: only the cookie counts");
        }
        for origin in ["https://evil.example", "null"] {
            let request = ada
                .request(Method::OPTIONS, "/api/load_frame")
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "content-type");
            let answer = ada.send(request.body(Body::empty()).expect("a request")).await;
            assert!(answer.status.is_client_error(), "{origin}: {}", answer.status);
            assert!(names(&answer).iter().all(|name| !name.starts_with("access-control-")), "{:?}", answer.headers);
        }
    }
}

each_db! {
    async fn h07_other_sites_cannot_load_frame_or_measure_pages(app: TestApp) {
        let app = app.with_open_sign_up().await;
        let mut ada = app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        let sent = bob.send_message(None, "[[paced 3 5]] secret").await;
        bob.wait_for_answer(sent.chat).await;
        let (own, none) = (format!("/chats/{}", sent.chat), "/chats/0190e2a4-7b1c-7def-8123-456789abcdef");
        for path in [own.as_str(), "/sessions?q=secret", "/sign-in", "/favicon.svg", "/nothing", "/health/ready"] {
            let answer = bob.get(path).await;
            assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
            assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
            assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
            assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        }
        let (foreign, missing) = (ada.get(&own).await, ada.get(none).await);
        // The chunks of a streamed page depend on timing, which reveals nothing.
        assert_eq!(foreign.status, missing.status, "a foreign chat looks like a missing one");
        assert!(foreign.body.len().abs_diff(missing.body.len()) < 256, "{} {}", foreign.body.len(), missing.body.len());
        let (foreign, missing) = (app.anonymous().get(&own).await, app.anonymous().get(none).await);
        // They differ only in the nonce of their scripts.
        assert_eq!((foreign.status, foreign.body.len()), (missing.status, missing.body.len()));
    }
}

each_db! {
    async fn h11_connections_are_not_upgraded(app: TestApp) {
        let mut ada = app.administrator().await;
        for path in ["/", "/sessions", "/api/load_frame", "/ws"] {
            let request = ada
                .request(Method::GET, path)
                .header("connection", "upgrade")
                .header("upgrade", "websocket")
                .header("sec-websocket-version", "13")
                .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
                .header("origin", "https://evil.example");
            let answer = ada.send(request.body(Body::empty()).expect("a request")).await;
            assert_ne!(answer.status, 101, "{path}");
        }
    }
}

each_db! {
    async fn l06_nothing_internal_is_public(app: TestApp) {
        app.administrator().await;
        for path in [
            "/metrics", "/debug", "/debug/pprof", "/docs", "/api", "/api/", "/api/docs", "/openapi.json", "/swagger", "/.env",
            "/.git/config", "/server-status", "/actuator/env", "/config", "/colloquy.db", "/admin", "/graphql", "/health",
        ] {
            let answer = app.anonymous().get(path).await;
            assert!(matches!(answer.status.as_u16(), 302 | 401 | 404), "{path}: {}", answer.status);
        }
        for (path, says) in [("/health/live", "ok"), ("/health/ready", "ok")] {
            let request = Request::builder().uri(path).header(HOST, HOST_NAME).body(Body::empty()).expect("a request");
            let answer = app.anonymous().send(request).await;
            assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, says));
        }
    }
}
