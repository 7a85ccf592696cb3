//! The pages for anonymous users, without scripts: sign-in, sign-up and the pages of links.

mod enrolment;
mod inbox;
mod links;

use axum::{
    body::Body,
    http::{
        Method,
        header::{ACCEPT, CONTENT_TYPE},
    },
};
use colloquy::domain::CurrentUser;

use crate::support::{
    app::{PASSWORD, TestApp, each_db},
    client::{Answer, Client, encode},
    smtp::Smtp,
};

const TYPED: &str = "colloquy-typed";

pub async fn current_user(client: &mut Client) -> Option<CurrentUser> {
    client.post_form("/api/load_entrance", &[]).await.json::<colloquy::domain::AuthPageData>().user
}

/// Submits a form from a page like a browser without scripts. Returns the redirect's location and the page there.
pub async fn submit(client: &mut Client, page: &str, path: &str, fields: &[(&str, &str)]) -> (String, Answer) {
    let request = client
        .request(Method::POST, path)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ACCEPT, "text/html")
        .header("referer", format!("http://127.0.0.1:3000{page}"));
    let answer = client.send(request.body(Body::from(encode(fields))).expect("a request")).await;
    assert_eq!(answer.status, 302, "{path}: {}", answer.text());
    let to = answer.header("location").to_owned();
    let page = client.get(&to).await;
    (to, page)
}

/// The whole tag of the input with this name.
pub fn input(page: &Answer, name: &str) -> String {
    let text = page.text();
    let mut tags = text.split("<input").skip(1).filter_map(|rest| rest.split('>').next());
    let tag = tags.find(|tag| tag.contains(&format!(" name=\"{name}\"")));
    tag.unwrap_or_else(|| panic!("no input {name} in {text}")).to_owned()
}

/// Another installation on the same kind of database with mail, and sign-up open to all or to these domains.
pub async fn with_mail(app: &TestApp, domains: &[&str]) -> (TestApp, Smtp) {
    let smtp = Smtp::start().await;
    let (mail, domains) = (smtp.config(), domains.iter().map(|domain| (*domain).to_owned()).collect::<Vec<_>>());
    let app = TestApp::start_with(app.backend(), |config| {
        config.sign_up_open = domains.is_empty();
        config.sign_up_domains = domains;
        config.mail = Some(mail);
    })
    .await;
    (app, smtp)
}

each_db! {
    async fn the_sign_in_page_supports_password_managers_and_shows_notices(app: TestApp) {
        app.administrator().await;
        let mut anonymous = app.anonymous();
        let page = anonymous.get("/sign-in?next=%2Fsessions").await;
        assert_eq!(page.status, 200);
        assert!(input(&page, "email").contains("autocomplete=\"username webauthn\""), "{}", input(&page, "email"));
        assert!(input(&page, "password").contains("autocomplete=\"current-password\""));
        assert!(input(&page, "next").contains("value=\"/sessions\""));
        assert!(page.text().contains("href=\"/forgot-password\"") && !page.text().contains("role=\"status\""));
        for (done, sentence) in [
            ("verified", "Your email is confirmed"),
            ("reset", "Password changed."),
            ("signed-out", "You've signed out"),
            ("deleted", "Your account will be deleted"),
        ] {
            let page = anonymous.get(&format!("/sign-in?done={done}")).await;
            assert!(page.text().contains(sentence), "{done}: {}", page.text());
        }
        let odd = anonymous.get("/sign-in?done=%3Cscript%3Ealert(1)%3C/script%3E").await;
        assert!(!odd.text().contains("alert(1)") && !odd.text().contains("role=\"status\""));

        let (to, page) = submit(&mut anonymous, "/sign-in?next=%2Fsessions", "/api/sign_in", &[("email", "ada@example.org"), ("password", PASSWORD), ("next", "/sessions")]).await;
        assert_eq!((to.as_str(), page.status.as_u16()), ("/sessions", 200));
        let (to, page) = submit(&mut anonymous, "/sessions", "/api/sign_out", &[]).await;
        assert_eq!(to, "/sign-in?done=signed-out");
        assert!(page.text().contains("You've signed out."));
    }
}

each_db! {
    async fn a_failed_form_keeps_its_values_but_never_a_password(app: TestApp) {
        let mut anonymous = app.anonymous();
        let fields = [("name", "Ada \"L\" <b>"), ("email", "ada@example.org"), ("password", "weak-weak-SECRET")];
        let (to, page) = submit(&mut anonymous, "/sign-up", "/api/sign_up", &fields).await;
        assert!(to.starts_with("/sign-up?") && page.status == 200, "{to}");
        assert!(input(&page, "email").contains("value=\"ada@example.org\""), "{}", input(&page, "email"));
        assert!(page.text().contains("value=\"Ada &quot;L&quot; &lt;b"), "{}", page.text());
        assert!(!page.text().contains("weak-weak-SECRET") && !to.contains("SECRET"));
        assert!(!input(&page, "password").contains("value="), "{}", input(&page, "password"));
        assert!(input(&page, "password").contains("aria-invalid=\"true\""));
        // Only once: the page removes the cookie.
        assert!(!anonymous.cookies.contains_key(TYPED));
        assert!(!anonymous.get(&to).await.text().contains("value=\"ada@example.org\""));

        let (_, page) = submit(&mut anonymous, "/sign-up", "/api/sign_up", &[("name", "Ada"), ("email", "ada"), ("password", PASSWORD)]).await;
        assert!(input(&page, "email").contains("value=\"ada\"") && input(&page, "name").contains("value=\"Ada\""));
        // Nothing is kept if the form succeeds or was sent by a script.
        anonymous.post_form("/api/sign_up", &[("name", "Ada"), ("email", "x"), ("password", "weak")]).await;
        assert!(!anonymous.cookies.contains_key(TYPED));
        submit(&mut anonymous, "/sign-up", "/api/sign_up", &[("name", "Ada"), ("email", "ada@example.org"), ("password", PASSWORD)]).await;
        assert!(!anonymous.cookies.contains_key(TYPED) && current_user(&mut anonymous).await.is_some());
    }
}

each_db! {
    async fn other_sites_cannot_fill_in_a_form(app: TestApp) {
        app.administrator().await;
        let mut anonymous = app.anonymous();
        let form = encode(&[("email", "evil@example.org"), ("password", "x")]);
        let request = Client::request(&anonymous, Method::GET, "/api/sign_in")
            .method(Method::POST)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "text/html")
            .header("origin", "https://evil.example")
            .header("sec-fetch-site", "cross-site");
        let refused = anonymous.send(request.body(Body::from(form)).expect("a request")).await;
        assert_eq!((refused.status.as_u16(), refused.header("set-cookie")), (403, ""));

        // A cookie without the form's error in the address, or for another form, is ignored.
        let error = "__path=%2Fapi%2Fsign_in&__err=eyJlcnJvciI6ImZvcmJpZGRlbiJ9";
        for (kept, page) in [
            ("form=%2Fapi%2Fsign_in&email=evil%40example.org", "/sign-in".to_owned()),
            ("form=%2Fapi%2Fsign_up&email=evil%40example.org", format!("/sign-in?{error}")),
            ("form=%2Fapi%2Fsign_in&password=evil%40example.org&next=evil%40example.org", format!("/sign-in?{error}")),
        ] {
            anonymous.cookies.insert(TYPED.to_owned(), kept.to_owned());
            let page = anonymous.get(&page).await;
            assert_eq!(page.status, 200);
            assert!(!page.text().contains("evil"), "{kept}");
            assert!(!anonymous.cookies.contains_key(TYPED), "the next page clears it");
        }
        anonymous.cookies.insert(TYPED.to_owned(), "form=%2Fapi%2Fsign_in&email=%22%3E%3Cscript%3Ealert(1)".to_owned());
        let page = anonymous.get(&format!("/sign-in?{error}")).await;
        assert!(!page.text().contains("<script>alert(1)"), "{}", page.text());
    }
}

each_db! {
    async fn the_second_step_has_its_own_page(app: TestApp) {
        let mut ada = app.administrator().await;
        let (totp_app, codes) = crate::factors::add_totp_app(&app, &mut ada).await;
        let mut browser = app.anonymous();
        let none = browser.get("/sign-in/code?next=%2Fsessions").await;
        assert_eq!((none.status.as_u16(), none.header("location")), (302, "/sign-in?next=%2Fsessions"), "nothing is pending");

        let first = [("email", "ada@example.org"), ("password", PASSWORD), ("next", "/sessions")];
        let (to, page) = submit(&mut browser, "/sign-in", "/api/sign_in", &first).await;
        assert_eq!(to, "/sign-in/code?next=%2Fsessions");
        let field = input(&page, "code");
        assert!(field.contains("autocomplete=\"one-time-code\"") && field.contains("inputmode=\"numeric\""), "{field}");
        assert!(page.text().contains("A recovery code works too.") && page.text().contains("Sign in with another account"));
        let other = browser.get("/sign-in/code?with=recovery&next=%2Fsessions").await;
        assert!(!input(&other, "code").contains("numeric") && input(&other, "next").contains("value=\"/sessions\""));

        let (to, page) = submit(&mut browser, &to, "/api/finish_sign_in", &[("code", "123 45"), ("next", "/sessions")]).await;
        assert!(to.starts_with("/sign-in/code?"), "{to}");
        assert!(!page.text().contains("123 45") && !browser.cookies.contains_key(TYPED), "a code is never kept");
        assert!(input(&page, "code").contains("aria-invalid=\"true\""), "{}", page.text());
        let (to, page) = submit(&mut browser, &to, "/api/finish_sign_in", &[("code", &totp_app.next_code(&app)), ("next", "/sessions")]).await;
        assert_eq!((to.as_str(), page.status.as_u16()), ("/sessions", 200));

        let mut other = app.anonymous();
        submit(&mut other, "/sign-in", "/api/sign_in", &first[..2]).await;
        let (to, _) = submit(&mut other, "/sign-in/code?with=recovery", "/api/finish_sign_in", &[("code", &codes[0])]).await;
        assert_eq!(to, "/");
        assert!(current_user(&mut other).await.is_some());
    }
}

each_db! {
    async fn passkeys_are_offered_only_for_their_host_name(app: TestApp) {
        app.administrator().await;
        for (host, offered) in [("localhost:3000", true), ("127.0.0.1:3000", false), ("[::1]:3000", false)] {
            let mut anonymous = app.anonymous();
            let request = axum::http::Request::post("/api/load_entrance")
                .header("host", host)
                .header("origin", format!("http://{host}"))
                .header("sec-fetch-site", "same-origin")
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            let answer = anonymous.send(request.body(Body::empty()).expect("a request")).await;
            assert_eq!(answer.json::<colloquy::domain::AuthPageData>().passkeys, offered, "{host}");
        }
    }
}

each_db! {
    async fn the_passkey_comes_before_the_form_where_one_was_used(app: TestApp) {
        app.administrator().await;
        let places = async |cookie: &str| {
            let request = axum::http::Request::get("/sign-in").header("host", "localhost:3000").header(ACCEPT, "text/html");
            let request = request.header("cookie", cookie).body(Body::empty()).expect("a request");
            let page = app.anonymous().send(request).await.text();
            let button = "Sign in with a passkey";
            assert_eq!(page.matches(button).count(), 1, "{page}");
            (page.find(button), page.find("name=\"password\""))
        };
        // The second time from the pages that are reused.
        for _ in 0..2 {
            let (button, form) = places("a=b").await;
            assert!(button > form);
            let (button, form) = places("colloquy-passkey=1").await;
            assert!(button < form);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn identity_providers_have_buttons_where_they_can_be_used() {
    let provider = crate::support::provider::Provider::start().await;
    for (open, sign_up, on_sign_up) in [(true, true, true), (true, false, false)] {
        let mut known = provider.config();
        known.sign_up = sign_up;
        let app = TestApp::start_with(crate::support::app::Backend::Sqlite, |config| {
            config.identity_providers.push(known);
            config.sign_up_open = open;
        })
        .await;
        app.administrator().await;
        let form = "<form method=\"post\" action=\"/auth/test/start\">";
        let page = app.anonymous().get("/sign-in?next=%2Fsessions").await.text();
        let (_, button) = page.split_once(form).expect("a form to the provider");
        assert!(button.contains("Continue with Test &amp; Sons") && button.contains("value=\"/sessions\""), "{button}");
        assert_eq!(app.anonymous().get("/sign-up").await.text().contains(form), on_sign_up);
    }
}

/// The page without its nonce, which must be the one of its policy.
fn without_nonce(page: &Answer) -> (String, String) {
    let policy = page.header("content-security-policy");
    let nonce = policy.split_once("'nonce-").and_then(|(_, rest)| rest.split_once('\'')).expect("a nonce").0;
    assert!(page.text().contains(&format!("nonce=\"{nonce}\"")), "{}", page.text());
    (page.text().replace(nonce, "NONCE"), nonce.to_owned())
}

each_db! {
    async fn reused_pages_have_their_own_nonce_and_follow_what_they_show(app: TestApp) {
        let mut visitor = app.anonymous();
        assert_eq!(visitor.get("/sign-in").await.header("location"), "/sign-up");
        let (first_account, _) = without_nonce(&visitor.get("/sign-up").await);
        let mut ada = app.administrator().await;
        assert_ne!(without_nonce(&visitor.get("/sign-up").await).0, first_account, "the page for the first account is gone");

        for path in ["/sign-in", "/sign-up", "/forgot-password", "/check-inbox"] {
            let mut answers = Vec::new();
            for _ in 0..3 {
                answers.push(visitor.get(path).await);
            }
            let pages = answers.iter().map(without_nonce);
            let (texts, mut nonces): (Vec<_>, Vec<_>) = pages.unzip();
            assert!(texts.iter().all(|text| *text == texts[0]), "{path}");
            nonces.sort();
            nonces.dedup();
            assert_eq!(nonces.len(), 3, "{path}");
            let names = |answer: &Answer| answer.headers.keys().map(ToString::to_string).collect::<std::collections::BTreeSet<_>>();
            assert!(answers.iter().all(|answer| answer.status == 200 && names(answer) == names(&answers[0])), "{path}");

            let german = visitor.request(Method::GET, path).header("accept-language", "de").header(ACCEPT, "text/html");
            let german = visitor.send(german.body(Body::empty()).expect("a request")).await.text();
            assert!(german.contains("<html lang=\"de\"") && !without_nonce(&visitor.get(path).await).0.contains("lang=\"de\""), "{path}");

            // What the browser has stored about the appearance is in the first byte, and in no other visitor's page.
            let mut dark = app.anonymous();
            dark.cookies.insert("appearance".to_owned(), "dark.large.newline.unknown".to_owned());
            for _ in 0..2 {
                let page = dark.get(path).await.text();
                assert!(page.contains("data-theme=\"dark\" data-text=\"large\" data-enter=\"newline\""), "{path}: {page}");
            }
            dark.cookies.insert("appearance".to_owned(), "dark\"><script>".to_owned());
            for page in [dark.get(path).await, visitor.get(path).await] {
                let page = page.text();
                assert!(!page.contains("data-theme=") && !page.contains("data-text=") && !page.contains("data-enter="), "{path}");
            }
        }
        let at_name = axum::http::Request::get("/sign-in").header("host", "localhost:3000").header(ACCEPT, "text/html");
        let at_name = visitor.send(at_name.body(Body::empty()).expect("a request")).await;
        assert_ne!(without_nonce(&at_name).0, without_nonce(&visitor.get("/sign-in").await).0, "passkeys need a host name");

        // What one visitor typed or asked for is in no other visitor's page.
        let (_, typed) = submit(&mut visitor, "/sign-in", "/api/sign_in", &[("email", "eve@example.org"), ("password", "wrong")]).await;
        assert!(typed.text().contains("eve@example.org"));
        assert!(visitor.get("/sign-in?next=%2Fsessions").await.text().contains("/sessions"));
        let other = app.anonymous().get("/sign-in").await.text();
        assert!(!other.contains("eve@example.org") && !other.contains("/sessions"), "{other}");
        assert_eq!(ada.get("/sign-in").await.header("location"), "/");
    }
}
