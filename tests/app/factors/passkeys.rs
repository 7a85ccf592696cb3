//! Passkeys, with a simulated authenticator.

use colloquy::{
    domain::{AppError, FactorKind, SignInStep},
    reason,
};
use serde_json::json;

use super::{
    add_totp_app, authenticator::Authenticator, current_user, factors, password_step, sign_in_step, with_open_sign_up,
};
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
    // Setting the session cookie again would lose its "remember me".
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
    async fn a_passkey_is_a_second_factor_and_signs_in_alone(app: TestApp) {
        let mut ada = app.administrator().await;
        let mut device = Authenticator::new(0);
        let codes: Vec<String> = register(&mut ada, &mut device).await.json();
        assert_eq!(codes.len(), 10, "with the first factor come recovery codes");
        let listed = factors(&mut ada).await;
        assert_eq!((listed.factors[0].kind, listed.factors[0].name.as_str()), (FactorKind::Passkey, "My key"));

        let mut browser = app.anonymous();
        assert_eq!(sign_in_step(&mut browser).await, SignInStep::SecondFactor { totp: false, passkey: true });
        assert!(current_user(&mut browser).await.is_none());
        let options = begin(&mut browser, "check").await;
        let credential = device.get(&options);
        let done = finish_check(&mut browser, &credential).await;
        assert_eq!(done.status, 200, "{}", done.text());
        assert!(current_user(&mut browser).await.is_some());

        let mut alone = app.anonymous();
        let options = begin(&mut alone, "sign_in").await;
        let credential = device.get(&options);
        let done = finish_sign_in(&mut alone, &credential).await;
        assert_eq!(done.status, 200, "{}", done.text());
        assert_eq!(current_user(&mut alone).await.expect("signed in").email, "ada@example.org");
        assert!(factors(&mut alone).await.factors[0].last_used_at.is_some());
        // The sign-in page offers passkeys first in browsers that have used one.
        let used = [&ada, &alone, &browser].map(|client| client.cookies.contains_key("colloquy-passkey"));
        assert_eq!(used, [true, true, false], "as a second step it does not replace the password");
    }
}

each_db! {
    async fn a10_an_unverified_address_blocks_every_sign_in_method(app: TestApp) {
        let mut ada = app.administrator().await;
        let mut device = Authenticator::new(0);
        register(&mut ada, &mut device).await;
        let (totp_app, _) = add_totp_app(&app, &mut ada).await;
        app.execute("update users set must_verify = true").await;

        let mut alone = app.anonymous();
        let options = begin(&mut alone, "sign_in").await;
        let credential = device.get(&options);
        let refused = finish_sign_in(&mut alone, &credential).await;
        assert_eq!(refused.status, 409, "{}", refused.text());
        assert_eq!(refused.error(), AppError::conflict(reason!("email_unverified")));
        assert!(current_user(&mut alone).await.is_none());

        let mut pending = app.anonymous();
        app.execute("update users set must_verify = false").await;
        sign_in_step(&mut pending).await;
        app.execute("update users set must_verify = true").await;
        let code = totp_app.next_code(&app);
        assert_eq!(pending.post_form("/api/finish_sign_in", &[("code", &code)]).await.status, 409);
        assert!(current_user(&mut pending).await.is_none());

        app.execute("update users set must_verify = false").await;
        let options = begin(&mut alone, "sign_in").await;
        let credential = device.get(&options);
        assert_eq!(finish_sign_in(&mut alone, &credential).await.status, 200);
    }
}

each_db! {
    async fn a_passkey_response_is_valid_once_in_time_and_for_its_ceremony(app: TestApp) {
        let mut ada = app.administrator().await;
        let mut device = Authenticator::new(0);
        let options = begin(&mut ada, "registration").await;
        let credential = device.create(&options);
        let finish = |credential: &str| json!({"name": "My key", "credential": credential});
        app.state.clock.advance(301);
        assert!(refused(&ada.post_json("/api/finish_passkey_registration", &finish(&credential)).await), "too late");
        let options = begin(&mut ada, "registration").await;
        assert!(refused(&ada.post_json("/api/finish_passkey_registration", &finish(&credential)).await), "another challenge");
        assert!(refused(&ada.post_json("/api/finish_passkey_registration", &finish(&device.create(&options))).await), "an attempt ends the ceremony");
        assert_eq!(register(&mut ada, &mut device).await.status, 200);
        assert!(refused(&register(&mut ada, &mut device).await), "it is already registered");

        let mut browser = app.anonymous();
        let options = begin(&mut browser, "sign_in").await;
        let credential = device.get(&options);
        let mut copy = browser.clone();
        assert_eq!(finish_sign_in(&mut browser, &credential).await.status, 200);
        assert!(refused(&finish_sign_in(&mut copy, &credential).await), "replayed");
        assert!(refused(&finish_sign_in(&mut app.anonymous(), &credential).await), "without a ceremony");

        let mut late = app.anonymous();
        let options = begin(&mut late, "sign_in").await;
        app.state.clock.advance(301);
        assert!(refused(&finish_sign_in(&mut late, &device.get(&options)).await), "too late");

        // The state of a passkey sign-in is not valid for the second step.
        let mut mixed = app.anonymous();
        password_step(&mut mixed).await;
        let options = begin(&mut mixed, "sign_in").await;
        assert!(refused(&finish_check(&mut mixed, &device.get(&options)).await));
        assert!(current_user(&mut mixed).await.is_none());
    }
}

each_db! {
    async fn only_the_right_passkey_on_the_right_origin_is_accepted(app: TestApp) {
        let app = with_open_sign_up(&app).await;
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
            ("no user verification", careless),
            ("a counter that goes back", cloned),
        ];
        for (number, (case, mut wrong)) in cases.into_iter().enumerate() {
            let mut browser = app.anonymous().at(&format!("198.51.100.{number}"));
            let options = begin(&mut browser, "sign_in").await;
            let answer = finish_sign_in(&mut browser, &wrong.get(&options)).await;
            assert!(refused(&answer), "{case}: {}", answer.text());
            assert!(current_user(&mut browser).await.is_none(), "{case}");
        }
        // Bob's passkey is refused as Ada's second step.
        let mut browser = app.anonymous();
        password_step(&mut browser).await;
        let options = begin(&mut browser, "check").await;
        assert!(refused(&finish_check(&mut browser, &bobs.get(&options)).await));
        let huge = "x".repeat(64_001);
        for broken in ["", "{}", "null", "[]", huge.as_str()] {
            let mut browser = app.anonymous().at("203.0.113.7");
            begin(&mut browser, "sign_in").await;
            assert!(refused(&finish_sign_in(&mut browser, broken).await));
        }
    }
}

each_db! {
    async fn the_signature_counter_and_backup_state_are_stored(app: TestApp) {
        let mut ada = app.administrator().await;
        let mut device = Authenticator::new(0);
        register(&mut ada, &mut device).await;
        device.backed_up = true;
        device.counter = 40;
        let mut browser = app.anonymous();
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
    async fn a10_a_disabled_user_or_removed_passkey_cannot_sign_in(app: TestApp) {
        let app = with_open_sign_up(&app).await;
        app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        let mut device = Authenticator::new(0);
        register(&mut bob, &mut device).await;
        let mut browser = app.anonymous();
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
    async fn both_factor_kinds_are_offered_if_both_exist(app: TestApp) {
        let mut ada = app.administrator().await;
        add_totp_app(&app, &mut ada).await;
        let codes: Vec<String> = register(&mut ada, &mut Authenticator::new(0)).await.json();
        assert!(codes.is_empty(), "the codes of the first factor stay valid");
        let mut browser = app.anonymous();
        assert_eq!(sign_in_step(&mut browser).await, SignInStep::SecondFactor { totp: true, passkey: true });
        let step: Option<SignInStep> = browser.post_form("/api/find_sign_in_step", &[]).await.json();
        assert_eq!(step, Some(SignInStep::SecondFactor { totp: true, passkey: true }));
    }
}
