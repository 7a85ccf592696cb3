//! A second step, or a passkey alone, that is under way when the sign-ins of its person are ended.

use std::sync::atomic::Ordering;

use colloquy::domain::{JobKind, SignInStep};
use serde_json::json;

use super::{
    ADA, PASSWORD,
    authenticator::Authenticator,
    enrolled, factors, finish, open_to_all,
    passkeys::{begin, register},
    password_step, sign_in_step, who,
};
use crate::{
    credentials::{id_of, in_between},
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

/// Whether the account's owner does it (or else an administrator), the function, and its fields.
type Act<'a> = (bool, &'a str, Vec<(&'a str, &'a str)>);

each_db! {
    async fn s06_no_second_step_outlives_what_ends_the_sign_ins(app: TestApp) {
        let mut ada = app.administrator().await;
        let (phone, codes) = enrolled(&app, &mut ada).await;
        let mut device = Authenticator::new(0);
        register(&mut ada, &mut device).await;
        let end = "/api/end_other_devices";

        // The password is right, and the act comes before it is noted that the second step is to follow.
        let mut browser = app.stranger();
        let done = in_between(&app, ada.clone(), end, &[]);
        let refused = password_step(&mut browser).await;
        assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("password")), "{}", refused.text());
        assert!(done.load(Ordering::SeqCst));
        assert_eq!(finish(&mut browser, &phone.next(&app)).await.status, 401, "nothing is pending");

        // The second step is right, and the act comes before it is written.
        for way in ["code", "recovery", "passkey"] {
            let mut browser = app.stranger();
            assert!(matches!(sign_in_step(&mut browser).await, SignInStep::SecondFactor { .. }), "{way}");
            let options = begin(&mut browser, "check").await;
            let code = if way == "code" { phone.next(&app) } else { codes[0].clone() };
            let done = in_between(&app, ada.clone(), end, &[]);
            let refused = match way {
                "passkey" => finish_by_passkey(&mut browser, "check", &mut device, &options).await,
                _ => finish(&mut browser, &code).await,
            };
            assert!(done.load(Ordering::SeqCst), "{way}");
            assert_eq!(refused.status, 401, "{way}: {}", refused.text());
            assert!(who(&mut browser).await.is_none(), "{way}");
        }
        assert!(who(&mut ada).await.is_some(), "she who acts stays");
    }
}

each_db! {
    async fn s06_a_second_step_that_was_begun_before_the_sign_ins_were_ended_is_dead(app: TestApp) {
        let app = open_to_all(&app).await;
        let mut admin = app.person("rita@example.org", "Rita").await;
        let mut ada = app.person(ADA, "Ada").await;
        let (phone, _) = enrolled(&app, &mut ada).await;
        let mut device = Authenticator::new(0);
        register(&mut ada, &mut device).await;
        let user = id_of(&app, ADA).await.to_string();
        let passkey = factors(&mut ada).await.factors.into_iter().find(|factor| factor.name == "My key").expect("a passkey").id;
        let passkey = passkey.to_string();
        let acts: [Act<'_>; 4] = [
            (true, "end_other_devices", vec![]),
            (true, "change_password", vec![("current", PASSWORD), ("password", "copper-lantern-orbit-77")]),
            (true, "remove_factor", vec![("factor", &passkey)]),
            (false, "change_person", vec![("user", &user), ("change", "end_sign_ins")]),
        ];
        let mut password = PASSWORD;
        for (own, function, fields) in acts {
            let mut browser = app.stranger();
            let step = browser.post_form("/api/sign_in", &[("email", ADA), ("password", password)]).await;
            assert!(step.text().contains("second_factor"), "{function}: {}", step.text());
            let actor = if own { &mut ada } else { &mut admin };
            let done = actor.post_form(&format!("/api/{function}"), &fields).await;
            assert_eq!(done.status, 200, "{function}: {}", done.text());
            assert_eq!(finish(&mut browser, &phone.next(&app)).await.status, 401, "{function}");
            assert!(who(&mut browser).await.is_none(), "{function}");
            if function == "change_password" {
                password = "copper-lantern-orbit-77";
            }
        }
        let mut browser = app.stranger();
        browser.post_form("/api/sign_in", &[("email", ADA), ("password", password)]).await;
        assert_eq!(finish(&mut browser, &phone.next(&app)).await.status, 200, "another one works");
    }
}

each_db! {
    async fn s06_no_sign_in_survives_the_removal_of_factors_that_were_said_to_be_lost(app: TestApp) {
        let app = open_to_all(&app).await;
        let mut admin = app.person("rita@example.org", "Rita").await;
        let mut ada = app.person(ADA, "Ada").await;
        let (phone, _) = enrolled(&app, &mut ada).await;
        let user = id_of(&app, ADA).await.to_string();
        let asked = admin.post_form("/api/change_person", &[("user", &*user), ("change", "remove_factors")]).await;
        assert_eq!(asked.status, 200, "{}", asked.text());
        app.execute("update factor_removals set due_at = 1").await;
        app.execute("update jobs set run_at = 1 where kind = 'remove_factors'").await;
        let mut browser = app.stranger();
        sign_in_step(&mut browser).await;
        let code = phone.next(&app);
        let jobs = app.state.jobs.clone();
        app.state.accounts.before_next_entry(async move {
            jobs.drain(JobKind::RemoveFactors).await.expect("a removal");
        });
        assert_eq!(finish(&mut browser, &code).await.status, 401);
        assert!(who(&mut browser).await.is_none());
    }
}

each_db! {
    async fn s06_no_sign_in_by_a_passkey_outlives_what_ends_the_others(app: TestApp) {
        let mut ada = app.administrator().await;
        let mut device = Authenticator::new(0);
        register(&mut ada, &mut device).await;
        let end = "/api/end_other_devices";
        let is_refused = |answer: &Answer| answer.status == 422 && answer.error().field() == Some("credential");

        let mut alone = app.stranger();
        let options = begin(&mut alone, "sign_in").await;
        let done = in_between(&app, ada.clone(), end, &[]);
        let refused = finish_by_passkey(&mut alone, "sign_in", &mut device, &options).await;
        assert!(done.load(Ordering::SeqCst) && is_refused(&refused), "{}", refused.text());
        assert!(who(&mut alone).await.is_none());

        // Begun before, answered after.
        let options = begin(&mut alone, "sign_in").await;
        assert_eq!(ada.post_form(end, &[]).await.status, 200);
        let refused = finish_by_passkey(&mut alone, "sign_in", &mut device, &options).await;
        assert!(is_refused(&refused), "{}", refused.text());
        assert!(who(&mut alone).await.is_none());

        let options = begin(&mut alone, "sign_in").await;
        assert_eq!(finish_by_passkey(&mut alone, "sign_in", &mut device, &options).await.status, 200, "begun after");
        assert!(who(&mut alone).await.is_some() && who(&mut ada).await.is_some());
    }
}
