//! Rate limits: shared by all instances, and counted by the real client address.

use axum::http::{
    Method,
    header::{ACCEPT, CONTENT_TYPE},
};
use colloquy::{domain::AppError, server::config::Config};
use serde_json::json;

use crate::support::{
    app::{Backend, PASSWORD, TestApp, each_db},
    client::{Answer, Client, encode},
    smtp::Smtp,
};

/// Posts a form with forwarding headers that claim another client address.
async fn post(client: &mut Client, path: &str, fields: &[(&str, &str)], forwarded: &str) -> Answer {
    let request = client
        .request(Method::POST, path)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ACCEPT, "application/json")
        .header("x-forwarded-for", forwarded)
        .header("forwarded", format!("for={forwarded}"))
        .header("x-real-ip", forwarded)
        .body(encode(fields).into())
        .expect("a request");
    client.send(request).await
}

/// Another installation on the same kind of database, with open sign-up and mail.
async fn open_with_mail(app: &TestApp, change: impl FnOnce(&mut Config)) -> (TestApp, Smtp) {
    let smtp = Smtp::start().await;
    let mail = smtp.config();
    let app = TestApp::start_with(app.backend(), |config| {
        config.sign_up_open = true;
        config.mail = Some(mail);
        change(config);
    })
    .await;
    (app, smtp)
}

/// A rate-limited endpoint: the path, the form of the nth attempt, and the limit for one address.
type Case = (&'static str, fn(usize) -> Vec<(&'static str, String)>, usize);

const CASES: [Case; 8] = [
    ("/api/sign_in", |n| vec![("email", format!("p{n}@example.org")), ("password", "wrong-wrong-wrong".into())], 10),
    ("/api/finish_sign_in", |_| vec![("code", "123456".into())], 10),
    ("/api/begin_passkey_sign_in", |_| vec![], 60),
    ("/api/request_mail", |n| vec![("purpose", "reset".into()), ("email", format!("p{n}@example.org"))], 30),
    ("/api/reset_password", |_| vec![("token", "x".into()), ("password", PASSWORD.into())], 40),
    ("/api/verify_address", |_| vec![("token", "x".into())], 30),
    ("/api/confirm_address_change", |_| vec![("token", "x".into())], 20),
    (
        "/api/sign_up",
        |_| {
            let form = [("email", "ada@example.org"), ("name", "Ada"), ("password", PASSWORD), ("invitation", "x")];
            form.map(|(name, value)| (name, value.to_owned())).to_vec()
        },
        10,
    ),
];

each_db! {
    async fn a07_every_limit_is_shared_by_all_instances_and_within_a_network(app: TestApp) {
        let (app, _smtp) = open_with_mail(&app, |_| {}).await;
        app.administrator().await;
        let other = app.second_instance().await;
        for (path, form, limit) in CASES {
            let mut processed = 0;
            // The endpoints of links share one limit, which is reached by the last of them.
            let shares = matches!(path, "/api/reset_password" | "/api/verify_address" | "/api/confirm_address_change");
            for n in 0..if shares { limit } else { limit + 6 } {
                let instance = if n % 2 == 0 { &app } else { &other };
                let mut client = instance.anonymous().at(&format!("2001:db8:7:1:{n:x}::{n:x}"));
                let fields = form(n);
                let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                let answer = post(&mut client, path, &fields, &format!("198.51.100.{n}")).await;
                if answer.status == 429 {
                    assert!(!answer.header("retry-after").is_empty() && n >= limit, "{path} at {n}: {}", answer.text());
                } else {
                    processed += 1;
                }
            }
            assert_eq!(processed, limit, "{path}");
        }
        let mut neighbour = app.anonymous().at("2001:db8:7:2::1");
        let answer = post(&mut neighbour, "/api/verify_address", &[("token", "x")], "2001:db8:7:1::1").await;
        assert_eq!(answer.status, 422, "another network has its own count");
    }
}

each_db! {
    async fn a07_opened_links_have_a_limit_of_their_own(app: TestApp) {
        let (app, _smtp) = open_with_mail(&app, |_| {}).await;
        app.administrator().await;
        let mut scanner = app.anonymous().at("198.51.100.8");
        let open = json!({ "page": "verify_address", "token": "A".repeat(43) });
        for n in 0..300 {
            assert_eq!(scanner.post_json("/api/check_link", &open).await.status, 200, "{n}");
        }
        let refused = scanner.post_json("/api/check_link", &open).await;
        assert!(refused.status == 429 && !refused.header("retry-after").is_empty(), "{}", refused.text());
        assert_eq!(scanner.get(&format!("/verify-address?token={}", "A".repeat(43))).await.status, 429);
        // Following links is not limited by opening them, and an incomplete token is not looked up.
        assert_eq!(scanner.post_form("/api/verify_address", &[("token", "x")]).await.status, 422);
        assert_eq!(scanner.post_json("/api/check_link", &json!({ "page": "verify_address", "token": "x" })).await.status, 200);
        assert_eq!(app.anonymous().at("198.51.100.9").post_json("/api/check_link", &open).await.status, 200);
    }
}

each_db! {
    async fn a07_new_accounts_of_one_network_are_rate_limited(app: TestApp) {
        let (app, _smtp) = open_with_mail(&app, |_| {}).await;
        app.administrator().await;
        let other = app.second_instance().await;
        let mut statuses = Vec::new();
        for n in 0..63 {
            let instance = if n % 2 == 0 { &app } else { &other };
            let mut client = instance.anonymous().at("198.51.100.7");
            let form = [("email", "ada@example.org"), ("name", "Ada"), ("password", PASSWORD)];
            statuses.push(post(&mut client, "/api/sign_up", &form, &format!("203.0.113.{n}")).await.status.as_u16());
        }
        // With mail configured, the response does not reveal that the address is in use.
        assert_eq!(statuses, [vec![200; 60], vec![429; 3]].concat());
    }
}

each_db! {
    async fn a07_a_trusted_proxy_determines_the_client_address(app: TestApp) {
        let (app, _smtp) = open_with_mail(&app, |config| config.trusted_proxies = vec!["10.0.0.1".parse().expect("an address")]).await;
        app.administrator().await;
        let form = [("email", "ada@example.org"), ("password", "wrong-wrong-wrong")];
        let mut tries = Vec::new();
        for n in 0..12 {
            // The leftmost address is the client's own claim.
            let forwarded = format!("6.6.6.{n}, 203.0.113.9");
            tries.push(post(&mut app.anonymous().at("10.0.0.1"), "/api/sign_in", &form, &forwarded).await.status.as_u16());
        }
        assert_eq!(tries, [vec![422; 10], vec![429; 2]].concat());
        let mut through = app.anonymous().at("10.0.0.1");
        assert_eq!(post(&mut through, "/api/sign_in", &form, "203.0.113.10").await.status, 422, "somebody else");
        let mut past = app.anonymous().at("10.0.0.2");
        assert_eq!(post(&mut past, "/api/sign_in", &form, "203.0.113.9").await.status, 422, "not by way of the proxy");
    }
}

each_db! {
    async fn a07_each_client_behind_a_trusted_proxy_has_its_own_limit(app: TestApp) {
        let (app, _smtp) = open_with_mail(&app, |config| config.trusted_proxies = vec!["10.0.0.1".parse().expect("an address")]).await;
        app.administrator().await;
        let form = [("email", "ada@example.org"), ("password", "wrong-wrong-wrong")];
        let attempt = async |forwarded: &str, count: usize| {
            let mut statuses = Vec::new();
            for n in 0..count {
                let mut client = app.anonymous().at("10.0.0.1");
                let forwarded = forwarded.replace("PORT", &format!("{}", 5_000 + n));
                statuses.push(post(&mut client, "/api/sign_in", &form, &forwarded).await.status.as_u16());
            }
            statuses
        };
        // Another port is the same machine.
        assert_eq!(attempt("203.0.113.9:PORT", 11).await, [vec![422; 10], vec![429]].concat());
        assert_eq!(attempt("[::ffff:203.0.113.9]:PORT", 1).await, [429]);
        assert_eq!(attempt("[2001:db8::1]:PORT", 11).await, [vec![422; 10], vec![429]].concat());
        // Clients that the proxy does not identify are not limited by the address, so no one can lock them out.
        for unnamed in ["unknown", "_hidden", "unix:", "203.0.113.9, garbage"] {
            assert_eq!(attempt(unnamed, 12).await, vec![422; 12], "{unnamed}");
        }
        assert_eq!(attempt("203.0.113.10:PORT", 1).await, [422]);
        // For them the proxy's address is recorded, as no better one is known.
        let addresses = app.column("select distinct address from audit where action = 'sign_in' and outcome = 'refused' order by address").await;
        assert_eq!(addresses, ["10.0.0.1", "2001:db8::1", "203.0.113.10", "203.0.113.9"]);
    }
}

each_db! {
    async fn a06_guesses_for_one_account_from_many_addresses_are_limited(app: TestApp) {
        let (app, _smtp) = open_with_mail(&app, |_| {}).await;
        let mut ada = app.administrator().await;
        app.person("bob@example.org", "Bob").await;
        let other = app.second_instance().await;
        let mut statuses = Vec::new();
        for n in 0..102 {
            let instance = if n % 2 == 0 { &app } else { &other };
            let mut client = instance.anonymous().at(&format!("198.51.{n}.7"));
            let form = [("email", "ADA@example.org"), ("password", "wrong-wrong-wrong")];
            statuses.push(client.post_form("/api/sign_in", &form).await.status.as_u16());
        }
        assert_eq!(statuses, [vec![422; 100], vec![429; 2]].concat());
        assert_eq!(app.signed_in("bob@example.org").await.post_json("/api/load_settings", &serde_json::json!({})).await.status, 200);
        assert_eq!(ada.post_json("/api/load_settings", &serde_json::json!({})).await.status, 200, "who is in stays in");
        app.state.clock.advance(3_601);
        app.signed_in("ada@example.org").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a06_a_thousand_guesses_from_one_address_lock_no_one_out() {
    let app = TestApp::start(Backend::Sqlite).await;
    app.administrator().await;
    let mut guesser = app.anonymous().at("198.51.100.7");
    let mut processed = 0;
    for n in 0..1_000 {
        let form = [("email", "ada@example.org"), ("password", "wrong-wrong-wrong")];
        let answer = guesser.post_form("/api/sign_in", &form).await;
        match answer.error() {
            AppError::RateLimited { retry_after } => assert!(n >= 10 && retry_after <= 180),
            _ => processed += 1,
        }
    }
    assert_eq!(processed, 10);
    app.signed_in("ada@example.org").await;
}

each_db! {
    async fn a06_reauthentication_is_rate_limited_like_sign_in(app: TestApp) {
        let mut ada = app.administrator().await;
        let other = app.second_instance().await;
        let mut elsewhere = other.anonymous();
        elsewhere.cookies.clone_from(&ada.cookies);
        let mut statuses = Vec::new();
        for n in 0..12 {
            let client = if n % 2 == 0 { &mut ada } else { &mut elsewhere };
            statuses.push(client.post_form("/api/confirm_identity", &[("password", "wrong-wrong-wrong")]).await.status.as_u16());
        }
        assert_eq!(statuses, [vec![422; 10], vec![429; 2]].concat());
    }
}

each_db! {
    async fn a07_one_address_is_invited_at_most_three_times_an_hour(app: TestApp) {
        let (app, smtp) = open_with_mail(&app, |_| {}).await;
        let mut ada = app.administrator().await;
        let mut statuses = Vec::new();
        for _ in 0..5 {
            let form = [("email", "Carol@example.org"), ("role", "member")];
            statuses.push(ada.post_form("/api/create_invitation", &form).await.status.as_u16());
        }
        assert_eq!(statuses, [200, 200, 200, 429, 429]);
        assert_eq!(smtp.mails_to(&app.state, "Carol@example.org", 3).await.len(), 3);
        assert_eq!(ada.post_form("/api/create_invitation", &[("role", "member")]).await.status, 200, "without a mail");
    }
}
