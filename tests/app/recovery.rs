//! Password reset, address verification and address change by links.

use colloquy::{
    domain::{AppError, CurrentUser, UserId},
    reason,
    server::config::PublicUrl,
};

use crate::support::{
    app::{Backend, PASSWORD, TestApp, each_db},
    client::{Answer, Client},
    smtp::Smtp,
};

const NEW: &str = "copper-lantern-orbit-77";

/// Another installation on the same kind of database, with open sign-up and mail; Ada is the administrator, Bob a
/// member.
async fn with_mail(app: &TestApp) -> (TestApp, Smtp, Client, Client) {
    let smtp = Smtp::start().await;
    let config = smtp.config();
    let app = TestApp::start_with(app.backend(), |settings| {
        settings.sign_up_open = true;
        settings.mail = Some(config);
    })
    .await;
    let ada = app.administrator().await;
    let bob = app.person("bob@example.org", "Bob").await;
    (app, smtp, ada, bob)
}

async fn current_user(client: &mut Client) -> Option<CurrentUser> {
    client.post_form("/api/load_entrance", &[]).await.json::<colloquy::domain::AuthPageData>().user
}

async fn sign_in(app: &TestApp, email: &str, password: &str) -> u16 {
    app.anonymous().post_form("/api/sign_in", &[("email", email), ("password", password)]).await.status.as_u16()
}

async fn request_reset(client: &mut Client, email: &str) -> Answer {
    client.post_form("/api/request_mail", &[("purpose", "reset"), ("email", email)]).await
}

async fn reset(client: &mut Client, token: &str, password: &str) -> Answer {
    client.post_form("/api/reset_password", &[("token", token), ("password", password)]).await
}

async fn follow_link(client: &mut Client, path: &str, token: &str) -> Answer {
    client.post_form(path, &[("token", token)]).await
}

async fn id_of(app: &TestApp, email: &str) -> UserId {
    let mut tx = app.state.store.read().await.expect("a unit");
    tx.find_user_by_email(email).await.expect("a row").expect("an account").id
}

/// The token with the case of its first letter changed.
fn other_case(token: &str) -> String {
    let at = token.find(|c: char| c.is_ascii_alphabetic()).expect("a letter");
    let c = token.as_bytes()[at];
    let turned = if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    format!("{}{}{}", &token[..at], char::from(turned), &token[at + 1..])
}

each_db! {
    async fn r01_a_reset_link_works_once_for_15_minutes_and_one_account(app: TestApp) {
        let (app, smtp, mut ada, _) = with_mail(&app).await;
        let mut anonymous = app.anonymous();
        assert_eq!(request_reset(&mut anonymous, "bob@example.org").await.status, 200);
        let token = smtp.newest_mail_to(&app.state, "bob@example.org", 1).await.token();
        ada.post_form("/api/request_verification", &[]).await;
        let foreign = smtp.newest_mail_to(&app.state, "ada@example.org", 1).await.token();

        let dead = reset(&mut anonymous, "", NEW).await;
        assert_eq!((dead.status.as_u16(), dead.error().field()), (422, Some("token")));
        let wrong = [
            "null", "[]", "x", "%00", &token.to_uppercase(), &token.to_lowercase(), &other_case(&token), &token[1..],
            &format!("{token}="), &format!(" {token}"), &format!("{token}\0"), &foreign, &"A".repeat(43), &"A".repeat(100_000),
        ];
        for bad in wrong.into_iter().filter(|bad| *bad != token) {
            let answer = reset(&mut anonymous, bad, NEW).await;
            assert_eq!((answer.status, &answer.body), (dead.status, &dead.body), "row 70: {bad:.60?}");
            for path in ["/api/verify_address", "/api/confirm_address_change"] {
                if bad != foreign {
                    let answer = follow_link(&mut anonymous, path, bad).await;
                    assert_eq!((answer.status, &answer.body), (dead.status, &dead.body), "{path}: {bad:.60?}");
                }
            }
        }
        assert_eq!(anonymous.post_form("/api/reset_password", &[("password", NEW)]).await.status, 422);
        assert_eq!(anonymous.post_form("/api/reset_password", &[("token[]", &token), ("password", NEW)]).await.status, 422);
        assert_eq!(follow_link(&mut anonymous, "/api/verify_address", &token).await.body, dead.body, "for another purpose");

        assert_eq!(reset(&mut anonymous, &token, "weak").await.error().field(), Some("password"), "the link stays valid");
        let (mut one, mut two) = (app.anonymous(), app.anonymous());
        let both = tokio::join!(reset(&mut one, &token, NEW), reset(&mut two, &token, NEW));
        let mut statuses = [both.0.status.as_u16(), both.1.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422]);
        assert_eq!(reset(&mut anonymous, &token, NEW).await.body, dead.body, "used");
        assert_eq!(sign_in(&app, "bob@example.org", NEW).await, 200);
        assert_eq!(sign_in(&app, "ada@example.org", PASSWORD).await, 200, "other accounts are unchanged");

        request_reset(&mut anonymous, "bob@example.org").await;
        let late = smtp.newest_mail_to(&app.state, "bob@example.org", 3).await.token();
        app.state.clock.advance(901);
        assert_eq!(reset(&mut anonymous, &late, PASSWORD).await.body, dead.body, "expired");
    }
}

each_db! {
    async fn r02_a_reset_revokes_all_sign_ins_and_does_not_sign_in(app: TestApp) {
        let (app, smtp, _, mut bob) = with_mail(&app).await;
        let mut elsewhere = app.anonymous();
        elsewhere.post_form("/api/sign_in", &[("email", "bob@example.org"), ("password", PASSWORD)]).await;
        assert!(current_user(&mut elsewhere).await.is_some());
        let mut anonymous = app.anonymous();
        request_reset(&mut anonymous, "BOB@example.org").await;
        request_reset(&mut anonymous, "bob@example.org").await;
        let mails = smtp.mails_to(&app.state, "bob@example.org", 2).await;
        let done = reset(&mut anonymous, &mails[0].token(), NEW).await;
        assert_eq!(done.status, 200, "{}", done.text());
        assert!(done.headers.get("set-cookie").is_none() && current_user(&mut anonymous).await.is_none());
        assert_eq!((current_user(&mut bob).await, current_user(&mut elsewhere).await), (None, None));
        assert_eq!(reset(&mut anonymous, &mails[1].token(), PASSWORD).await.status, 422, "the other link is invalid");
        assert_eq!(sign_in(&app, "bob@example.org", PASSWORD).await, 422);
        assert_eq!(sign_in(&app, "bob@example.org", NEW).await, 200);
        let notice = smtp.newest_mail_to(&app.state, "bob@example.org", 3).await;
        let text = notice.part("text/plain");
        assert_eq!(notice.header("Subject"), "Security notice for your account");
        assert!(text.contains("Your password was reset") && text.contains("127.0.0.*") && !text.contains("://"), "{text}");
    }
}

each_db! {
    async fn r01_only_the_hash_of_a_token_is_stored(app: TestApp) {
        app.administrator().await;
        let link = app.state.accounts.create_reset_link(id_of(&app, "ada@example.org").await).await.expect("a link");
        let token = link.split_once('=').expect("a token").1;
        let hex = if app.backend() == Backend::Sqlite { "hex(token_hash)" } else { "encode(token_hash, 'hex')" };
        let kept = app.column(&format!("select lower({hex}) from links")).await;
        assert_eq!(kept.len(), 1);
        use sha2::Digest;
        let hash: String = sha2::Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(kept[0], hash);
        let mut thief = app.anonymous();
        assert_eq!(reset(&mut thief, &kept[0], NEW).await.status, 422);
    }
}

each_db! {
    async fn a05_a_password_reset_does_not_reveal_whether_an_account_exists(app: TestApp) {
        let (app, smtp, ..) = with_mail(&app).await;
        let names = |answer: &Answer| answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
        let (mut one, mut two) = (app.anonymous().at("198.51.100.1"), app.anonymous().at("198.51.100.2"));
        for round in 0..4 {
            let known = request_reset(&mut one, "bob@example.org").await;
            let unknown = request_reset(&mut two, "nobody@example.org").await;
            assert_eq!(known.status, if round < 3 { 200 } else { 429 }, "3 an hour");
            assert_eq!(known.status, unknown.status);
            assert_eq!(names(&known), names(&unknown));
            if round < 3 {
                assert_eq!(known.body, unknown.body);
            }
        }
        assert_eq!(smtp.mails_to(&app.state, "bob@example.org", 3).await.len(), 3);
        assert_eq!(smtp.received().len(), 3, "no one else got one");
        let mut elsewhere = app.anonymous().at("203.0.113.9");
        assert_eq!(request_reset(&mut elsewhere, "bob@example.org").await.status, 429, "the limit is per account");
        app.state.clock.advance(3_601);
        assert_eq!(request_reset(&mut elsewhere, "bob@example.org").await.status, 200);
    }
}

each_db! {
    async fn a07_reset_mails_from_one_address_are_rate_limited(app: TestApp) {
        let (app, ..) = with_mail(&app).await;
        let mut statuses = Vec::new();
        for n in 0..32 {
            let mut flooder = app.anonymous().at("198.51.100.7");
            statuses.push(request_reset(&mut flooder, &format!("victim{n}@example.org")).await.status.as_u16());
        }
        assert_eq!(statuses, [vec![200; 30], vec![429; 2]].concat());
    }
}

each_db! {
    async fn r05_a_new_address_is_confirmed_and_the_old_one_is_notified(app: TestApp) {
        let (app, smtp, _, mut bob) = with_mail(&app).await;
        let (mut elsewhere, mut anonymous) = (app.anonymous(), app.anonymous());
        elsewhere.post_form("/api/sign_in", &[("email", "bob@example.org"), ("password", PASSWORD)]).await;
        request_reset(&mut anonymous, "bob@example.org").await;
        let old_reset = smtp.newest_mail_to(&app.state, "bob@example.org", 1).await.token();

        let change = async |bob: &mut Client, email: &str| bob.post_form("/api/request_address_change", &[("email", email)]).await;
        assert_eq!(change(&mut bob, "bob@example.org").await.error().field(), Some("email"), "it is the same");
        assert_eq!(change(&mut bob, "robert@example.org").await.status, 200);
        let first = smtp.newest_mail_to(&app.state, "robert@example.org", 1).await.token();
        let mails = smtp.newest_mail_to(&app.state, "bob@example.org", 2).await.part("text/plain");
        assert!(mails.contains("robert@example.org") && !mails.contains("://"), "{mails}");
        assert_eq!(current_user(&mut bob).await.expect("Bob").email, "bob@example.org", "nothing has changed yet");

        assert_eq!(change(&mut bob, "robert@example.org").await.status, 200);
        let second = smtp.newest_mail_to(&app.state, "robert@example.org", 2).await.token();
        let dead = follow_link(&mut bob, "/api/confirm_address_change", &first).await;
        assert_eq!((dead.status.as_u16(), dead.error().field()), (422, Some("token")), "a later link revokes an earlier one");
        assert_eq!(follow_link(&mut bob, "/api/confirm_address_change", &second).await.status, 200);
        assert_eq!(current_user(&mut bob).await.expect("Bob").email, "robert@example.org");
        assert_eq!(current_user(&mut elsewhere).await, None, "other sign-ins end");
        assert_eq!(reset(&mut anonymous, &old_reset, NEW).await.status, 422, "links to the old address are invalid");
        assert_eq!(follow_link(&mut bob, "/api/confirm_address_change", &second).await.status, 422, "used");
        assert_eq!(sign_in(&app, "robert@example.org", PASSWORD).await, 200);
        assert_eq!(sign_in(&app, "bob@example.org", PASSWORD).await, 422);
        let mails = smtp.mails_to(&app.state, "bob@example.org", 4).await;
        let notices = mails.iter().filter(|mail| mail.part("text/plain").contains("was changed to robert@example.org"));
        assert_eq!(notices.count(), 1);
        assert_eq!(smtp.mails_to(&app.state, "robert@example.org", 2).await.len(), 2);
    }
}

each_db! {
    async fn r05_an_address_in_use_is_revealed_only_to_its_owner(app: TestApp) {
        let (app, smtp, _, mut bob) = with_mail(&app).await;
        let asked = bob.post_form("/api/request_address_change", &[("email", "Ada@example.org")]).await;
        assert_eq!(asked.status, 200, "it does not reveal Ada's account");
        let token = smtp.newest_mail_to(&app.state, "Ada@example.org", 1).await.token();
        let refused = follow_link(&mut app.anonymous(), "/api/confirm_address_change", &token).await;
        assert!(matches!(refused.error(), AppError::Conflict { .. }), "{}", refused.text());
        assert_eq!(current_user(&mut bob).await.expect("Bob").email, "bob@example.org");
        assert_eq!(sign_in(&app, "ada@example.org", PASSWORD).await, 200);
    }
}

each_db! {
    async fn an_address_is_verified_by_its_link(app: TestApp) {
        let (app, smtp, _, mut bob) = with_mail(&app).await;
        let state = async || {
            let id = id_of(&app, "bob@example.org").await;
            let mut tx = app.state.store.read().await.expect("a unit");
            tx.owned_by(id).find_address_state().await.expect("a row").expect("Bob").email_verified_at
        };
        assert_eq!(bob.post_form("/api/request_verification", &[]).await.status, 200);
        let token = smtp.newest_mail_to(&app.state, "bob@example.org", 1).await.token();
        assert_eq!(state().await, None);
        assert_eq!(follow_link(&mut app.anonymous(), "/api/verify_address", &token).await.status, 200);
        assert!(state().await.is_some());
        assert_eq!(follow_link(&mut bob, "/api/verify_address", &token).await.status, 422, "once");
        assert_eq!(bob.post_form("/api/request_verification", &[]).await.status, 200, "nothing is left to do");
        assert_eq!(smtp.mails_to(&app.state, "bob@example.org", 1).await.len(), 1);
    }
}

each_db! {
    async fn administrators_are_reminded_to_verify_their_address_where_they_can(app: TestApp) {
        let is_reminded = async |client: &mut Client| {
            let page = client.get("/").await.text();
            page.contains("verified yet")
        };
        let mut without_mail = app.administrator().await;
        assert!(!is_reminded(&mut without_mail).await);
        let (app, smtp, mut ada, mut bob) = with_mail(&app).await;
        assert!(is_reminded(&mut ada).await);
        assert!(!is_reminded(&mut bob).await, "a member may leave it");
        assert_eq!(ada.post_form("/api/request_verification", &[]).await.status, 200);
        let token = smtp.newest_mail_to(&app.state, "ada@example.org", 1).await.token();
        assert_eq!(follow_link(&mut ada, "/api/verify_address", &token).await.status, 200);
        assert!(!is_reminded(&mut ada).await);
    }
}

each_db! {
    async fn reset_links_of_administrators_work_without_mail(app: TestApp) {
        let mut ada = app.administrator().await;
        let mut anonymous = app.anonymous();
        for email in ["ada@example.org", "nobody@example.org"] {
            let refused = request_reset(&mut anonymous, email).await;
            assert_eq!(refused.status, 409, "no mails are sent here, now or later");
            assert_eq!(refused.error(), AppError::conflict(reason!("mail_missing")));
        }
        for (path, form) in [("request_verification", &[][..]), ("request_address_change", &[("email", "x@example.org")])] {
            let refused = ada.post_form(&format!("/api/{path}"), form).await;
            assert_eq!(refused.error(), AppError::conflict(reason!("mail_missing")), "{path}");
        }
        let link = app.state.accounts.create_reset_link(id_of(&app, "ada@example.org").await).await.expect("a link");
        let token = link.strip_prefix("http://127.0.0.1:3000/reset-password?token=").expect("the listening address");
        assert_eq!(reset(&mut anonymous, token, NEW).await.status, 200);
        assert_eq!(sign_in(&app, "ada@example.org", NEW).await, 200);
        assert_eq!(app.column("select subject from mails").await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn o02_links_use_the_configured_url() {
    let smtp = Smtp::start().await;
    let config = smtp.config();
    let app = TestApp::start_with(Backend::Sqlite, |settings| {
        settings.url = Some(PublicUrl { https: true, host: "127.0.0.1:3000".to_owned() });
        settings.mail = Some(config);
    })
    .await;
    let mut ada = app.anonymous();
    ada.scheme = "https";
    let form = [("email", "ada@example.org"), ("name", "Ada"), ("password", PASSWORD)];
    assert_eq!(ada.post_form("/api/sign_up", &form).await.status, 200);
    let request = ada
        .request(axum::http::Method::POST, "/api/request_mail")
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example;proto=http")
        .header("content-type", "application/x-www-form-urlencoded")
        .body("purpose=reset&email=ada%40example.org".into())
        .expect("a request");
    assert_eq!(ada.send(request).await.status, 200);
    let mail = smtp.newest_mail_to(&app.state, "ada@example.org", 1).await;
    assert!(mail.link().starts_with("https://127.0.0.1:3000/reset-password?token="), "{}", mail.link());
    assert!(!mail.data.contains("evil"));
}
