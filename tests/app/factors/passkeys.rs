//! Passkeys, with a device that the test plays.

use colloquy::{
    domain::{AppError, FactorKind, SignInStep},
    reason,
};
use serde_json::json;

use super::{authenticator::Authenticator, enrolled, factors, open_to_all, password_step, sign_in_step, who};
use crate::support::{
    app::each_db,
    client::{Answer, Client},
};

pub async fn begin(client: &mut Client, what: &str) -> String {
    let answer = client.post_form(&format!("/api/begin_passkey_{what}"), &[]).await;
    assert_eq!(answer.status, 200, "{what}: {}", answer.text());
    answer.json()
}

pub async fn register(client: &mut Client, device: &mut Authenticator) -> Answer {
    let options = begin(client, "registration").await;
    let body = json!({"name": "My key", "credential": device.create(&options)});
    let answer = client.post_json("/api/finish_passkey_registration", &body).await;
    // A cookie that is set anew forgets that it was to be kept.
    assert!(!answer.header("set-cookie").starts_with("colloquy="), "{}", answer.header("set-cookie"));
    answer
}

async fn finish_check(client: &mut Client, credential: &str) -> Answer {
    client.post_json("/api/finish_passkey_check", &json!({"credential": credential, "next": null})).await
}

async fn finish_sign_in(client: &mut Client, credential: &str) -> Answer {
    let body = json!({"credential": credential, "remember": false, "next": null});
    client.post_json("/api/finish_passkey_sign_in", &body).await
}

fn refused(answer: &Answer) -> bool {
    let wanted = AppError::invalid("credential", reason!("passkey_refused"));
    answer.status == 422 && answer.error() == wanted
}

each_db! {
    async fn a_passkey_is_a_second_factor_and_also_stands_alone(app: TestApp) {
        let mut ada = app.administrator().await;
        let mut device = Authenticator::new(0);
        let codes: Vec<String> = register(&mut ada, &mut device).await.json();
        assert_eq!(codes.len(), 10, "with the first factor come recovery codes");
        let listed = factors(&mut ada).await;
        assert_eq!((listed.factors[0].kind, listed.factors[0].name.as_str()), (FactorKind::Passkey, "My key"));

        let mut browser = app.stranger();
        assert_eq!(sign_in_step(&mut browser).await, SignInStep::SecondFactor { totp: false, passkey: true });
        assert!(who(&mut browser).await.is_none());
        let options = begin(&mut browser, "check").await;
        let credential = device.get(&options);
        let done = finish_check(&mut browser, &credential).await;
        assert_eq!(done.status, 200, "{}", done.text());
        assert!(who(&mut browser).await.is_some());

        let mut alone = app.stranger();
        let options = begin(&mut alone, "sign_in").await;
        let credential = device.get(&options);
        let done = finish_sign_in(&mut alone, &credential).await;
        assert_eq!(done.status, 200, "{}", done.text());
        assert_eq!(who(&mut alone).await.expect("signed in").email, "ada@example.org");
        assert!(factors(&mut alone).await.factors[0].last_used_at.is_some());
    }
}

each_db! {
    async fn a10_an_address_that_must_be_verified_stops_every_way_in(app: TestApp) {
        let mut ada = app.administrator().await;
        let mut device = Authenticator::new(0);
        register(&mut ada, &mut device).await;
        let (phone, _) = enrolled(&app, &mut ada).await;
        app.execute("update users set must_verify = true").await;

        let mut alone = app.stranger();
        let options = begin(&mut alone, "sign_in").await;
        let credential = device.get(&options);
        let refused = finish_sign_in(&mut alone, &credential).await;
        assert_eq!(refused.status, 409, "{}", refused.text());
        assert_eq!(refused.error(), AppError::conflict(reason!("email_unverified")));
        assert!(who(&mut alone).await.is_none());

        let mut pending = app.stranger();
        app.execute("update users set must_verify = false").await;
        sign_in_step(&mut pending).await;
        app.execute("update users set must_verify = true").await;
        let code = phone.next(&app);
        assert_eq!(pending.post_form("/api/finish_sign_in", &[("code", &code)]).await.status, 409);
        assert!(who(&mut pending).await.is_none());

        app.execute("update users set must_verify = false").await;
        let options = begin(&mut alone, "sign_in").await;
        let credential = device.get(&options);
        assert_eq!(finish_sign_in(&mut alone, &credential).await.status, 200);
    }
}

each_db! {
    async fn an_answer_counts_once_in_time_and_in_its_own_ceremony(app: TestApp) {
        let mut ada = app.administrator().await;
        let mut device = Authenticator::new(0);
        let options = begin(&mut ada, "registration").await;
        let credential = device.create(&options);
        let finish = |credential: &str| json!({"name": "My key", "credential": credential});
        app.state.clock.advance(301);
        assert!(refused(&ada.post_json("/api/finish_passkey_registration", &finish(&credential)).await), "too late");
        let options = begin(&mut ada, "registration").await;
        assert!(refused(&ada.post_json("/api/finish_passkey_registration", &finish(&credential)).await), "another challenge");
        assert!(refused(&ada.post_json("/api/finish_passkey_registration", &finish(&device.create(&options))).await), "a try ends it");
        assert_eq!(register(&mut ada, &mut device).await.status, 200);
        assert!(refused(&register(&mut ada, &mut device).await), "it is there already");

        let mut browser = app.stranger();
        let options = begin(&mut browser, "sign_in").await;
        let credential = device.get(&options);
        let mut copy = browser.clone();
        assert_eq!(finish_sign_in(&mut browser, &credential).await.status, 200);
        assert!(refused(&finish_sign_in(&mut copy, &credential).await), "replayed");
        assert!(refused(&finish_sign_in(&mut app.stranger(), &credential).await), "without a ceremony");

        let mut late = app.stranger();
        let options = begin(&mut late, "sign_in").await;
        app.state.clock.advance(301);
        assert!(refused(&finish_sign_in(&mut late, &device.get(&options)).await), "too late");

        // The state of a sign-in without a password is no state of a second step.
        let mut mixed = app.stranger();
        password_step(&mut mixed).await;
        let options = begin(&mut mixed, "sign_in").await;
        assert!(refused(&finish_check(&mut mixed, &device.get(&options)).await));
        assert!(who(&mut mixed).await.is_none());
    }
}

each_db! {
    async fn only_the_right_device_on_the_right_page_is_accepted(app: TestApp) {
        let app = open_to_all(&app).await;
        let (mut ada, mut bob) = (app.administrator().await, app.person("bob@example.org", "Bob").await);
        let (mut device, mut bobs) = (Authenticator::new(0), Authenticator::new(1));
        assert_eq!(register(&mut ada, &mut device).await.status, 200);
        assert_eq!(register(&mut bob, &mut bobs).await.status, 200);

        let unknown = Authenticator { id: b"nobody's".to_vec(), ..device.clone() };
        let forged = Authenticator { id: device.id.clone(), user: device.user.clone(), ..bobs.clone() };
        let disguised = Authenticator { user: device.user.clone(), ..bobs.clone() };
        let elsewhere = Authenticator { origin: "https://evil.example", ..device.clone() };
        let careless = Authenticator { verifies: false, ..device.clone() };
        let cloned = Authenticator { counter: 0, ..device.clone() };
        let cases = [
            ("an unknown credential", unknown),
            ("another key", forged),
            ("another user", disguised),
            ("another page", elsewhere),
            ("nobody verified", careless),
            ("a counter that goes back", cloned),
        ];
        for (number, (case, mut wrong)) in cases.into_iter().enumerate() {
            let mut browser = app.stranger().at(&format!("198.51.100.{number}"));
            let options = begin(&mut browser, "sign_in").await;
            let answer = finish_sign_in(&mut browser, &wrong.get(&options)).await;
            assert!(refused(&answer), "{case}: {}", answer.text());
            assert!(who(&mut browser).await.is_none(), "{case}");
        }
        // Bob's passkey is none for Ada's second step.
        let mut browser = app.stranger();
        password_step(&mut browser).await;
        let options = begin(&mut browser, "check").await;
        assert!(refused(&finish_check(&mut browser, &bobs.get(&options)).await));
        let huge = "x".repeat(64_001);
        for broken in ["", "{}", "null", "[]", huge.as_str()] {
            let mut browser = app.stranger().at("203.0.113.7");
            begin(&mut browser, "sign_in").await;
            assert!(refused(&finish_sign_in(&mut browser, broken).await));
        }
    }
}

each_db! {
    async fn the_counter_and_the_backup_are_noted(app: TestApp) {
        let mut ada = app.administrator().await;
        let mut device = Authenticator::new(0);
        register(&mut ada, &mut device).await;
        device.backed_up = true;
        device.counter = 40;
        let mut browser = app.stranger();
        let options = begin(&mut browser, "sign_in").await;
        assert_eq!(finish_sign_in(&mut browser, &device.get(&options)).await.status, 200);
        let id = {
            use base64::Engine;
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&device.id)
        };
        let kept = app.state.store.read().await.expect("a unit").find_passkey(&id).await.expect("a row").expect("a passkey");
        let kept: serde_json::Value = serde_json::from_str(&kept.credential.expect("a credential")).expect("JSON");
        assert_eq!((&kept["cred"]["counter"], &kept["cred"]["backup_state"]), (&json!(41), &json!(true)), "{kept}");
    }
}

each_db! {
    async fn a10_who_is_shut_out_or_has_removed_it_does_not_get_in_by_a_passkey(app: TestApp) {
        let app = open_to_all(&app).await;
        app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        let mut device = Authenticator::new(0);
        register(&mut bob, &mut device).await;
        let mut browser = app.stranger();
        let options = begin(&mut browser, "sign_in").await;
        app.execute("update users set disabled_at = 1 where email_key = 'bob@example.org'").await;
        assert!(refused(&finish_sign_in(&mut browser, &device.get(&options)).await));
        app.execute("update users set disabled_at = null").await;
        let factor = factors(&mut bob).await.factors[0].id.to_string();
        assert_eq!(bob.post_form("/api/remove_factor", &[("factor", &factor)]).await.status, 200);
        let options = begin(&mut browser, "sign_in").await;
        assert!(refused(&finish_sign_in(&mut browser, &device.get(&options)).await));
    }
}

each_db! {
    async fn both_kinds_are_offered_where_there_are_both(app: TestApp) {
        let mut ada = app.administrator().await;
        enrolled(&app, &mut ada).await;
        let codes: Vec<String> = register(&mut ada, &mut Authenticator::new(0)).await.json();
        assert!(codes.is_empty(), "the codes of the first factor hold");
        let mut browser = app.stranger();
        assert_eq!(sign_in_step(&mut browser).await, SignInStep::SecondFactor { totp: true, passkey: true });
        let step: Option<SignInStep> = browser.post_form("/api/find_sign_in_step", &[]).await.json();
        assert_eq!(step, Some(SignInStep::SecondFactor { totp: true, passkey: true }));
    }
}
