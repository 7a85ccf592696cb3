//! Second factors and two-step sign-in.

mod authenticator;
mod confirmation;
mod passkeys;
mod races;

use std::collections::BTreeSet;

use colloquy::{
    domain::{AppError, CurrentUser, FactorKind, Factors, SignInStep, TotpEnrolment},
    server::config::SecondFactorRequirement,
};
use serde_json::json;
use totp_rs::Totp;

use crate::support::{
    app::{Backend, PASSWORD, TestApp, each_db},
    client::{Answer, Client},
};

const ADA: &str = "ada@example.org";

pub async fn current_user(client: &mut Client) -> Option<CurrentUser> {
    client.post_form("/api/load_entrance", &[]).await.json::<colloquy::domain::AuthPageData>().user
}

pub async fn factors(client: &mut Client) -> Factors {
    let answer = client.post_form("/api/list_factors", &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Another installation on the same kind of database, with open sign-up.
pub async fn with_open_sign_up(app: &TestApp) -> TestApp {
    let backend = if app.config.database_url.is_some() { Backend::PostgresAndRedis } else { Backend::Sqlite };
    TestApp::start_with(backend, |config| config.sign_up_open = true).await
}

/// An authenticator app.
pub struct TotpApp(Totp);

impl TotpApp {
    /// An app with the key of this enrolment.
    pub fn read(enrolment: &TotpEnrolment) -> Self {
        Self(Totp::from_url(&enrolment.uri).expect("an address that apps read"))
    }

    /// The code of the current time step, offset by some steps.
    pub fn code(&self, app: &TestApp, steps: i64) -> String {
        let seconds = app.state.clock.now().plus_seconds(30 * steps).micros() / 1_000_000;
        self.0.generate(u64::try_from(seconds).expect("after 1970")).to_string()
    }

    /// Advances the clock and returns a code that was not used before.
    pub fn next_code(&self, app: &TestApp) -> String {
        app.state.clock.advance(60);
        self.code(app, 0)
    }
}

/// Adds an authenticator app. Returns it and the recovery codes.
pub async fn add_totp_app(app: &TestApp, client: &mut Client) -> (TotpApp, Vec<String>) {
    let enrolment: TotpEnrolment = client.post_form("/api/begin_totp", &[]).await.json();
    let totp_app = TotpApp::read(&enrolment);
    let answer = client.post_form("/api/confirm_totp", &[("code", &totp_app.code(app, 0))]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    (totp_app, answer.json())
}

/// Sends the password, the first step of a sign-in.
pub async fn password_step(client: &mut Client) -> Answer {
    client.post_form("/api/sign_in", &[("email", ADA), ("password", PASSWORD)]).await
}

pub async fn sign_in_step(client: &mut Client) -> SignInStep {
    let answer = password_step(client).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn finish(client: &mut Client, code: &str) -> Answer {
    client.post_form("/api/finish_sign_in", &[("code", code)]).await
}

each_db! {
    async fn an_authenticator_app_is_added_and_required(app: TestApp) {
        let mut ada = app.administrator().await;
        let mut other = app.anonymous();
        assert_eq!(sign_in_step(&mut other).await, SignInStep::Done);
        let enrolment: TotpEnrolment = ada.post_form("/api/begin_totp", &[]).await.json();
        assert!(enrolment.qr.starts_with("<svg") && enrolment.uri.contains("Colloquy"), "{}", enrolment.uri);
        assert_eq!(sign_in_step(&mut other).await, SignInStep::Done, "it counts once it is confirmed");
        assert!(factors(&mut ada).await.factors.is_empty());

        let (totp_app, codes) = add_totp_app(&app, &mut ada).await;
        let different: BTreeSet<&String> = codes.iter().collect();
        assert_eq!((codes.len(), different.len()), (10, 10));
        let listed = factors(&mut ada).await;
        assert_eq!((listed.factors.len(), listed.factors[0].kind, listed.recovery_codes), (1, FactorKind::Totp, 10));
        assert_eq!(ada.post_form("/api/begin_totp", &[]).await.status, 409, "one is enough");

        let mut browser = app.anonymous();
        assert_eq!(sign_in_step(&mut browser).await, SignInStep::SecondFactor { totp: true, passkey: false });
        assert!(current_user(&mut browser).await.is_none());
        let done = browser.submit("/api/finish_sign_in", &[("code", &totp_app.next_code(&app)), ("next", "/sessions")]).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (302, "/sessions"), "{}", done.text());
        assert_eq!(current_user(&mut browser).await.expect("signed in").email, ADA);
        assert_eq!(finish(&mut browser, &totp_app.next_code(&app)).await.status, 401, "nothing is pending any more");
    }
}

each_db! {
    async fn a_plain_form_redirects_to_the_second_step_on_this_site(app: TestApp) {
        let mut ada = app.administrator().await;
        add_totp_app(&app, &mut ada).await;
        for (next, wanted) in [("/sessions?filter=pinned", "%2Fsessions%3Ffilter%3Dpinned"), ("//evil", "%2F")] {
            let mut browser = app.anonymous();
            let answer = browser.submit("/api/sign_in", &[("email", ADA), ("password", PASSWORD), ("next", next)]).await;
            assert_eq!(answer.status, 302, "{}", answer.text());
            assert_eq!(answer.header("location"), format!("/sign-in/code?next={wanted}"));
        }
    }
}

each_db! {
    async fn r02_a_new_password_does_not_skip_the_second_factor(app: TestApp) {
        let app = with_open_sign_up(&app).await;
        let mut ada = app.administrator().await;
        let mut bob = app.anonymous();
        let another = "sextant-41-plum-harbor";
        bob.post_form("/api/sign_up", &[("email", "bob@example.org"), ("name", "Bob"), ("password", another)]).await;
        add_totp_app(&app, &mut ada).await;
        // As a password reset does.
        app.execute("update users set password_hash = (select password_hash from users where email_key = 'bob@example.org')").await;
        let mut browser = app.anonymous();
        let step: SignInStep = browser.post_form("/api/sign_in", &[("email", ADA), ("password", another)]).await.json();
        assert_eq!(step, SignInStep::SecondFactor { totp: true, passkey: false });
        assert!(current_user(&mut browser).await.is_none());
    }
}

each_db! {
    async fn a_pending_sign_in_grants_no_access(app: TestApp) {
        let mut ada = app.administrator().await;
        let (totp_app, _) = add_totp_app(&app, &mut ada).await;
        let mut browser = app.anonymous();
        sign_in_step(&mut browser).await;
        for path in ["load_frame", "list_factors", "begin_totp", "new_recovery_codes", "begin_passkey_registration"] {
            assert_eq!(browser.post_form(&format!("/api/{path}"), &[]).await.status, 401, "{path}");
        }
        assert_eq!(browser.post_json("/api/list_chats", &json!({"filter": "all", "search": "", "cursor": null})).await.status, 401);
        for path in ["/", "/sessions"] {
            let answer = browser.get(path).await;
            assert!(answer.header("location").starts_with("/sign-in"), "{path}: {}", answer.status);
        }
        // The first step ends the browser's previous sign-in, and the pending session's id is invalid after the second.
        sign_in_step(&mut ada).await;
        assert!(current_user(&mut ada).await.is_none());
        let planted = browser.clone();
        assert_eq!(finish(&mut browser, &totp_app.next_code(&app)).await.status, 200);
        assert_ne!(planted.cookies, browser.cookies);
        let mut planted = planted;
        assert!(current_user(&mut planted).await.is_none());
        assert_eq!(finish(&mut planted, &totp_app.next_code(&app)).await.status, 401);
    }
}

each_db! {
    async fn a_pending_sign_in_expires_after_ten_minutes_or_ten_wrong_codes(app: TestApp) {
        let mut ada = app.administrator().await;
        let (totp_app, _) = add_totp_app(&app, &mut ada).await;
        let mut browser = app.anonymous();
        sign_in_step(&mut browser).await;
        app.state.clock.advance(601);
        assert_eq!(finish(&mut browser, &totp_app.code(&app, 0)).await.status, 401);

        sign_in_step(&mut browser).await;
        for number in 0..10 {
            // From many addresses, so that only the limit of the pending sign-in applies.
            let mut moved = browser.clone().at(&format!("198.51.100.{number}"));
            assert_eq!(finish(&mut moved, "000000x").await.status, 422);
        }
        let mut moved = browser.clone().at("198.51.100.99");
        assert_eq!(finish(&mut moved, &totp_app.next_code(&app)).await.status, 401, "it has expired");
    }
}

each_db! {
    async fn r03_of_twenty_concurrent_uses_of_a_code_one_succeeds(app: TestApp) {
        let mut ada = app.administrator().await;
        let (totp_app, _) = add_totp_app(&app, &mut ada).await;
        let mut browsers = Vec::new();
        for number in 0..20 {
            let mut browser = app.anonymous().at(&format!("198.51.100.{number}"));
            assert!(matches!(sign_in_step(&mut browser).await, SignInStep::SecondFactor { .. }));
            browsers.push(browser);
        }
        let code = totp_app.next_code(&app);
        let tries = browsers.iter_mut().map(|browser| finish(browser, &code));
        let statuses: Vec<u16> = futures::future::join_all(tries).await.iter().map(|answer| answer.status.as_u16()).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 200 | 422 | 429)), "{statuses:?}");
        let mut inside = 0;
        for browser in &mut browsers {
            inside += u32::from(current_user(browser).await.is_some());
        }
        assert_eq!(inside, 1);
    }
}

each_db! {
    async fn row_71_only_an_unused_code_of_an_adjacent_step_is_accepted_and_blanks_are_ignored(app: TestApp) {
        let mut ada = app.administrator().await;
        let (totp_app, _) = add_totp_app(&app, &mut ada).await;
        let mut browser = app.anonymous();
        sign_in_step(&mut browser).await;
        app.state.clock.advance(300);
        let now = totp_app.code(&app, 0);
        let seven = format!("{now}0");
        let fullwidth: String = now.chars().filter_map(|c| char::from_u32(u32::from(c) + 0xfee0)).collect();
        for wrong in ["", "abcdef", "12345", seven.as_str(), &format!("+{}", &now[1..]), &fullwidth, &totp_app.code(&app, -3), &totp_app.code(&app, 3)] {
            let refused = finish(&mut browser, wrong).await;
            assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("code")), "{wrong:?}");
        }
        let spaced = format!(" {} {}\t", &now[..3], &now[3..]);
        assert_eq!(finish(&mut browser, &spaced).await.status, 200, "blanks are ignored");

        let mut again = app.anonymous().at("198.51.100.7");
        sign_in_step(&mut again).await;
        for used in [now.as_str(), &spaced, &totp_app.code(&app, -1)] {
            assert_eq!(finish(&mut again, used).await.status, 422, "used, or before the one that was: {used}");
        }
        assert_eq!(finish(&mut again, &totp_app.code(&app, 1)).await.status, 200, "a clock that is a little fast");
    }
}

each_db! {
    async fn r03_wrong_codes_are_rate_limited_after_ten(app: TestApp) {
        let mut ada = app.administrator().await;
        let (totp_app, _) = add_totp_app(&app, &mut ada).await;
        let mut guesser = app.anonymous().at("198.51.100.7");
        sign_in_step(&mut guesser).await;
        let mut statuses = Vec::new();
        for _ in 0..11 {
            statuses.push(finish(&mut guesser, "12 34 5").await.status.as_u16());
        }
        assert_eq!(statuses, [vec![422; 10], vec![429]].concat());
        // A new pending sign-in from another address does not reset the account's limit.
        let mut elsewhere = app.anonymous().at("203.0.113.9");
        sign_in_step(&mut elsewhere).await;
        let refused = finish(&mut elsewhere, "12345").await;
        assert!(matches!(refused.error(), AppError::RateLimited { retry_after: 1..=900 }), "{}", refused.text());
        app.state.clock.advance(901);
        sign_in_step(&mut elsewhere).await;
        assert_eq!(finish(&mut elsewhere, &totp_app.code(&app, 0)).await.status, 200);
        // A right code resets the count.
        sign_in_step(&mut elsewhere).await;
        assert_eq!(finish(&mut elsewhere, "12345").await.status, 422);
    }
}

each_db! {
    async fn r03_a_recovery_code_works_once_even_concurrently(app: TestApp) {
        let mut ada = app.administrator().await;
        let (_, codes) = add_totp_app(&app, &mut ada).await;
        let mut browsers = Vec::new();
        for number in 0..8 {
            let mut browser = app.anonymous().at(&format!("198.51.100.{number}"));
            sign_in_step(&mut browser).await;
            browsers.push(browser);
        }
        let tries = browsers.iter_mut().map(|browser| finish(browser, &codes[0]));
        let statuses: Vec<u16> = futures::future::join_all(tries).await.iter().map(|answer| answer.status.as_u16()).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        let mut left = browsers.into_iter().zip(statuses).find(|(_, status)| *status == 422).expect("one that lost").0;
        assert_eq!(finish(&mut left, &codes[1].to_uppercase().replace('-', " ")).await.status, 200);
        assert_eq!(factors(&mut left).await.recovery_codes, 8);

        let new: Vec<String> = left.post_form("/api/new_recovery_codes", &[]).await.json();
        assert_eq!((new.len(), factors(&mut left).await.recovery_codes), (10, 10));
        let mut browser = app.anonymous();
        sign_in_step(&mut browser).await;
        assert_eq!(finish(&mut browser, &codes[2]).await.status, 422, "the old ones are invalid");
        assert_eq!(finish(&mut browser, &new[2]).await.status, 200);
    }
}

each_db! {
    async fn a10_a_concurrently_disabled_user_cannot_finish_the_sign_in(app: TestApp) {
        let mut ada = app.administrator().await;
        let (totp_app, codes) = add_totp_app(&app, &mut ada).await;
        let mut browser = app.anonymous();
        sign_in_step(&mut browser).await;
        app.execute("update users set disabled_at = 1").await;
        assert_eq!(finish(&mut browser, &totp_app.next_code(&app)).await.status, 401);
        assert_eq!(finish(&mut browser, &codes[0]).await.status, 401);
        assert!(current_user(&mut browser).await.is_none());
        app.execute("update users set disabled_at = null").await;
        assert_eq!(finish(&mut browser, &totp_app.next_code(&app)).await.status, 200);
    }
}

each_db! {
    async fn without_factors_the_password_suffices_and_the_recovery_codes_are_deleted(app: TestApp) {
        let mut ada = app.administrator().await;
        let (_, codes) = add_totp_app(&app, &mut ada).await;
        let mut pending = app.anonymous();
        sign_in_step(&mut pending).await;
        let factor = factors(&mut ada).await.factors[0].id.to_string();
        assert_eq!(ada.post_form("/api/remove_factor", &[("factor", &factor)]).await.status, 200);
        assert_eq!(ada.post_form("/api/remove_factor", &[("factor", &factor)]).await.status, 404);
        assert_eq!(ada.post_form("/api/new_recovery_codes", &[]).await.status, 409);
        let listed = factors(&mut ada).await;
        assert_eq!((listed.factors.len(), listed.recovery_codes), (0, 0));
        assert_eq!(finish(&mut pending, &codes[0]).await.status, 422);
        assert_eq!(sign_in_step(&mut pending).await, SignInStep::Done);
        let (_, new) = add_totp_app(&app, &mut ada).await;
        assert_eq!(new.len(), 10, "a new first factor brings new codes");
    }
}

each_db! {
    async fn of_concurrent_confirmations_only_one_creates_recovery_codes(app: TestApp) {
        let mut ada = app.administrator().await;
        let enrolment: TotpEnrolment = ada.post_form("/api/begin_totp", &[]).await.json();
        let totp_app = TotpApp(Totp::from_url(&enrolment.uri).expect("an address"));
        assert_eq!(ada.post_form("/api/confirm_totp", &[("code", &totp_app.code(&app, 5))]).await.status, 422);
        let code = totp_app.code(&app, 0);
        let mut tabs: Vec<Client> = (0..6).map(|_| ada.clone()).collect();
        let tries = tabs.iter_mut().map(|tab| {
            let code = code.clone();
            async move { tab.post_form("/api/confirm_totp", &[("code", &code)]).await.status.as_u16() }
        });
        let statuses = futures::future::join_all(tries).await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert_eq!(factors(&mut ada).await.recovery_codes, 10);
        let mut browser = app.anonymous();
        sign_in_step(&mut browser).await;
        assert_eq!(finish(&mut browser, &code).await.status, 422, "the code of the confirmation is used");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_required_factor_is_reported_until_it_exists() {
    for (required, of_ada, of_bob) in [
        (SecondFactorRequirement::Optional, false, false),
        (SecondFactorRequirement::Administrators, true, false),
        (SecondFactorRequirement::Everyone, true, true),
    ] {
        let app = TestApp::start_with(Backend::Sqlite, |config| {
            config.sign_up_open = true;
            config.require_second_factor = required;
        })
        .await;
        let (mut ada, mut bob) = (app.administrator().await, app.person("bob@example.org", "Bob").await);
        assert_eq!(factors(&mut ada).await.must_enrol, of_ada, "{required:?}");
        assert_eq!(factors(&mut bob).await.must_enrol, of_bob, "{required:?}");
        add_totp_app(&app, &mut ada).await;
        assert!(!factors(&mut ada).await.must_enrol, "{required:?}");
    }
}
