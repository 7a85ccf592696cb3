//! Management of other users' accounts by administrators.

mod commands;
mod factor_removal;
mod last_administrator;
mod lists;

use std::time::Duration;

use colloquy::domain::{AccountStatus, AppError, CurrentUser, PasswordReset, Person, UserId};
use futures::StreamExt;
use serde_json::json;

use super::isolation;
use crate::support::{
    app::{PASSWORD, TestApp, each_db},
    client::{Answer, Client},
    smtp::Smtp,
};

const NEW: &str = "copper-lantern-orbit-77";

/// Another installation on the same kind of database, with open sign-up: Ada is the administrator, Bob a member.
async fn ada_and_bob(app: &TestApp) -> (TestApp, Client, Client) {
    let app = app.with_open_sign_up().await;
    let ada = app.administrator().await;
    let bob = app.person("bob@example.org", "Bob").await;
    (app, ada, bob)
}

async fn id_of(app: &TestApp, email: &str) -> UserId {
    let mut tx = app.state.store.read().await.expect("a unit");
    tx.find_user_by_email(email).await.expect("a row").expect("an account").id
}

async fn current_user(client: &mut Client) -> Option<CurrentUser> {
    client.post_form("/api/load_entrance", &[]).await.json::<colloquy::domain::AuthPageData>().user
}

async fn change(client: &mut Client, user: UserId, change: &str) -> Answer {
    client.post_form("/api/change_person", &[("user", &user.to_string()), ("change", change)]).await
}

async fn person(client: &mut Client, user: UserId) -> Person {
    let answer = client.post_json("/api/load_person", &json!({ "user": user })).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// The successful audit entries with this action: actor, subject and detail of each.
async fn audit_entries(app: &TestApp, action: &str) -> Vec<String> {
    app.column(&format!(
        "select coalesce(a.email, 'nobody') || ' > ' || coalesce(s.email, 'nobody') || ' ' || audit.detail from audit
         left join users a on a.id = audit.actor_id left join users s on s.id = audit.subject_id
         where audit.action = '{action}' and audit.outcome = 'done' order by audit.at, audit.id"
    ))
    .await
}

async fn assert_ends_soon(events: impl futures::Stream + Unpin) {
    let mut events = events;
    let over = async { while events.next().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(6), over).await.expect("the stream ends");
}

each_db! {
    async fn a10_a_disabled_user_can_do_nothing_on_any_path(app: TestApp) {
        let app = app.with_open_sign_up().await;
        let (mut ada, mut bob, ids) = isolation::admin_and_member(&app).await;
        let mut elsewhere = app.anonymous();
        elsewhere.cookies.clone_from(&bob.cookies);
        let user = id_of(&app, "bob@example.org").await;
        let PasswordReset::Link(link) = ada.post_form("/api/start_reset", &[("user", &user.to_string())]).await.json() else {
            panic!("a link, because no mails are sent");
        };
        let mut pending = app.anonymous();
        let step = pending.post_form("/api/sign_in", &[("email", "bob@example.org"), ("password", PASSWORD)]).await;
        assert!(step.text().contains("second_factor"), "{}", step.text());
        let sent = bob.send_message(Some(ids.sent.chat), "[[paced 2000 20]]").await;
        let (status, mut events) = bob.events(&sent, None).await;
        assert_eq!(status, 200);
        events.next().await.expect("an event");

        let done = change(&mut ada, user, "disable").await;
        assert_eq!(done.status, 200, "{}", done.text());
        for row in isolation::rows() {
            // Signing out would remove the cookie.
            if row.path != "/api/sign_out" {
                let refused = isolation::call(&mut bob, &row, &ids).await;
                let anonymous = isolation::call(&mut app.anonymous(), &row, &ids).await;
                assert_eq!(refused.status, anonymous.status, "{}: {}", row.path, refused.text());
            }
        }
        for path in ["/".to_owned(), "/sessions".into(), "/settings".into(), "/people".into(), format!("/chats/{}", sent.chat)] {
            let answer = elsewhere.get(&path).await;
            assert!(answer.status == 302 && answer.header("location").starts_with("/sign-in"), "{path}: {}", answer.status);
        }
        assert_eq!(elsewhere.events(&sent, None).await.0, 401);
        assert_ends_soon(events).await;

        let refused = app.anonymous().post_form("/api/sign_in", &[("email", "bob@example.org"), ("password", PASSWORD)]).await;
        let wrong = app.anonymous().post_form("/api/sign_in", &[("email", "bob@example.org"), ("password", NEW)]).await;
        assert_eq!((refused.status.as_u16(), &refused.body), (422, &wrong.body), "like a wrong password");
        assert_eq!(pending.post_form("/api/finish_sign_in", &[("code", "123456")]).await.status, 401);
        let token = link.split_once('=').expect("a token").1;
        let reset = app.anonymous().post_form("/api/reset_password", &[("token", token), ("password", NEW)]).await;
        assert_eq!(reset.error().field(), Some("token"), "the link is invalid");
        let again = ada.post_form("/api/start_reset", &[("user", &user.to_string())]).await;
        assert_eq!(again.status, 409, "{}", again.text());

        assert_eq!(change(&mut ada, user, "enable").await.status, 200);
        assert_eq!(current_user(&mut elsewhere).await, None, "revoked sign-ins stay revoked");
        let step = app.anonymous().post_form("/api/sign_in", &[("email", "bob@example.org"), ("password", PASSWORD)]).await;
        assert_eq!(step.status, 200, "{}", step.text());
        assert_eq!(audit_entries(&app, "disable_account").await, ["ada@example.org > bob@example.org "]);
        assert_eq!(audit_entries(&app, "enable_account").await, ["ada@example.org > bob@example.org "]);
    }
}

each_db! {
    async fn a10_a_disabled_user_is_signed_out_on_every_instance(app: TestApp) {
        let (app, mut ada, mut bob) = ada_and_bob(&app).await;
        let other = app.second_instance().await;
        let mut there = other.anonymous();
        there.cookies.clone_from(&bob.cookies);
        assert!(current_user(&mut there).await.is_some());
        assert_eq!(change(&mut ada, id_of(&app, "bob@example.org").await, "disable").await.status, 200);
        assert_eq!((current_user(&mut there).await, current_user(&mut bob).await), (None, None));
        other.stop().await;
    }
}

each_db! {
    async fn s07_an_administrator_lists_and_revokes_the_sign_ins_of_a_user(app: TestApp) {
        let (app, mut ada, mut bob) = ada_and_bob(&app).await;
        let (mut second, mut third) = (app.signed_in("bob@example.org").await, app.signed_in("bob@example.org").await);
        let user = id_of(&app, "bob@example.org").await;
        let listed = person(&mut ada, user).await.devices;
        assert_eq!(listed.len(), 3);
        assert!(listed.iter().all(|device| !device.current && device.network == "127.0.0.*"), "{listed:?}");
        let newest = listed.iter().max_by_key(|device| device.created_at).expect("the third").id.to_string();
        let end = [("user", &*user.to_string()), ("sign_in", &newest)];
        assert_eq!(ada.post_form("/api/end_sign_in_of", &end).await.status, 200);
        assert_eq!((current_user(&mut bob).await.is_some(), current_user(&mut second).await.is_some(), current_user(&mut third).await), (true, true, None));
        assert_eq!(ada.post_form("/api/end_sign_in_of", &end).await.status, 404, "it has ended");
        let own = id_of(&app, "ada@example.org").await;
        let foreign = person(&mut ada, user).await.devices[0].id.to_string();
        let mixed = [("user", &*own.to_string()), ("sign_in", &*foreign)];
        assert_eq!(ada.post_form("/api/end_sign_in_of", &mixed).await.status, 404, "it is not that person's");
        assert_eq!(change(&mut ada, user, "end_sign_ins").await.status, 200);
        assert_eq!((current_user(&mut bob).await, current_user(&mut second).await), (None, None));
        assert!(person(&mut ada, user).await.devices.is_empty());
        assert!(person(&mut ada, own).await.devices[0].current);
        assert_eq!(audit_entries(&app, "end_sign_in").await, ["ada@example.org > bob@example.org "]);
        assert_eq!(audit_entries(&app, "end_all_sign_ins").await, ["ada@example.org > bob@example.org "]);
    }
}

each_db! {
    async fn s11_a_role_change_takes_effect_immediately_and_on_open_streams(app: TestApp) {
        let (app, mut ada, mut bob) = ada_and_bob(&app).await;
        let user = id_of(&app, "bob@example.org").await;
        let before = bob.cookies.clone();
        assert_eq!(change(&mut ada, user, "make_administrator").await.status, 200);
        assert_eq!(current_user(&mut bob).await, None, "s02: the old session is invalid");
        let mut bob = app.signed_in("bob@example.org").await;
        assert_ne!(bob.cookies, before);
        assert_eq!(bob.post_json("/api/load_people", &json!({})).await.status, 200);
        let sent = bob.send_message(None, "[[paced 2000 20]]").await;
        let (_, mut events) = bob.events(&sent, None).await;
        events.next().await.expect("an event");

        assert_eq!(change(&mut ada, user, "make_member").await.status, 200);
        assert_eq!(bob.post_json("/api/load_people", &json!({})).await.status, 401);
        assert_ends_soon(events).await;
        let mut bob = app.signed_in("bob@example.org").await;
        assert_eq!(bob.post_json("/api/load_people", &json!({})).await.error(), AppError::Forbidden);
        assert_eq!(change(&mut bob, user, "make_administrator").await.error(), AppError::Forbidden);
        let expected = ["administrator", "member"].map(|role| format!("ada@example.org > bob@example.org {role}"));
        assert_eq!(audit_entries(&app, "change_role").await, expected);
    }
}

each_db! {
    async fn s08_changes_of_accounts_need_recent_authentication(app: TestApp) {
        let (app, mut ada, mut bob) = ada_and_bob(&app).await;
        let user = id_of(&app, "bob@example.org").await;
        assert!(person(&mut ada, user).await.recently_authenticated);
        app.state.clock.advance(11 * 60);
        for name in ["make_administrator", "make_member", "disable", "enable", "end_sign_ins", "remove_factors", "keep_factors"] {
            assert_eq!(change(&mut ada, user, name).await.error(), AppError::ReauthRequired, "{name}");
        }
        assert_eq!(ada.post_form("/api/start_reset", &[("user", &user.to_string())]).await.error(), AppError::ReauthRequired);
        let end = [("user", &*user.to_string()), ("sign_in", &*user.to_string())];
        assert_eq!(ada.post_form("/api/end_sign_in_of", &end).await.error(), AppError::ReauthRequired);
        assert!(!person(&mut ada, user).await.recently_authenticated, "reading needs no re-authentication");
        assert!(ada.get(&format!("/people/{user}")).await.text().contains("Confirm it's you"));
        let here = format!("/people/{user}");
        let confirmed = ada.submit("/api/confirm_identity", &[("password", PASSWORD), ("next", &here)]).await;
        assert_eq!((confirmed.status.as_u16(), confirmed.header("location")), (302, here.as_str()));
        assert_eq!(change(&mut ada, user, "disable").await.status, 200);
        assert_eq!(current_user(&mut bob).await, None);
    }
}

each_db! {
    async fn r06_an_administrator_starts_a_reset_and_never_sets_a_password(app: TestApp) {
        let (app, mut ada, mut bob) = ada_and_bob(&app).await;
        let user = id_of(&app, "bob@example.org").await;
        let user = user.to_string();
        let with_password = [("user", user.as_str()), ("password", NEW)];
        assert_eq!(ada.post_form("/api/start_reset", &with_password).await.status, 422);
        let form = [("user", user.as_str())];
        let PasswordReset::Link(link) = ada.post_form("/api/start_reset", &form).await.json() else { panic!("a link") };
        let sign_in = async |password: &str| {
            app.anonymous().post_form("/api/sign_in", &[("email", "bob@example.org"), ("password", password)]).await.status.as_u16()
        };
        assert_eq!((sign_in(PASSWORD).await, sign_in(NEW).await), (200, 422), "nothing has changed yet");
        assert!(current_user(&mut bob).await.is_some());
        let token = link.strip_prefix("http://127.0.0.1:3000/reset-password?token=").expect("a link of ours");
        let chosen = app.anonymous().post_form("/api/reset_password", &[("token", token), ("password", NEW)]).await;
        assert_eq!(chosen.status, 200, "{}", chosen.text());
        assert_eq!((sign_in(PASSWORD).await, sign_in(NEW).await), (422, 200));
        assert_eq!(current_user(&mut bob).await, None);
        assert_eq!(audit_entries(&app, "start_reset").await, ["ada@example.org > bob@example.org by link"]);
    }
}

each_db! {
    async fn r06_without_scripts_a_link_is_shown_once(app: TestApp) {
        let (app, mut ada, mut bob) = ada_and_bob(&app).await;
        let user = id_of(&app, "bob@example.org").await;
        for (path, fields, page, begin) in [
            ("/api/start_reset", vec![("user", user.to_string())], format!("/people/{user}"), "/reset-password?token="),
            ("/api/create_invitation", vec![("role", "member".to_owned()), ("email", String::new())], "/people".to_owned(), "/sign-up?invitation="),
        ] {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let led = ada.submit(path, &fields).await;
            assert_eq!(led.status, 302, "{}", led.text());
            let (place, part) = led.header("location").split_once('#').expect("a part of the page");
            let place = place.to_owned();
            assert!(place.starts_with(&page) && !place.contains("token") && !place.contains("invitation="), "{place}");
            let cookie = led.header("set-cookie");
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && cookie.contains("Max-Age=60"), "{cookie}");
            let shown = ada.get(&place).await.text();
            assert!(shown.contains(&format!("id=\"{part}\"")), "{part}");
            assert!(shown.contains(&format!("http://127.0.0.1:3000{begin}")), "{shown}");
            assert!(!ada.get(&place).await.text().contains(begin), "once");
        }
        // A planted cookie shows nothing that is not a link of this installation.
        ada.cookies.insert("colloquy-once".to_owned(), "http://evil.example/reset-password?token=x".to_owned());
        assert!(!ada.get(&format!("/people/{user}")).await.text().contains("evil.example"));
        bob.cookies.insert("colloquy-once".to_owned(), "http://127.0.0.1:3000/reset-password?token=x".to_owned());
        assert_eq!(bob.get(&format!("/people/{user}")).await.status, 404);
    }
}

each_db! {
    async fn r06_with_mail_the_user_gets_the_link_and_the_administrator_does_not(app: TestApp) {
        let smtp = Smtp::start().await;
        let config = smtp.config();
        let app = TestApp::start_with(app.backend(), |settings| {
            settings.sign_up_open = true;
            settings.mail = Some(config);
        })
        .await;
        let mut ada = app.administrator().await;
        app.person("bob@example.org", "Bob").await;
        let user = id_of(&app, "bob@example.org").await;
        let begun = ada.post_form("/api/start_reset", &[("user", &user.to_string())]).await;
        assert_eq!(begun.json::<PasswordReset>(), PasswordReset::Mailed);
        let mail = smtp.newest_mail_to(&app.state, "bob@example.org", 1).await;
        assert!(mail.part("text/plain").starts_with("Your administrator sent you a password reset link"), "{}", mail.part("text/plain"));
        let chosen = app.anonymous().post_form("/api/reset_password", &[("token", &mail.token()), ("password", NEW)]).await;
        assert_eq!(chosen.status, 200, "{}", chosen.text());
        for _ in 0..2 {
            assert_eq!(ada.post_form("/api/start_reset", &[("user", &user.to_string())]).await.status, 200);
        }
        assert_eq!(ada.post_form("/api/start_reset", &[("user", &user.to_string())]).await.status, 429, "3 an hour");
        assert_eq!(change(&mut ada, user, "disable").await.status, 200);
        let notice = smtp.newest_mail_to(&app.state, "bob@example.org", 5).await.part("text/plain");
        assert!(notice.starts_with("Your account was deactivated.") && !notice.contains("://"), "{notice}");
    }
}

each_db! {
    async fn a10_a_user_with_an_unverified_address_can_do_nothing(app: TestApp) {
        let smtp = Smtp::start().await;
        let config = smtp.config();
        let app = TestApp::start_with(app.backend(), |settings| {
            settings.sign_up_domains = vec!["example.org".to_owned()];
            settings.mail = Some(config);
        })
        .await;
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "hello").await;
        ada.wait_for_answer(sent.chat).await;
        let mut bob = app.anonymous();
        let form = [("email", "bob@example.org"), ("name", "Bob"), ("password", PASSWORD)];
        assert_eq!(bob.post_form("/api/sign_up", &form).await.status, 200);
        let refused = bob.post_form("/api/sign_in", &[("email", "bob@example.org"), ("password", PASSWORD)]).await;
        assert_eq!(refused.status, 409, "{}", refused.text());
        assert_eq!(current_user(&mut bob).await, None);
        for path in ["/", "/sessions", "/settings", "/people"] {
            let answer = bob.get(path).await;
            assert!(answer.status == 302 && answer.header("location").starts_with("/sign-in"), "{path}: {}", answer.status);
        }
        let user = id_of(&app, "bob@example.org").await;
        assert_eq!(person(&mut ada, user).await.summary.status, AccountStatus::Unverified);
        assert!(ada.get("/people").await.text().contains("Email not confirmed"));
        // An administrator who cannot sign in does not count as the last one.
        assert_eq!(change(&mut ada, user, "make_administrator").await.status, 200);
        let own = id_of(&app, "ada@example.org").await.to_string();
        let form = [("user", &*own), ("change", "make_member"), ("confirmed", "on")];
        assert_eq!(ada.post_form("/api/change_person", &form).await.status, 409, "l03");
    }
}
