//! The audit log also records refused attempts and the account they concern, without a flood of entries.

use serde_json::json;

use super::{WRONG, ada_and_bob_with_mail, post_ok};
use crate::{
    factors::{add_totp_app, factors},
    support::app::{PASSWORD, TestApp, each_db},
};

/// The audit entries with this action: outcome, detail and the subject's name of each.
async fn audit_entries(app: &TestApp, action: &str) -> Vec<String> {
    let sql = "select a.outcome || ' ' || a.detail || ' ' || coalesce(u.name, 'nobody')
               from audit a left join users u on u.id = a.subject_id where a.action = ";
    app.column(&format!("{sql} '{action}' order by a.at, a.id")).await
}

each_db! {
    async fn l01_rate_limiting_is_recorded_once(app: TestApp) {
        let (app, _smtp, _ada, _bob) = ada_and_bob_with_mail(&app).await;
        let mut mallory = app.anonymous();
        let mut statuses = Vec::new();
        for _ in 0..15 {
            statuses.push(mallory.post_form("/api/sign_in", &[("email", "bob@example.org"), ("password", WRONG)]).await.status.as_u16());
        }
        assert_eq!(statuses, [[422; 10].as_slice(), &[429; 5]].concat());
        assert_eq!(audit_entries(&app, "throttle").await, ["refused signing in nobody"]);
        assert_eq!(audit_entries(&app, "sign_in").await.iter().filter(|act| act.as_str() == "refused  Bob").count(), 10);
        // From many addresses, until the limit of the account is reached: this is recorded for its owner.
        for machine in 0..10 {
            let mut mallory = app.anonymous().at(&format!("198.51.100.{machine}"));
            for _ in 0..10 {
                mallory.post_form("/api/sign_in", &[("email", "bob@example.org"), ("password", WRONG)]).await;
            }
        }
        assert_eq!(audit_entries(&app, "throttle").await, ["refused signing in nobody", "refused signing in Bob"]);
        for _ in 0..5 {
            app.anonymous().at("192.0.2.1").post_form("/api/request_mail", &[("purpose", "reset"), ("email", "bob@example.org")]).await;
        }
        assert_eq!(audit_entries(&app, "throttle").await[2..], ["refused emails Bob"]);
    }
}

each_db! {
    async fn l01_invalid_links_and_refused_sign_ups_are_recorded(app: TestApp) {
        let (app, _smtp, _ada, _bob) = ada_and_bob_with_mail(&app).await;
        let mut anonymous = app.anonymous();
        let token = "A".repeat(43);
        let dead: [(&str, &[(&str, &str)]); 3] = [
            ("reset_password", &[("token", &token), ("password", PASSWORD)]),
            ("verify_address", &[("token", &token)]),
            ("confirm_address_change", &[("token", &token)]),
        ];
        for (function, form) in dead {
            assert_eq!(anonymous.post_form(&format!("/api/{function}"), form).await.status, 422, "{function}");
        }
        for action in ["reset_password", "verify_address", "change_address"] {
            assert_eq!(audit_entries(&app, action).await, ["refused link nobody"], "{action}");
        }
        let account = |invitation| [("email", "bob@example.org"), ("name", "B"), ("password", PASSWORD), ("invitation", invitation)];
        // a05: only the owner is notified, by mail.
        assert_eq!(anonymous.post_form("/api/sign_up", &account("")).await.status, 200);
        assert_eq!(anonymous.post_form("/api/sign_up", &account(&token)).await.status, 422);
        assert_eq!(audit_entries(&app, "sign_up").await, ["done  Ada", "done invitation Bob", "refused  nobody", "refused  nobody"]);
        assert!(app.column("select detail from audit").await.iter().all(|detail| !detail.contains(&token)));
    }
}

each_db! {
    async fn l01_refused_factors_are_recorded(app: TestApp) {
        let (app, _smtp, _ada, mut bob) = ada_and_bob_with_mail(&app).await;
        post_ok(&mut bob, "/api/begin_totp", &[]).await;
        assert_eq!(bob.post_form("/api/confirm_totp", &[("code", "000000")]).await.status, 422);
        let passkey = json!({ "name": "Key", "credential": "{}" });
        assert_eq!(bob.post_json("/api/finish_passkey_registration", &passkey).await.status, 422);
        assert_eq!(audit_entries(&app, "add_factor").await, ["refused Authenticator app Bob", "refused passkey Bob"]);
        let answer = json!({ "credential": "{}", "next": null });
        assert_eq!(bob.post_json("/api/finish_passkey_confirmation", &answer).await.status, 422);
        assert_eq!(audit_entries(&app, "confirm").await, ["refused passkey Bob"]);
        let answer = json!({ "credential": "{}", "remember": false, "next": null });
        assert_eq!(app.anonymous().post_json("/api/finish_passkey_sign_in", &answer).await.status, 422);
        assert_eq!(audit_entries(&app, "sign_in").await.last().expect("one"), "refused passkey nobody");

        // a07: codes that confirm a new app count towards the limit too.
        let mut statuses = Vec::new();
        for _ in 0..10 {
            statuses.push(bob.post_form("/api/confirm_totp", &[("code", "000000")]).await.status.as_u16());
        }
        assert_eq!(statuses, [[422; 7].as_slice(), &[429; 3]].concat());
        app.state.clock.advance(901);
        post_ok(&mut bob, "/api/confirm_identity", &[("password", PASSWORD)]).await;
        add_totp_app(&app, &mut bob).await;
        let factor = factors(&mut bob).await.factors[0].id.to_string();
        post_ok(&mut bob, "/api/rename_factor", &[("factor", &factor), ("name", "My phone")]).await;
        assert_eq!(audit_entries(&app, "rename_factor").await, ["done My phone Bob"]);
    }
}

each_db! {
    async fn l01_forbidden_access_is_recorded_without_flooding_the_audit_log(app: TestApp) {
        let (app, _smtp, _ada, mut bob) = ada_and_bob_with_mail(&app).await;
        assert_eq!(bob.post_json("/api/load_people", &json!({})).await.status, 403);
        assert_eq!(bob.get("/people").await.status, 404);
        assert_eq!(bob.submit("/audit/export", &[]).await.status, 403);
        assert_eq!(bob.post_form("/api/create_invitation", &[("role", "administrator")]).await.status, 403);
        let places = ["/api/load_people", "/people", "/audit/export", "/api/create_invitation"];
        assert_eq!(audit_entries(&app, "overstep").await, places.map(|place| format!("refused {place} Bob")));
        for _ in 0..30 {
            assert_eq!(bob.post_json("/api/load_audit", &json!({})).await.status, 403);
        }
        assert_eq!(audit_entries(&app, "overstep").await.len(), 20);
    }
}

each_db! {
    async fn l01_deleted_chats_and_replaced_sign_ins_are_recorded(app: TestApp) {
        let (app, _smtp, mut ada, mut bob) = ada_and_bob_with_mail(&app).await;
        let sent = ada.send_message(None, "a secret plan").await;
        ada.wait_for_answer(sent.chat).await;
        let chat = sent.chat.to_string();
        for action in ["delete", "restore", "pin"] {
            post_ok(&mut ada, "/api/change_chats", &[("chats[]", &chat), ("action", action)]).await;
        }
        assert_eq!(audit_entries(&app, "delete_chats").await, ["done 1 chat Ada"]);
        assert_eq!(audit_entries(&app, "restore_chats").await, ["done 1 chat Ada"]);
        post_ok(&mut bob, "/api/sign_in", &[("email", "ada@example.org"), ("password", PASSWORD)]).await;
        assert_eq!(audit_entries(&app, "sign_out").await, ["done  Bob"]);
        let all = app.column("select detail from audit").await.join("\n");
        assert!(!all.contains("secret plan") && !all.contains(&chat), "{all}");
    }
}
