//! The security settings of the user's own account.

use std::time::Duration;

use colloquy::domain::{AuditAction, Device, Outcome, Settings};
use futures::StreamExt;
use serde_json::json;

use crate::support::{
    app::{Backend, PASSWORD, TestApp, each_db},
    client::{Answer, Client},
    wait::wait_until,
};

const OTHER: &str = "teapot-glacier-violin-88";

async fn sign_in(app: &TestApp, password: &str) -> (Client, Answer) {
    let mut client = app.anonymous();
    let answer = client.post_form("/api/sign_in", &[("email", "ada@example.org"), ("password", password)]).await;
    (client, answer)
}

async fn status(client: &mut Client) -> u16 {
    client.post_json("/api/load_settings", &json!({"part": "security"})).await.status.as_u16()
}

async fn devices(client: &mut Client) -> Vec<Device> {
    client.post_json("/api/load_settings", &json!({"part": "security"})).await.json::<Settings>().devices
}

async fn activity(client: &mut Client) -> Vec<(AuditAction, Outcome)> {
    let settings: Settings =
        client.post_json("/api/load_settings", &json!({"part": "security", "cursor": "all"})).await.json();
    settings.activity.activities.iter().map(|act| (act.action, act.outcome)).collect()
}

each_db! {
    async fn s06_a_new_password_revokes_the_other_sign_ins_and_their_streams(app: TestApp) {
        let mut ada = app.administrator().await;
        let (mut other, answer) = sign_in(&app, PASSWORD).await;
        assert_eq!(answer.status, 200);
        let sent = other.send_message(None, "[[paced 2000 20]]").await;
        let (_, mut events) = other.events(&sent, None).await;
        events.next().await.expect("an event");
        let form = [("current", PASSWORD), ("password", OTHER)];
        assert_eq!(ada.post_form("/api/change_password", &form).await.status, 200);
        assert_eq!(status(&mut ada).await, 200);
        assert_eq!(status(&mut other).await, 401);
        let over = async { while events.next().await.is_some() {} };
        tokio::time::timeout(Duration::from_secs(6), over).await.expect("the stream ends");
        assert_eq!(sign_in(&app, PASSWORD).await.1.status, 422);
        assert_eq!(sign_in(&app, OTHER).await.1.status, 200);
    }
}

each_db! {
    async fn s06_changing_the_password_needs_the_old_one(app: TestApp) {
        let mut ada = app.administrator().await;
        let refused = ada.post_form("/api/change_password", &[("current", OTHER), ("password", OTHER)]).await;
        assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("current")));
        let refused = ada.post_form("/api/change_password", &[("current", PASSWORD), ("password", "short")]).await;
        assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("password")));
        assert_eq!(sign_in(&app, PASSWORD).await.1.status, 200);
        for _ in 0..12 {
            ada.post_form("/api/change_password", &[("current", OTHER), ("password", OTHER)]).await;
        }
        let refused = ada.post_form("/api/change_password", &[("current", PASSWORD), ("password", OTHER)]).await;
        assert_eq!(refused.status, 429, "guesses count like those at sign-in");
    }
}

each_db! {
    async fn s07_only_the_chosen_sign_in_is_revoked(app: TestApp) {
        let mut ada = app.administrator().await;
        let (mut second, _) = sign_in(&app, PASSWORD).await;
        let (mut third, _) = sign_in(&app, PASSWORD).await;
        let listed = devices(&mut second).await;
        assert_eq!(listed.len(), 3);
        let own: Vec<_> = listed.iter().filter(|device| device.current).collect();
        assert_eq!(own.len(), 1);
        let id = own[0].id.to_string();
        assert_eq!(ada.post_form("/api/end_device", &[("sign_in", &id)]).await.status, 200);
        assert_eq!((status(&mut ada).await, status(&mut second).await, status(&mut third).await), (200, 401, 200));
        assert_eq!(ada.post_form("/api/end_device", &[("sign_in", &id)]).await.status, 404, "it has ended");
        let ended: u64 = ada.post_form("/api/end_other_devices", &[]).await.json();
        assert_eq!(ended, 1);
        assert_eq!((status(&mut ada).await, status(&mut third).await), (200, 401));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s07_a_user_cannot_revoke_the_sign_in_of_another() {
    let app = TestApp::start_with(Backend::Sqlite, |config| config.sign_up_open = true).await;
    let mut ada = app.administrator().await;
    let mut bob = app.person("bob@example.org", "Bob").await;
    let id = devices(&mut bob).await[0].id.to_string();
    assert_eq!(ada.post_form("/api/end_device", &[("sign_in", &id)]).await.status, 404);
    assert_eq!(status(&mut bob).await, 200);
}

each_db! {
    async fn s08_authentication_is_recent_for_ten_minutes_and_can_be_renewed(app: TestApp) {
        let mut ada = app.administrator().await;
        let caller = caller(&app, &mut ada).await;
        assert_eq!(app.state.accounts.require_recent_authentication(&caller), Ok(()));
        app.state.clock.advance(11 * 60);
        assert_eq!(app.state.accounts.require_recent_authentication(&caller).map_err(|error| error.status()), Err(403));
        let before = ada.cookies.clone();
        assert_eq!(ada.post_form("/api/confirm_identity", &[("password", OTHER)]).await.status, 422);
        assert_eq!(ada.post_form("/api/confirm_identity", &[("password", PASSWORD)]).await.status, 200);
        assert_ne!(ada.cookies, before, "s02: the session has a new id");
        let caller = self::caller(&app, &mut ada).await;
        assert_eq!(app.state.accounts.require_recent_authentication(&caller), Ok(()));
    }
}

each_db! {
    async fn s08_reauthentication_keeps_remember_me(app: TestApp) {
        app.administrator().await;
        for remember in [true, false] {
            let mut ada = app.anonymous();
            let mut form = vec![("email", "ada@example.org"), ("password", PASSWORD)];
            form.extend(remember.then_some(("remember", "on")));
            let before = ada.post_form("/api/sign_in", &form).await;
            let after = ada.post_form("/api/confirm_identity", &[("password", PASSWORD)]).await;
            for answer in [before, after] {
                assert_eq!(answer.header("set-cookie").contains("Max-Age="), remember, "{}", answer.header("set-cookie"));
            }
        }
    }
}

async fn caller(app: &TestApp, client: &mut Client) -> colloquy::server::auth::Caller {
    let id = devices(client).await.into_iter().find(|device| device.current).expect("this one").id;
    app.state.accounts.find_caller_by_sign_in(id).await.expect("a database").expect("a valid sign-in")
}

each_db! {
    async fn s05_administrators_have_a_shorter_idle_timeout(app: TestApp) {
        let mut ada = app.administrator().await;
        app.state.clock.advance(29 * 60);
        assert_eq!(status(&mut ada).await, 200);
        app.state.clock.advance(31 * 60);
        assert_eq!(status(&mut ada).await, 401);
    }
}

each_db! {
    async fn l01_actions_on_an_account_are_recorded(app: TestApp) {
        use {AuditAction::*, Outcome::*};
        let mut ada = app.administrator().await;
        sign_in(&app, OTHER).await;
        let (mut other, _) = sign_in(&app, PASSWORD).await;
        other.post_form("/api/sign_out", &[]).await;
        ada.post_form("/api/change_name", &[("name", "Ada L.")]).await;
        ada.post_form("/api/confirm_identity", &[("password", OTHER)]).await;
        ada.post_form("/api/change_password", &[("current", PASSWORD), ("password", OTHER)]).await;
        ada.post_form("/api/end_other_devices", &[]).await;
        let expected = [
            (EndOtherSignIns, Done),
            (ChangePassword, Done),
            (Confirm, Refused),
            (ChangeName, Done),
            (SignOut, Done),
            (SignIn, Done),
            (SignIn, Refused),
            (SignIn, Done),
            (SignUp, Done),
        ];
        assert_eq!(activity(&mut ada).await, expected);
    }
}

each_db! {
    async fn activity_is_paginated_and_cursors_are_checked(app: TestApp) {
        let mut ada = app.administrator().await;
        for i in 0..30 {
            ada.post_form("/api/change_name", &[("name", &format!("Ada {i}"))]).await;
        }
        let recent = ada.post_json("/api/load_settings", &json!({"part": "security"})).await.json::<Settings>().activity;
        assert_eq!((recent.activities.len(), recent.next.is_some()), (5, true), "the newest without a cursor");
        let (mut cursor, mut count) = (Some("all".to_owned()), 0);
        loop {
            let page = ada.post_json("/api/load_settings", &json!({"part": "security", "cursor": cursor})).await.json::<Settings>().activity;
            count += page.activities.len();
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(count, 32);
        for bad in ["x", "1.2", "9999999999999999999999.0190e2a4-7b1c-7def-8123-456789abcdef"] {
            let refused = ada.post_json("/api/load_settings", &json!({"part": "security", "cursor": bad})).await;
            assert_eq!(refused.error().field(), Some("cursor"), "row 17: {bad}");
        }
    }
}

each_db! {
    async fn l01_audit_entries_are_kept_for_a_year(app: TestApp) {
        app.administrator().await;
        for (days, kept) in [(364, true), (2, false)] {
            app.state.clock.advance(days * 86_400);
            app.state.privacy.delete_expired().await.expect("a pass");
            let (mut ada, _) = sign_in(&app, PASSWORD).await;
            assert_eq!(activity(&mut ada).await.contains(&(AuditAction::SignUp, Outcome::Done)), kept, "{days}");
        }
    }
}

async fn delete_ended(app: &TestApp, days: i64, limit: u32) -> u64 {
    let mut tx = app.state.store.write().await.expect("a unit");
    let before = app.state.clock.now().plus_seconds(-86_400 * days);
    let deleted = tx.engine().delete_ended_sign_ins(before, limit).await.expect("a slice");
    tx.commit().await.expect("a commit");
    deleted
}

each_db! {
    async fn l04_only_sign_ins_that_ended_long_ago_are_deleted_in_batches(app: TestApp) {
        let mut ada = app.administrator().await;
        // One signed out, one idle for too long, one past its absolute lifetime; the first one is still in use.
        let (mut ended, _) = sign_in(&app, PASSWORD).await;
        assert_eq!(ended.post_form("/api/sign_out", &[]).await.status, 200);
        sign_in(&app, PASSWORD).await;
        let (mut long, _) = sign_in(&app, PASSWORD).await;
        app.execute("update sign_ins set idle_seconds = 100000000, ends_at = ends_at + 100000000000000 where ended_at is null").await;
        let id = devices(&mut long).await.into_iter().find(|device| device.current).expect("this one").id;
        let hex = id.uuid().simple().to_string();
        let this = if app.backend() == Backend::Sqlite { format!("id = x'{hex}'") } else { format!("id = '{id}'") };
        app.execute(&format!("update sign_ins set ends_at = created_at + 1000000 where {this}")).await;
        let count = async || app.column("select user_agent from sign_ins").await.len();
        assert_eq!(count().await, 4);
        for limit in [1, 500] {
            assert_eq!(delete_ended(&app, 30, limit).await, 0, "they ended just now");
        }
        app.state.clock.advance(31 * 86_400);
        assert_eq!(status(&mut ada).await, 200, "a valid sign-in");
        app.state.accounts.write_deferred().await.expect("its use is written");
        assert_eq!(delete_ended(&app, 30, 1).await, 1, "a slice");
        assert_eq!(delete_ended(&app, 30, 500).await, 1, "one is valid, and one is not old enough");
        assert_eq!((count().await, status(&mut ada).await), (2, 200));
        app.execute("update sign_ins set idle_seconds = 3600 where last_used_at = created_at").await;
        assert_eq!((delete_ended(&app, 30, 500).await, count().await), (1, 1), "it was idle for too long");
        assert_eq!((delete_ended(&app, 30, 500).await, status(&mut ada).await), (0, 200));
    }
}

each_db! {
    async fn l04_the_last_seen_time_outlives_the_sign_ins(app: TestApp) {
        let app = app.with_open_sign_up().await;
        app.administrator().await;
        app.person("bob@example.org", "Bob").await;
        let seen = async || {
            let mut ada = app.signed_in("ada@example.org").await;
            let people: colloquy::domain::People = ada.post_json("/api/load_people", &json!({})).await.json();
            let bob = people.page.people.into_iter().find(|person| person.name == "Bob").expect("Bob");
            (bob.status, bob.last_seen_at)
        };
        let before = seen().await;
        assert!(before.1.is_some());
        app.state.clock.advance(400 * 86_400);
        // A starting server deletes what has expired.
        let other = app.second_instance().await;
        wait_until("they are deleted", async || app.column("select user_agent from sign_ins").await.is_empty()).await;
        assert_eq!(seen().await, before);
        other.stop().await;
    }
}
