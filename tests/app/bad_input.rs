//! Responses to bad input that no page sends.

use axum::{body::Body, http::Method};
use colloquy::{
    domain::{AppError, AuthPageData, ClientId, CurrentUser},
    server::config::PublicUrl,
};
use serde_json::json;

use crate::support::{
    app::{Backend, PASSWORD, TestApp, each_db},
    client::Client,
};

async fn current_user(client: &mut Client) -> Option<CurrentUser> {
    client.post_form("/api/load_entrance", &[]).await.json::<AuthPageData>().user
}

fn blanks() -> [&'static str; 5] {
    ["", " ", "\t\n", "\u{a0}\u{2003}", "\r\n \r\n"]
}

each_db! {
    async fn row_12_blank_fields_are_refused(app: TestApp) {
        let mut ada = app.administrator().await;
        for blank in blanks() {
            let id = ClientId::random().to_string();
            let refused = ada.post_form("/api/send_message", &[("client_id", &id), ("text", blank)]).await;
            assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("text")), "{blank:?}");
            let refused = ada.post_form("/api/change_name", &[("name", blank)]).await;
            assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("name")), "{blank:?}");
            for path in ["/api/sign_in", "/api/sign_up"] {
                let form = [("email", blank), ("name", "Ada"), ("password", PASSWORD)];
                let form = if path == "/api/sign_in" { vec![form[0], form[2]] } else { form.to_vec() };
                // Sign-up is closed here, but the address is validated first.
                let refused = app.anonymous().post_form(path, &form).await;
                assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("email")), "{path} {blank:?}");
            }
        }
    }
}

each_db! {
    async fn row_13_malformed_addresses_are_refused_and_case_is_ignored(app: TestApp) {
        let app = app.with_open_sign_up().await;
        app.administrator().await;
        let long = format!("{}@example.org", "a".repeat(300));
        for bad in [
            "x@example.org\r\nBcc: y@example.org", "x@y@example.org", &long, "\"a b\"@example.org", "аda@example.org", "ada@ехample.org",
            "x@example.org\0", "x@[127.0.0.1]", "x y@example.org", "x@example..org", "<x@example.org>", "x@example.org,y@example.org",
        ] {
            for (path, rest) in [("/api/sign_up", vec![("name", "X"), ("password", PASSWORD)]), ("/api/sign_in", vec![("password", PASSWORD)])] {
                let form = [vec![("email", bad)], rest].concat();
                let refused = app.anonymous().post_form(path, &form).await;
                assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("email")), "{path} {bad:?}");
            }
        }
        let form = [("email", " ADA@Example.Org "), ("name", "Ada"), ("password", PASSWORD)];
        assert!(matches!(app.anonymous().post_form("/api/sign_up", &form).await.error(), AppError::Conflict { .. }));
        assert_eq!(app.column("select email from users").await, ["ada@example.org"]);
    }
}

each_db! {
    async fn row_14_passwords_are_compared_byte_for_byte(app: TestApp) {
        let odd = "\u{0}plum harbor\u{0} 🦊 sextant ";
        let mut ada = app.anonymous();
        let form = |password| [("email", "ada@example.org"), ("name", "Ada"), ("password", password)];
        let megabyte = "z".repeat(900_000);
        let refused = ada.post_form("/api/sign_up", &form(megabyte.as_str())).await;
        assert_eq!(refused.error().field(), Some("password"));
        assert_eq!(ada.post_form("/api/sign_up", &form(odd)).await.status, 200);
        let sign_in = async |password: &str| {
            let form = [("email", "ada@example.org"), ("password", password)];
            app.anonymous().post_form("/api/sign_in", &form).await.status.as_u16()
        };
        for near in [odd.trim(), &odd.replace('\0', ""), &format!("{odd}\0"), odd.split('\0').nth(1).expect("a part")] {
            assert_eq!(sign_in(near).await, 422, "{near:?}");
        }
        assert_eq!(sign_in(odd).await, 200);
    }
}

each_db! {
    async fn row_15_names_that_impersonate_others_are_refused(app: TestApp) {
        let app = app.with_open_sign_up().await;
        let mut ada = app.administrator().await;
        for bad in ["admin", "R00T", "..", "%2e", "аdmin", "Bоb", "System", "Ada\u{202e}"] {
            let form = [("email", "eve@example.org"), ("name", bad), ("password", PASSWORD)];
            let refused = app.anonymous().post_form("/api/sign_up", &form).await;
            assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("name")), "{bad:?}");
            let refused = ada.post_form("/api/change_name", &[("name", bad)]).await;
            assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("name")), "{bad:?}");
        }
        for good in ["Ада Лавлейс", "Ελένη", "田中 花子", "علي", "O'Neil 👩‍🚀", "Иван Smith"] {
            assert_eq!(ada.post_form("/api/change_name", &[("name", good)]).await.status, 200, "{good}");
            assert_eq!(current_user(&mut ada).await.expect("Ada").name, good);
        }
    }
}

each_db! {
    async fn row_17_cursors_of_lists_are_checked(app: TestApp) {
        let app = app.with_open_sign_up().await;
        let mut ada = app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        let sent = bob.send_message(None, "[[paced 3 5]] hello").await;
        bob.wait_for_answer(sent.chat).await;
        let of_ada = ada.send_message(None, "[[paced 3 5]] mine").await;
        ada.wait_for_answer(of_ada.chat).await;
        let places = [json!(-1), json!("x"), json!(sent.chat), json!(of_ada.message), json!(uuid::Uuid::nil()), json!({})];
        for before in places {
            for path in ["/api/older_messages", "/api/find_chat"] {
                let answer = bob.post_json(path, &json!({"chat": sent.chat, "before": before})).await;
                assert!(matches!(answer.status.as_u16(), 404 | 422), "{path} {before}: {}", answer.text());
            }
        }
        let id = sent.chat.to_string();
        for cursor in ["x", "-1", "1.2.3", "' or 1=1 --", "99999999999999999999.x", &format!("0.{id}"), &format!("1.{id}")] {
            let answer = ada.post_json("/api/list_chats", &json!({"filter": "all", "search": "", "cursor": cursor})).await;
            assert!(matches!(answer.status.as_u16(), 200 | 422), "{cursor}: {}", answer.text());
            assert!(!answer.text().contains(&id), "nothing of Bob's by his cursor: {}", answer.text());
        }
    }
}

each_db! {
    async fn row_18_only_known_filters_and_actions_are_accepted(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "[[paced 3 5]] hello").await;
        ada.wait_for_answer(sent.chat).await;
        for bad in ["password_hash", "id;--", "ALL", "", "all "] {
            let refused = ada.post_json("/api/list_chats", &json!({"filter": bad, "search": "", "cursor": null})).await;
            assert_eq!(refused.status, 422, "{bad}");
            let chat = sent.chat.to_string();
            let refused = ada.post_form("/api/change_chats", &[("chats[]", &chat), ("action", bad)]).await;
            assert_eq!(refused.status, 422, "{bad}");
            let page = ada.get(&format!("/sessions?filter={}", bad.replace(';', "%3B").replace(' ', "%20"))).await;
            assert_eq!(page.status, 200, "a page shows what it knows: {bad}");
        }
    }
}

each_db! {
    async fn row_26_identity_headers_of_clients_have_no_effect(app: TestApp) {
        let ada = app.administrator().await;
        let id = app.column("select email from users").await.remove(0);
        let mut anonymous = app.anonymous();
        for (name, value) in [("x-user-id", id.as_str()), ("x-request-from", "internal"), ("x-forwarded-user", &id), ("x-original-url", "/sign-in"), ("x-http-method-override", "GET")] {
            let path = "/api/load_frame?bypass_filter=true&user_id=1&role=administrator";
            let request = anonymous.request(Method::POST, path).header("content-type", "application/json").header(name, value);
            assert_eq!(anonymous.send(request.body(Body::from("{}")).expect("a request")).await.status, 401, "{name}");
        }
        drop(ada);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn row_28_cookies_of_other_installations_and_duplicates_are_handled() {
    let app = TestApp::start(Backend::Sqlite).await;
    let other = TestApp::start(Backend::Sqlite).await;
    let (ada, elsewhere) = (app.administrator().await, other.administrator().await);
    let mut mixed = app.anonymous();
    mixed.cookies.clone_from(&elsewhere.cookies);
    assert_eq!(current_user(&mut mixed).await, None, "another installation's");

    let (own, foreign) = (&ada.cookies["colloquy"], &elsewhere.cookies["colloquy"]);
    for line in [
        format!("colloquy={foreign}; colloquy={own}"),
        format!("colloquy={own}; colloquy={foreign}"),
        "colloquy".into(),
        ";;=;".into(),
    ] {
        let mut client = app.anonymous();
        let request = client.request(Method::POST, "/api/load_entrance").header("cookie", &line);
        let request = request.header("content-type", "application/json").body(Body::from("{}")).expect("a request");
        let answer = client.send(request).await;
        assert_eq!(answer.status, 200, "{line}: {}", answer.text());
        let user = answer.json::<AuthPageData>().user;
        assert!(user.is_none_or(|user| user.email == "ada@example.org"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn row_31_and_row_28_behind_https_cookies_stay_secure() {
    let app = TestApp::start_with(Backend::Sqlite, |config| {
        config.url = Some(PublicUrl { https: true, host: "127.0.0.1:3000".to_owned() });
    })
    .await;
    let mut ada = app.anonymous();
    ada.scheme = "https";
    for claim in ["http", "https,http", "ftp", ""] {
        let mut client = app.anonymous();
        client.scheme = "https";
        let page = client.request(Method::GET, "/sign-up").header("x-forwarded-proto", claim);
        let page = client.send(page.body(Body::empty()).expect("a request")).await;
        assert_eq!(page.status, 200, "no redirect to go round in: {claim}");
        assert!(!page.header("strict-transport-security").is_empty());
    }
    let request = ada.request(Method::POST, "/api/sign_up").header("x-forwarded-proto", "http");
    let request =
        request.header("content-type", "application/x-www-form-urlencoded").header("accept", "application/json");
    let body = format!("email=ada%40example.org&name=Ada&password={PASSWORD}");
    let made = ada.send(request.body(Body::from(body)).expect("a request")).await;
    assert!(made.header("set-cookie").contains("; Secure"), "{} {}", made.header("set-cookie"), made.text());
    let value = ada.cookies["__Host-colloquy"].clone();
    assert!(current_user(&mut ada).await.is_some());
    let mut without = app.anonymous();
    without.scheme = "https";
    without.cookies.insert("colloquy".to_owned(), value);
    assert_eq!(current_user(&mut without).await, None, "the name without its prefix is not ours");
}

each_db! {
    async fn row_58_sign_in_redirects_only_to_this_site(app: TestApp) {
        app.administrator().await;
        for next in [
            "//evil", "/\\evil", "https:evil", "https://evil", "@evil", "/x\r\nSet-Cookie: a=b", "data:text/html,x", "javascript:alert(1)",
            "\\\\evil", "/\t/evil", " //evil", "http:///evil", "///evil", "/%0d%0aLocation:%20//evil", "/%2f/evil", "/a//evil", "",
        ] {
            let mut browser = app.anonymous();
            let form = [("email", "ada@example.org"), ("password", PASSWORD), ("next", next)];
            let answer = browser.submit("/api/sign_in", &form).await;
            let place = answer.header("location");
            assert_eq!(answer.status, 302, "{next:?}: {}", answer.text());
            assert!(place.starts_with('/') && !place[1..].starts_with(['/', '\\']), "{next:?}: {place}");
            assert!(!place.chars().any(char::is_control) && answer.headers.get_all("set-cookie").iter().count() == 1, "{next:?}");
        }
    }
}

each_db! {
    async fn row_70_malformed_tokens_all_get_the_same_response(app: TestApp) {
        app.administrator().await;
        let wrong = ["", "null", "[]", "{}", "0", "true", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "%00", "' or 1=1 --"];
        for (path, rest) in [
            ("/api/reset_password", Some(("password", PASSWORD))),
            ("/api/verify_address", None),
            ("/api/confirm_address_change", None),
        ] {
            let mut bodies = Vec::new();
            for token in wrong {
                let mut form = vec![("token", token)];
                form.extend(rest);
                let refused = app.anonymous().post_form(path, &form).await;
                assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("token")), "{path} {token}");
                bodies.push(refused.body);
            }
            bodies.dedup();
            assert_eq!(bodies.len(), 1, "{path}");
        }
    }
}
