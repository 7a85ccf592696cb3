//! Second steps and passkey sign-ins that race with the revocation of all sign-ins.

use std::sync::atomic::Ordering;

use colloquy::domain::{JobKind, SignInStep};
use serde_json::json;

use super::{
    ADA, PASSWORD, add_totp_app,
    authenticator::Authenticator,
    current_user, factors, finish,
    passkeys::{begin, register},
    password_step, sign_in_step, with_open_sign_up,
};
use crate::{
    credentials::{id_of, race_next_sign_in},
    support::{
        app::each_db,
        client::{Answer, Client},
    },
};

async fn finish_by_passkey(client: &mut Client, what: &str, device: &mut Authenticator, options: &str) -> Answer {
    let mut body = json!({"credential": device.get(options), "next": null});
    if what == "sign_in" {
        body["remember"] = json!(false);
    }
    client.post_json(&format!("/api/finish_passkey_{what}"), &body).await
}

/// A revoking action: whether the account's owner performs it (otherwise an administrator), the function, and its
/// fields.
type Revocation<'a> = (bool, &'a str, Vec<(&'a str, &'a str)>);

each_db! {
    async fn s06_no_second_step_survives_a_concurrent_revocation(app: TestApp) {
        let mut ada = app.administrator().await;
        let (totp_app, codes) = add_totp_app(&app, &mut ada).await;
        let mut device = Authenticator::new(0);
        register(&mut ada, &mut device).await;
        let end = "/api/end_other_devices";

        // The revocation happens after the password check and before the pending second step is stored.
        let mut browser = app.anonymous();
        let done = race_next_sign_in(&app, ada.clone(), end, &[]);
        let refused = password_step(&mut browser).await;
        assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("password")), "{}", refused.text());
        assert!(done.load(Ordering::SeqCst));
        assert_eq!(finish(&mut browser, &totp_app.next_code(&app)).await.status, 401, "nothing is pending");

        // The revocation happens after the check of the second step and before the sign-in is stored.
        for way in ["code", "recovery", "passkey"] {
            let mut browser = app.anonymous();
            assert!(matches!(sign_in_step(&mut browser).await, SignInStep::SecondFactor { .. }), "{way}");
            let options = begin(&mut browser, "check").await;
            let code = if way == "code" { totp_app.next_code(&app) } else { codes[0].clone() };
            let done = race_next_sign_in(&app, ada.clone(), end, &[]);
            let refused = match way {
                "passkey" => finish_by_passkey(&mut browser, "check", &mut device, &options).await,
                _ => finish(&mut browser, &code).await,
            };
            assert!(done.load(Ordering::SeqCst), "{way}");
            assert_eq!(refused.status, 401, "{way}: {}", refused.text());
            assert!(current_user(&mut browser).await.is_none(), "{way}");
        }
        assert!(current_user(&mut ada).await.is_some(), "the actor stays signed in");
    }
}

each_db! {
    async fn s06_a_second_step_started_before_a_revocation_is_invalid(app: TestApp) {
        let app = with_open_sign_up(&app).await;
        let mut admin = app.person("rita@example.org", "Rita").await;
        let mut ada = app.person(ADA, "Ada").await;
        let (totp_app, _) = add_totp_app(&app, &mut ada).await;
        let mut device = Authenticator::new(0);
        register(&mut ada, &mut device).await;
        let user = id_of(&app, ADA).await.to_string();
        let passkey = factors(&mut ada).await.factors.into_iter().find(|factor| factor.name == "My key").expect("a passkey").id;
        let passkey = passkey.to_string();
        let revocations: [Revocation<'_>; 4] = [
            (true, "end_other_devices", vec![]),
            (true, "change_password", vec![("current", PASSWORD), ("password", "copper-lantern-orbit-77")]),
            (true, "remove_factor", vec![("factor", &passkey)]),
            (false, "change_person", vec![("user", &user), ("change", "end_sign_ins")]),
        ];
        let mut password = PASSWORD;
        for (own, function, fields) in revocations {
            let mut browser = app.anonymous();
            let step = browser.post_form("/api/sign_in", &[("email", ADA), ("password", password)]).await;
            assert!(step.text().contains("second_factor"), "{function}: {}", step.text());
            let actor = if own { &mut ada } else { &mut admin };
            let done = actor.post_form(&format!("/api/{function}"), &fields).await;
            assert_eq!(done.status, 200, "{function}: {}", done.text());
            assert_eq!(finish(&mut browser, &totp_app.next_code(&app)).await.status, 401, "{function}");
            assert!(current_user(&mut browser).await.is_none(), "{function}");
            if function == "change_password" {
                password = "copper-lantern-orbit-77";
            }
        }
        let mut browser = app.anonymous();
        browser.post_form("/api/sign_in", &[("email", ADA), ("password", password)]).await;
        assert_eq!(finish(&mut browser, &totp_app.next_code(&app)).await.status, 200, "another one works");
    }
}

each_db! {
    async fn s06_no_sign_in_survives_the_removal_of_lost_factors(app: TestApp) {
        let app = with_open_sign_up(&app).await;
        let mut admin = app.person("rita@example.org", "Rita").await;
        let mut ada = app.person(ADA, "Ada").await;
        let (totp_app, _) = add_totp_app(&app, &mut ada).await;
        let user = id_of(&app, ADA).await.to_string();
        let asked = admin.post_form("/api/change_person", &[("user", &*user), ("change", "remove_factors")]).await;
        assert_eq!(asked.status, 200, "{}", asked.text());
        app.execute("update factor_removals set due_at = 1").await;
        app.execute("update jobs set run_at = 1 where kind = 'remove_factors'").await;
        let mut browser = app.anonymous();
        sign_in_step(&mut browser).await;
        let code = totp_app.next_code(&app);
        let jobs = app.state.jobs.clone();
        app.state.accounts.run_before_next_sign_in(async move {
            jobs.drain(JobKind::RemoveFactors).await.expect("a removal");
        });
        assert_eq!(finish(&mut browser, &code).await.status, 401);
        assert!(current_user(&mut browser).await.is_none());
    }
}

each_db! {
    async fn s06_no_passkey_sign_in_survives_a_concurrent_revocation(app: TestApp) {
        let mut ada = app.administrator().await;
        let mut device = Authenticator::new(0);
        register(&mut ada, &mut device).await;
        let end = "/api/end_other_devices";
        let is_refused = |answer: &Answer| answer.status == 422 && answer.error().field() == Some("credential");

        let mut alone = app.anonymous();
        let options = begin(&mut alone, "sign_in").await;
        let done = race_next_sign_in(&app, ada.clone(), end, &[]);
        let refused = finish_by_passkey(&mut alone, "sign_in", &mut device, &options).await;
        assert!(done.load(Ordering::SeqCst) && is_refused(&refused), "{}", refused.text());
        assert!(current_user(&mut alone).await.is_none());

        // Started before the revocation, finished after it.
        let options = begin(&mut alone, "sign_in").await;
        assert_eq!(ada.post_form(end, &[]).await.status, 200);
        let refused = finish_by_passkey(&mut alone, "sign_in", &mut device, &options).await;
        assert!(is_refused(&refused), "{}", refused.text());
        assert!(current_user(&mut alone).await.is_none());

        let options = begin(&mut alone, "sign_in").await;
        assert_eq!(finish_by_passkey(&mut alone, "sign_in", &mut device, &options).await.status, 200, "started after the revocation");
        assert!(current_user(&mut alone).await.is_some() && current_user(&mut ada).await.is_some());
    }
}
