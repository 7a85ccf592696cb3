//! Re-authentication, and what the settings page shows before it.

use colloquy::domain::{FactorKind, Settings};
use serde_json::json;

use super::{
    TotpApp, add_totp_app,
    authenticator::Authenticator,
    factors,
    passkeys::{begin, register},
};
use crate::support::{
    app::{PASSWORD, each_db},
    client::Client,
};

async fn settings(client: &mut Client) -> Settings {
    let answer = client.post_json("/api/load_settings", &json!({"part": "security"})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn confirm(client: &mut Client, password: &str, code: &str) -> (u16, Option<String>) {
    let answer = client.post_form("/api/confirm_identity", &[("password", password), ("code", code)]).await;
    let field = (answer.status != 200).then(|| answer.error().field().unwrap_or_default().to_owned());
    (answer.status.as_u16(), field)
}

each_db! {
    async fn r04_changing_factors_needs_reauthentication_with_an_existing_factor(app: TestApp) {
        app.administrator().await;
        let mut bob = app.signed_in("ada@example.org").await;
        let (totp_app, codes) = add_totp_app(&app, &mut bob).await;
        app.state.clock.advance(11 * 60);
        let id = factors(&mut bob).await.factors[0].id.to_string();
        for (path, fields) in [
            ("/api/begin_totp", vec![]),
            ("/api/new_recovery_codes", vec![]),
            ("/api/begin_passkey_registration", vec![]),
            ("/api/remove_factor", vec![("factor", id.as_str())]),
        ] {
            assert_eq!(bob.post_form(path, &fields).await.status, 403, "{path}");
        }
        let seen = settings(&mut bob).await;
        assert!(!seen.proof.recently_authenticated && seen.proof.password && seen.proof.code && !seen.proof.passkey, "{:?}", seen.proof);
        assert_eq!(confirm(&mut bob, PASSWORD, "").await, (422, Some("code".into())));
        assert_eq!(confirm(&mut bob, PASSWORD, "000000").await, (422, Some("code".into())));
        assert_eq!(confirm(&mut bob, "wrong-wrong", &totp_app.code(&app, 0)).await, (422, Some("password".into())));
        assert_eq!(bob.post_form("/api/new_recovery_codes", &[]).await.status, 403);
        assert_eq!(confirm(&mut bob, PASSWORD, &totp_app.code(&app, 0)).await, (200, None));
        assert!(settings(&mut bob).await.proof.recently_authenticated);
        assert_eq!(bob.post_form("/api/new_recovery_codes", &[]).await.status, 200);

        app.state.clock.advance(11 * 60);
        assert_eq!(confirm(&mut bob, PASSWORD, &codes[0]).await.0, 422, "replaced codes are invalid");
    }
}

each_db! {
    async fn s08_a_passkey_confirms(app: TestApp) {
        let mut ada = app.administrator().await;
        let mut device = Authenticator::new(0);
        register(&mut ada, &mut device).await;
        app.state.clock.advance(11 * 60);
        assert!(settings(&mut ada).await.proof.passkey);
        let before = ada.cookies.clone();
        let options = begin(&mut ada, "confirmation").await;
        let body = json!({"credential": device.get(&options), "next": "/settings/security#passkeys"});
        let done = ada.post_json("/api/finish_passkey_confirmation", &body).await;
        assert_eq!(done.status, 200, "{}", done.text());
        assert_ne!(ada.cookies, before, "s02: the session has a new id");
        assert!(settings(&mut ada).await.proof.recently_authenticated);
        assert_eq!(ada.post_json("/api/finish_passkey_confirmation", &body).await.status, 422, "a response is valid once");
    }
}

each_db! {
    async fn without_scripts_an_app_is_added_and_its_codes_are_shown_until_dismissed(app: TestApp) {
        let mut ada = app.administrator().await;
        let mut other = app.invited_person("bob@example.org", "Bob").await;
        let begun = ada.submit("/api/begin_totp", &[]).await;
        assert_eq!((begun.status.as_u16(), begun.header("location")), (302, "/settings/security#two-step"));
        let page = ada.get("/settings/security").await.text();
        assert!(page.contains("<svg") && page.contains("6-digit code"), "the picture and the field");
        let enrolment = settings(&mut ada).await.enrolment.expect("a pending enrolment");
        assert!(page.contains(&enrolment.secret), "the key for typing");

        let totp_app = TotpApp::read(&enrolment);
        let wrong = ada.submit("/api/confirm_totp", &[("code", "12345x")]).await;
        assert!(wrong.header("location").contains("__err="), "{}", wrong.header("location"));
        let added = ada.submit("/api/confirm_totp", &[("code", &totp_app.code(&app, 0))]).await;
        assert_eq!((added.status.as_u16(), added.header("location")), (302, "/settings/security?done=totp#two-step"));
        let codes = settings(&mut ada).await.codes;
        assert_eq!(codes.len(), 10);
        let page = ada.get("/settings/security").await;
        assert!(codes.iter().all(|code| page.text().contains(code.as_str())), "all codes are shown");
        assert_eq!(page.header("cache-control"), "no-store");

        let mut elsewhere = ada.clone();
        elsewhere.cookies.remove("colloquy-codes");
        assert_eq!(settings(&mut elsewhere).await.codes, Vec::<String>::new(), "only the browser that made them");
        other.cookies.insert("colloquy-codes".to_owned(), ada.cookies["colloquy-codes"].clone());
        assert_eq!(settings(&mut other).await.codes, Vec::<String>::new(), "and only its sign-in");

        ada.submit("/api/put_codes_away", &[]).await;
        assert!(!ada.cookies.contains_key("colloquy-codes"));
        assert_eq!(settings(&mut ada).await.codes, Vec::<String>::new());
        let kept = settings(&mut ada).await.factors;
        assert_eq!((kept.factors[0].kind, kept.recovery_codes), (FactorKind::Totp, 10));
    }
}

each_db! {
    async fn a_pending_enrolment_is_shown_only_after_reauthentication_and_can_be_cancelled(app: TestApp) {
        let mut ada = app.administrator().await;
        ada.post_form("/api/begin_totp", &[]).await;
        assert!(settings(&mut ada).await.enrolment.is_some());
        app.state.clock.advance(11 * 60);
        assert_eq!(settings(&mut ada).await.enrolment, None);
        assert_eq!(confirm(&mut ada, PASSWORD, "").await, (200, None));
        assert!(settings(&mut ada).await.enrolment.is_some());
        assert_eq!(ada.post_form("/api/cancel_totp", &[]).await.status, 200);
        assert_eq!(settings(&mut ada).await.enrolment, None);
    }
}
