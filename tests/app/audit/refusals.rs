//! What was refused is written down too, with whom it concerns, and nobody can fill the audit with it.

use serde_json::json;

use super::{WRONG, done, house};
use crate::{
    factors::{enrolled, factors},
    support::app::{PASSWORD, TestApp, each_db},
};

/// What was written down of this kind: each as its outcome, its detail, and the name of whom it concerns.
async fn written(app: &TestApp, action: &str) -> Vec<String> {
    let sql = "select a.outcome || ' ' || a.detail || ' ' || coalesce(u.name, 'nobody')
               from audit a left join users u on u.id = a.subject_id where a.action = ";
    app.column(&format!("{sql} '{action}' order by a.at, a.id")).await
}

each_db! {
    async fn l01_too_many_tries_are_written_down_once(app: TestApp) {
        let (app, _smtp, _ada, _bob) = house(&app).await;
        let mut mallory = app.stranger();
        let mut tries = Vec::new();
        for _ in 0..15 {
            tries.push(mallory.post_form("/api/sign_in", &[("email", "bob@example.org"), ("password", WRONG)]).await.status.as_u16());
        }
        assert_eq!(tries, [[422; 10].as_slice(), &[429; 5]].concat());
        assert_eq!(written(&app, "throttle").await, ["refused signing in nobody"]);
        assert_eq!(written(&app, "sign_in").await.iter().filter(|act| act.as_str() == "refused  Bob").count(), 10);
        // From everywhere, until the account has enough: its owner sees it.
        for machine in 0..10 {
            let mut mallory = app.stranger().at(&format!("198.51.100.{machine}"));
            for _ in 0..10 {
                mallory.post_form("/api/sign_in", &[("email", "bob@example.org"), ("password", WRONG)]).await;
            }
        }
        assert_eq!(written(&app, "throttle").await, ["refused signing in nobody", "refused signing in Bob"]);
        for _ in 0..5 {
            app.stranger().at("192.0.2.1").post_form("/api/request_password_reset", &[("email", "bob@example.org")]).await;
        }
        assert_eq!(written(&app, "throttle").await[2..], ["refused mails Bob"]);
    }
}

each_db! {
    async fn l01_dead_links_and_refused_accounts_are_written_down(app: TestApp) {
        let (app, _smtp, _ada, _bob) = house(&app).await;
        let mut stranger = app.stranger();
        let token = "A".repeat(43);
        let dead: [(&str, &[(&str, &str)]); 3] = [
            ("reset_password", &[("token", &token), ("password", PASSWORD)]),
            ("verify_address", &[("token", &token)]),
            ("confirm_address_change", &[("token", &token)]),
        ];
        for (function, form) in dead {
            assert_eq!(stranger.post_form(&format!("/api/{function}"), form).await.status, 422, "{function}");
        }
        for action in ["reset_password", "verify_address", "change_address"] {
            assert_eq!(written(&app, action).await, ["refused link nobody"], "{action}");
        }
        let account = |invitation| [("email", "bob@example.org"), ("name", "B"), ("password", PASSWORD), ("invitation", invitation)];
        // a05: nobody is told but the owner, by mail.
        assert_eq!(stranger.post_form("/api/sign_up", &account("")).await.status, 200);
        assert_eq!(stranger.post_form("/api/sign_up", &account(&token)).await.status, 422);
        assert_eq!(written(&app, "sign_up").await, ["done  Ada", "done invitation Bob", "refused  nobody", "refused  nobody"]);
        assert!(app.column("select detail from audit").await.iter().all(|detail| !detail.contains(&token)));
    }
}

each_db! {
    async fn l01_refused_factors_are_written_down(app: TestApp) {
        let (app, _smtp, _ada, mut bob) = house(&app).await;
        done(&mut bob, "/api/begin_totp", &[]).await;
        assert_eq!(bob.post_form("/api/confirm_totp", &[("code", "000000")]).await.status, 422);
        let passkey = json!({ "name": "Key", "credential": "{}" });
        assert_eq!(bob.post_json("/api/finish_passkey_registration", &passkey).await.status, 422);
        assert_eq!(written(&app, "add_factor").await, ["refused Authenticator app Bob", "refused passkey Bob"]);
        let answer = json!({ "credential": "{}", "next": null });
        assert_eq!(bob.post_json("/api/finish_passkey_confirmation", &answer).await.status, 422);
        assert_eq!(written(&app, "confirm").await, ["refused passkey Bob"]);
        let answer = json!({ "credential": "{}", "remember": false, "next": null });
        assert_eq!(app.stranger().post_json("/api/finish_passkey_sign_in", &answer).await.status, 422);
        assert_eq!(written(&app, "sign_in").await.last().expect("one"), "refused passkey nobody");

        // a07: codes of an app that is being added are counted like others.
        let mut tries = Vec::new();
        for _ in 0..10 {
            tries.push(bob.post_form("/api/confirm_totp", &[("code", "000000")]).await.status.as_u16());
        }
        assert_eq!(tries, [[422; 7].as_slice(), &[429; 3]].concat());
        app.state.clock.advance(901);
        done(&mut bob, "/api/confirm_identity", &[("password", PASSWORD)]).await;
        enrolled(&app, &mut bob).await;
        let factor = factors(&mut bob).await.factors[0].id.to_string();
        done(&mut bob, "/api/rename_factor", &[("factor", &factor), ("name", "My phone")]).await;
        assert_eq!(written(&app, "rename_factor").await, ["done My phone Bob"]);
    }
}

each_db! {
    async fn l01_what_members_must_not_is_written_down_and_they_cannot_fill_the_audit_with_it(app: TestApp) {
        let (app, _smtp, _ada, mut bob) = house(&app).await;
        assert_eq!(bob.post_json("/api/load_people", &json!({})).await.status, 403);
        assert_eq!(bob.get("/people").await.status, 404);
        assert_eq!(bob.submit("/audit/export", &[]).await.status, 403);
        assert_eq!(bob.post_form("/api/create_invitation", &[("role", "administrator")]).await.status, 403);
        let places = ["/api/load_people", "/people", "/audit/export", "/api/create_invitation"];
        assert_eq!(written(&app, "overstep").await, places.map(|place| format!("refused {place} Bob")));
        for _ in 0..30 {
            assert_eq!(bob.post_json("/api/load_audit", &json!({})).await.status, 403);
        }
        assert_eq!(written(&app, "overstep").await.len(), 20);
    }
}

each_db! {
    async fn l01_deleting_chats_and_the_end_of_a_former_sign_in_are_written_down(app: TestApp) {
        let (app, _smtp, mut ada, mut bob) = house(&app).await;
        let sent = ada.say(None, "a secret plan").await;
        ada.settled(sent.chat).await;
        let chat = sent.chat.to_string();
        for action in ["delete", "restore", "pin"] {
            done(&mut ada, "/api/change_chats", &[("chats[]", &chat), ("action", action)]).await;
        }
        assert_eq!(written(&app, "delete_chats").await, ["done 1 chat Ada"]);
        assert_eq!(written(&app, "restore_chats").await, ["done 1 chat Ada"]);
        done(&mut bob, "/api/sign_in", &[("email", "ada@example.org"), ("password", PASSWORD)]).await;
        assert_eq!(written(&app, "sign_out").await, ["done  Bob"]);
        let all = app.column("select detail from audit").await.join("\n");
        assert!(!all.contains("secret plan") && !all.contains(&chat), "{all}");
    }
}
