//! What strangers meet: the pages of signing in and up, and of links, as browsers without scripts see them.

mod enrolment;
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

pub async fn who(client: &mut Client) -> Option<CurrentUser> {
    client.post_form("/api/load_entrance", &[]).await.json::<colloquy::server_fns::account::Entrance>().user
}

/// Sends a form from a page, as browsers do, and gives the page that the answer leads to.
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

/// The same kind of installation with open doors and a mail server.
pub async fn with_mail(app: &TestApp, domains: &[&str]) -> (TestApp, Smtp) {
    let smtp = Smtp::start().await;
    let (mail, domains) = (smtp.config(), domains.iter().map(|domain| (*domain).to_owned()).collect::<Vec<_>>());
    let app = TestApp::start_with(app.kept(), |config| {
        config.sign_up_open = domains.is_empty();
        config.sign_up_domains = domains;
        config.mail = Some(mail);
    })
    .await;
    (app, smtp)
}

each_db! {
    async fn the_sign_in_page_helps_password_managers_and_says_what_was_done(app: TestApp) {
        app.administrator().await;
        let mut stranger = app.stranger();
        let page = stranger.get("/sign-in?next=%2Fsessions").await;
        assert_eq!(page.status, 200);
        assert!(input(&page, "email").contains("autocomplete=\"username webauthn\""), "{}", input(&page, "email"));
        assert!(input(&page, "password").contains("autocomplete=\"current-password\""));
        assert!(input(&page, "next").contains("value=\"/sessions\""));
        assert!(page.text().contains("href=\"/forgot-password\"") && !page.text().contains("role=\"status\""));
        for (done, sentence) in [
            ("verify", "Follow the link"),
            ("verified", "Your address is confirmed"),
            ("reset", "Your password is changed"),
            ("signed-out", "You are signed out"),
            ("deleted", "Your account will be deleted"),
        ] {
            let page = stranger.get(&format!("/sign-in?done={done}")).await;
            assert!(page.text().contains(sentence), "{done}: {}", page.text());
        }
        let odd = stranger.get("/sign-in?done=%3Cscript%3Ealert(1)%3C/script%3E").await;
        assert!(!odd.text().contains("alert(1)") && !odd.text().contains("role=\"status\""));

        let (to, page) = submit(&mut stranger, "/sign-in?next=%2Fsessions", "/api/sign_in", &[("email", "ada@example.org"), ("password", PASSWORD), ("next", "/sessions")]).await;
        assert_eq!((to.as_str(), page.status.as_u16()), ("/sessions", 200));
        let (to, page) = submit(&mut stranger, "/sessions", "/api/sign_out", &[]).await;
        assert_eq!(to, "/sign-in?done=signed-out");
        assert!(page.text().contains("You are signed out."));
    }
}

each_db! {
    async fn what_was_typed_stays_in_a_form_that_failed_and_never_a_password(app: TestApp) {
        let mut stranger = app.stranger();
        let fields = [("name", "Ada \"L\" <b>"), ("email", "ada@example.org"), ("password", "weak-weak-SECRET")];
        let (to, page) = submit(&mut stranger, "/sign-up", "/api/sign_up", &fields).await;
        assert!(to.starts_with("/sign-up?") && page.status == 200, "{to}");
        assert!(input(&page, "email").contains("value=\"ada@example.org\""), "{}", input(&page, "email"));
        assert!(page.text().contains("value=\"Ada &quot;L&quot; &lt;b"), "{}", page.text());
        assert!(!page.text().contains("weak-weak-SECRET") && !to.contains("SECRET"));
        assert!(!input(&page, "password").contains("value="), "{}", input(&page, "password"));
        assert!(input(&page, "password").contains("aria-invalid=\"true\""));
        // Once: the page has taken it out.
        assert!(!stranger.cookies.contains_key(TYPED));
        assert!(!stranger.get(&to).await.text().contains("value=\"ada@example.org\""));

        let (_, page) = submit(&mut stranger, "/sign-up", "/api/sign_up", &[("name", "Ada"), ("email", "ada"), ("password", PASSWORD)]).await;
        assert!(input(&page, "email").contains("value=\"ada\"") && input(&page, "name").contains("value=\"Ada\""));
        // A form that works keeps nothing, and one that scripts have sent neither.
        stranger.post_form("/api/sign_up", &[("name", "Ada"), ("email", "x"), ("password", "weak")]).await;
        assert!(!stranger.cookies.contains_key(TYPED));
        submit(&mut stranger, "/sign-up", "/api/sign_up", &[("name", "Ada"), ("email", "ada@example.org"), ("password", PASSWORD)]).await;
        assert!(!stranger.cookies.contains_key(TYPED) && who(&mut stranger).await.is_some());
    }
}

each_db! {
    async fn nobody_else_puts_texts_into_a_form(app: TestApp) {
        app.administrator().await;
        let mut stranger = app.stranger();
        let form = encode(&[("email", "evil@example.org"), ("password", "x")]);
        let request = Client::request(&stranger, Method::GET, "/api/sign_in")
            .method(Method::POST)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "text/html")
            .header("origin", "https://evil.example")
            .header("sec-fetch-site", "cross-site");
        let refused = stranger.send(request.body(Body::from(form)).expect("a request")).await;
        assert_eq!((refused.status.as_u16(), refused.header("set-cookie")), (403, ""));

        // A cookie without the form's error in the address, or of another form, is shown nowhere.
        let error = "__path=%2Fapi%2Fsign_in&__err=eyJlcnJvciI6ImZvcmJpZGRlbiJ9";
        for (kept, page) in [
            ("form=%2Fapi%2Fsign_in&email=evil%40example.org", "/sign-in".to_owned()),
            ("form=%2Fapi%2Fsign_up&email=evil%40example.org", format!("/sign-in?{error}")),
            ("form=%2Fapi%2Fsign_in&password=evil%40example.org&next=evil%40example.org", format!("/sign-in?{error}")),
        ] {
            stranger.cookies.insert(TYPED.to_owned(), kept.to_owned());
            let page = stranger.get(&page).await;
            assert_eq!(page.status, 200);
            assert!(!page.text().contains("evil"), "{kept}");
            assert!(!stranger.cookies.contains_key(TYPED), "the next page clears it");
        }
        stranger.cookies.insert(TYPED.to_owned(), "form=%2Fapi%2Fsign_in&email=%22%3E%3Cscript%3Ealert(1)".to_owned());
        let page = stranger.get(&format!("/sign-in?{error}")).await;
        assert!(!page.text().contains("<script>alert(1)"), "{}", page.text());
    }
}

each_db! {
    async fn the_second_step_is_a_page_of_its_own(app: TestApp) {
        let mut ada = app.administrator().await;
        let (phone, codes) = crate::factors::enrolled(&app, &mut ada).await;
        let mut browser = app.stranger();
        let none = browser.get("/sign-in/code?next=%2Fsessions").await;
        assert_eq!((none.status.as_u16(), none.header("location")), (302, "/sign-in?next=%2Fsessions"), "nothing is pending");

        let first = [("email", "ada@example.org"), ("password", PASSWORD), ("next", "/sessions")];
        let (to, page) = submit(&mut browser, "/sign-in", "/api/sign_in", &first).await;
        assert_eq!(to, "/sign-in/code?next=%2Fsessions");
        let field = input(&page, "code");
        assert!(field.contains("autocomplete=\"one-time-code\"") && field.contains("inputmode=\"numeric\""), "{field}");
        assert!(page.text().contains("A recovery code does it too.") && page.text().contains("Start again"));
        let other = browser.get("/sign-in/code?with=recovery&next=%2Fsessions").await;
        assert!(!input(&other, "code").contains("numeric") && input(&other, "next").contains("value=\"/sessions\""));

        let (to, page) = submit(&mut browser, &to, "/api/finish_sign_in", &[("code", "123 45"), ("next", "/sessions")]).await;
        assert!(to.starts_with("/sign-in/code?"), "{to}");
        assert!(!page.text().contains("123 45") && !browser.cookies.contains_key(TYPED), "a code is never kept");
        assert!(input(&page, "code").contains("aria-invalid=\"true\""), "{}", page.text());
        let (to, page) = submit(&mut browser, &to, "/api/finish_sign_in", &[("code", &phone.next(&app)), ("next", "/sessions")]).await;
        assert_eq!((to.as_str(), page.status.as_u16()), ("/sessions", 200));

        let mut other = app.stranger();
        submit(&mut other, "/sign-in", "/api/sign_in", &first[..2]).await;
        let (to, _) = submit(&mut other, "/sign-in/code?with=recovery", "/api/finish_sign_in", &[("code", &codes[0])]).await;
        assert_eq!(to, "/");
        assert!(who(&mut other).await.is_some());
    }
}

each_db! {
    async fn passkeys_are_offered_under_the_name_that_they_belong_to(app: TestApp) {
        app.administrator().await;
        for (host, offered) in [("localhost:3000", true), ("127.0.0.1:3000", false), ("[::1]:3000", false)] {
            let mut stranger = app.stranger();
            let request = axum::http::Request::post("/api/load_entrance")
                .header("host", host)
                .header("origin", format!("http://{host}"))
                .header("sec-fetch-site", "same-origin")
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            let answer = stranger.send(request.body(Body::empty()).expect("a request")).await;
            assert_eq!(answer.json::<colloquy::server_fns::account::Entrance>().passkeys, offered, "{host}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn providers_have_buttons_where_they_are_of_use() {
    let provider = crate::support::provider::Provider::start().await;
    for (open, sign_up, on_sign_up) in [(true, true, true), (true, false, false)] {
        let mut known = provider.config();
        known.sign_up = sign_up;
        let app = TestApp::start_with(crate::support::app::Kept::Sqlite, |config| {
            config.identity_providers.push(known);
            config.sign_up_open = open;
        })
        .await;
        app.administrator().await;
        let form = "<form method=\"post\" action=\"/auth/test/start\">";
        let page = app.stranger().get("/sign-in?next=%2Fsessions").await.text();
        let (_, button) = page.split_once(form).expect("a form to the provider");
        assert!(button.contains("Continue with Test &amp; Sons") && button.contains("value=\"/sessions\""), "{button}");
        assert_eq!(app.stranger().get("/sign-up").await.text().contains(form), on_sign_up);
    }
}
