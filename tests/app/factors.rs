//! Second factors and the two steps of a sign-in.

mod authenticator;
mod confirmation;
mod passkeys;
mod races;

use std::collections::BTreeSet;

use colloquy::{
    domain::{AppError, CurrentUser, FactorKind, Factors, SignInStep, TotpEnrolment},
    server::config::RequiredOf,
};
use serde_json::json;
use totp_rs::Totp;

use crate::support::{
    app::{Kept, PASSWORD, TestApp, each_db},
    client::{Answer, Client},
};

const ADA: &str = "ada@example.org";

pub async fn who(client: &mut Client) -> Option<CurrentUser> {
    client.post_form("/api/load_entrance", &[]).await.json::<colloquy::server_fns::account::Entrance>().user
}

pub async fn factors(client: &mut Client) -> Factors {
    let answer = client.post_form("/api/list_factors", &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// The same kind of installation with open doors.
pub async fn open_to_all(app: &TestApp) -> TestApp {
    let kept = if app.config.database_url.is_some() { Kept::PostgresAndRedis } else { Kept::Sqlite };
    TestApp::start_with(kept, |config| config.sign_up_open = true).await
}

/// An app that shows codes.
pub struct Phone(Totp);

impl Phone {
    /// An app that has read the address.
    pub fn read(enrolment: &TotpEnrolment) -> Self {
        Self(Totp::from_url(&enrolment.uri).expect("an address that apps read"))
    }

    /// The code of the present step, moved by some steps.
    pub fn code(&self, app: &TestApp, steps: i64) -> String {
        let seconds = app.state.clock.now().plus_seconds(30 * steps).micros() / 1_000_000;
        self.0.generate(u64::try_from(seconds).expect("after 1970")).to_string()
    }

    /// A code that was never shown, because time goes on.
    pub fn next(&self, app: &TestApp) -> String {
        app.state.clock.advance(60);
        self.code(app, 0)
    }
}

/// Adds an authenticator app; gives it and the recovery codes.
pub async fn enrolled(app: &TestApp, client: &mut Client) -> (Phone, Vec<String>) {
    let enrolment: TotpEnrolment = client.post_form("/api/begin_totp", &[]).await.json();
    let phone = Phone::read(&enrolment);
    let answer = client.post_form("/api/confirm_totp", &[("code", &phone.code(app, 0))]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    (phone, answer.json())
}

/// The first step.
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
    async fn an_app_is_added_and_asked_for(app: TestApp) {
        let mut ada = app.administrator().await;
        let mut other = app.stranger();
        assert_eq!(sign_in_step(&mut other).await, SignInStep::Done);
        let enrolment: TotpEnrolment = ada.post_form("/api/begin_totp", &[]).await.json();
        assert!(enrolment.qr.starts_with("<svg") && enrolment.uri.contains("Colloquy"), "{}", enrolment.uri);
        assert_eq!(sign_in_step(&mut other).await, SignInStep::Done, "it counts once it is confirmed");
        assert!(factors(&mut ada).await.factors.is_empty());

        let (phone, codes) = enrolled(&app, &mut ada).await;
        let different: BTreeSet<&String> = codes.iter().collect();
        assert_eq!((codes.len(), different.len()), (10, 10));
        let listed = factors(&mut ada).await;
        assert_eq!((listed.factors.len(), listed.factors[0].kind, listed.recovery_codes), (1, FactorKind::Totp, 10));
        assert_eq!(ada.post_form("/api/begin_totp", &[]).await.status, 409, "one is enough");

        let mut browser = app.stranger();
        assert_eq!(sign_in_step(&mut browser).await, SignInStep::SecondFactor { totp: true, passkey: false });
        assert!(who(&mut browser).await.is_none());
        let done = browser.submit("/api/finish_sign_in", &[("code", &phone.next(&app)), ("next", "/sessions")]).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (302, "/sessions"), "{}", done.text());
        assert_eq!(who(&mut browser).await.expect("signed in").email, ADA);
        assert_eq!(finish(&mut browser, &phone.next(&app)).await.status, 401, "nothing is pending any more");
    }
}

each_db! {
    async fn a_plain_form_is_sent_on_to_the_second_step_and_stays_on_this_site(app: TestApp) {
        let mut ada = app.administrator().await;
        enrolled(&app, &mut ada).await;
        for (next, wanted) in [("/sessions?filter=pinned", "%2Fsessions%3Ffilter%3Dpinned"), ("//evil", "%2F")] {
            let mut browser = app.stranger();
            let answer = browser.submit("/api/sign_in", &[("email", ADA), ("password", PASSWORD), ("next", next)]).await;
            assert_eq!(answer.status, 302, "{}", answer.text());
            assert_eq!(answer.header("location"), format!("/sign-in/code?next={wanted}"));
        }
    }
}

each_db! {
    async fn r02_a_new_password_does_not_skip_the_second_factor(app: TestApp) {
        let app = open_to_all(&app).await;
        let mut ada = app.administrator().await;
        let mut bob = app.stranger();
        let another = "sextant-41-plum-harbor";
        bob.post_form("/api/sign_up", &[("email", "bob@example.org"), ("name", "Bob"), ("password", another)]).await;
        enrolled(&app, &mut ada).await;
        // What a reset writes.
        app.execute("update users set password_hash = (select password_hash from users where email_key = 'bob@example.org')").await;
        let mut browser = app.stranger();
        let step: SignInStep = browser.post_form("/api/sign_in", &[("email", ADA), ("password", another)]).await.json();
        assert_eq!(step, SignInStep::SecondFactor { totp: true, passkey: false });
        assert!(who(&mut browser).await.is_none());
    }
}

each_db! {
    async fn the_pending_state_lets_nobody_do_anything_else(app: TestApp) {
        let mut ada = app.administrator().await;
        let (phone, _) = enrolled(&app, &mut ada).await;
        let mut browser = app.stranger();
        sign_in_step(&mut browser).await;
        for path in ["load_frame", "list_factors", "begin_totp", "new_recovery_codes", "begin_passkey_registration"] {
            assert_eq!(browser.post_form(&format!("/api/{path}"), &[]).await.status, 401, "{path}");
        }
        assert_eq!(browser.post_json("/api/list_chats", &json!({"filter": "all", "search": "", "cursor": null})).await.status, 401);
        for path in ["/", "/sessions"] {
            let answer = browser.get(path).await;
            assert!(answer.header("location").starts_with("/sign-in"), "{path}: {}", answer.status);
        }
        // Whoever was signed in in this browser is so no more, and the id that was pending is dead after the sign-in.
        sign_in_step(&mut ada).await;
        assert!(who(&mut ada).await.is_none());
        let planted = browser.clone();
        assert_eq!(finish(&mut browser, &phone.next(&app)).await.status, 200);
        assert_ne!(planted.cookies, browser.cookies);
        let mut planted = planted;
        assert!(who(&mut planted).await.is_none());
        assert_eq!(finish(&mut planted, &phone.next(&app)).await.status, 401);
    }
}

each_db! {
    async fn a_pending_sign_in_ends_after_ten_minutes_or_ten_wrong_codes(app: TestApp) {
        let mut ada = app.administrator().await;
        let (phone, _) = enrolled(&app, &mut ada).await;
        let mut browser = app.stranger();
        sign_in_step(&mut browser).await;
        app.state.clock.advance(601);
        assert_eq!(finish(&mut browser, &phone.code(&app, 0)).await.status, 401);

        sign_in_step(&mut browser).await;
        for number in 0..10 {
            // From many addresses, so that only the pending sign-in itself can be the limit.
            let mut moved = browser.clone().at(&format!("198.51.100.{number}"));
            assert_eq!(finish(&mut moved, "000000x").await.status, 422);
        }
        let mut moved = browser.clone().at("198.51.100.99");
        assert_eq!(finish(&mut moved, &phone.next(&app)).await.status, 401, "it has ended");
    }
}

each_db! {
    async fn r03_of_twenty_uses_of_a_code_at_once_one_succeeds(app: TestApp) {
        let mut ada = app.administrator().await;
        let (phone, _) = enrolled(&app, &mut ada).await;
        let mut browsers = Vec::new();
        for number in 0..20 {
            let mut browser = app.stranger().at(&format!("198.51.100.{number}"));
            assert!(matches!(sign_in_step(&mut browser).await, SignInStep::SecondFactor { .. }));
            browsers.push(browser);
        }
        let code = phone.next(&app);
        let tries = browsers.iter_mut().map(|browser| finish(browser, &code));
        let statuses: Vec<u16> = futures::future::join_all(tries).await.iter().map(|answer| answer.status.as_u16()).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 200 | 422 | 429)), "{statuses:?}");
        let mut inside = 0;
        for browser in &mut browsers {
            inside += u32::from(who(browser).await.is_some());
        }
        assert_eq!(inside, 1);
    }
}

each_db! {
    async fn row_71_only_a_fresh_code_of_a_neighbouring_step_is_accepted_and_blanks_do_not_matter(app: TestApp) {
        let mut ada = app.administrator().await;
        let (phone, _) = enrolled(&app, &mut ada).await;
        let mut browser = app.stranger();
        sign_in_step(&mut browser).await;
        app.state.clock.advance(300);
        let now = phone.code(&app, 0);
        let seven = format!("{now}0");
        let fullwidth: String = now.chars().filter_map(|c| char::from_u32(u32::from(c) + 0xfee0)).collect();
        for wrong in ["", "abcdef", "12345", seven.as_str(), &format!("+{}", &now[1..]), &fullwidth, &phone.code(&app, -3), &phone.code(&app, 3)] {
            let refused = finish(&mut browser, wrong).await;
            assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("code")), "{wrong:?}");
        }
        let spaced = format!(" {} {}\t", &now[..3], &now[3..]);
        assert_eq!(finish(&mut browser, &spaced).await.status, 200, "blanks are left out");

        let mut again = app.stranger().at("198.51.100.7");
        sign_in_step(&mut again).await;
        for used in [now.as_str(), &spaced, &phone.code(&app, -1)] {
            assert_eq!(finish(&mut again, used).await.status, 422, "used, or before the one that was: {used}");
        }
        assert_eq!(finish(&mut again, &phone.code(&app, 1)).await.status, 200, "a clock that is a little fast");
    }
}

each_db! {
    async fn r03_the_eleventh_wrong_code_has_to_wait(app: TestApp) {
        let mut ada = app.administrator().await;
        let (phone, _) = enrolled(&app, &mut ada).await;
        let mut guesser = app.stranger().at("198.51.100.7");
        sign_in_step(&mut guesser).await;
        let mut statuses = Vec::new();
        for _ in 0..11 {
            statuses.push(finish(&mut guesser, "12 34 5").await.status.as_u16());
        }
        assert_eq!(statuses, [vec![422; 10], vec![429]].concat());
        // A new pending sign-in from elsewhere changes nothing for the account.
        let mut elsewhere = app.stranger().at("203.0.113.9");
        sign_in_step(&mut elsewhere).await;
        let refused = finish(&mut elsewhere, "12345").await;
        assert!(matches!(refused.error(), AppError::RateLimited { retry_after: 1..=900 }), "{}", refused.text());
        app.state.clock.advance(901);
        sign_in_step(&mut elsewhere).await;
        assert_eq!(finish(&mut elsewhere, &phone.code(&app, 0)).await.status, 200);
        // The right one has set the count back.
        sign_in_step(&mut elsewhere).await;
        assert_eq!(finish(&mut elsewhere, "12345").await.status, 422);
    }
}

each_db! {
    async fn r03_a_recovery_code_works_once_also_when_it_races(app: TestApp) {
        let mut ada = app.administrator().await;
        let (_, codes) = enrolled(&app, &mut ada).await;
        let mut browsers = Vec::new();
        for number in 0..8 {
            let mut browser = app.stranger().at(&format!("198.51.100.{number}"));
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
        let mut browser = app.stranger();
        sign_in_step(&mut browser).await;
        assert_eq!(finish(&mut browser, &codes[2]).await.status, 422, "the old ones are dead");
        assert_eq!(finish(&mut browser, &new[2]).await.status, 200);
    }
}

each_db! {
    async fn a10_who_is_shut_out_meanwhile_cannot_finish(app: TestApp) {
        let mut ada = app.administrator().await;
        let (phone, codes) = enrolled(&app, &mut ada).await;
        let mut browser = app.stranger();
        sign_in_step(&mut browser).await;
        app.execute("update users set disabled_at = 1").await;
        assert_eq!(finish(&mut browser, &phone.next(&app)).await.status, 401);
        assert_eq!(finish(&mut browser, &codes[0]).await.status, 401);
        assert!(who(&mut browser).await.is_none());
        app.execute("update users set disabled_at = null").await;
        assert_eq!(finish(&mut browser, &phone.next(&app)).await.status, 200);
    }
}

each_db! {
    async fn without_factors_the_password_is_enough_again_and_the_codes_are_gone(app: TestApp) {
        let mut ada = app.administrator().await;
        let (_, codes) = enrolled(&app, &mut ada).await;
        let mut pending = app.stranger();
        sign_in_step(&mut pending).await;
        let factor = factors(&mut ada).await.factors[0].id.to_string();
        assert_eq!(ada.post_form("/api/remove_factor", &[("factor", &factor)]).await.status, 200);
        assert_eq!(ada.post_form("/api/remove_factor", &[("factor", &factor)]).await.status, 404);
        assert_eq!(ada.post_form("/api/new_recovery_codes", &[]).await.status, 409);
        let listed = factors(&mut ada).await;
        assert_eq!((listed.factors.len(), listed.recovery_codes), (0, 0));
        assert_eq!(finish(&mut pending, &codes[0]).await.status, 422);
        assert_eq!(sign_in_step(&mut pending).await, SignInStep::Done);
        let (_, new) = enrolled(&app, &mut ada).await;
        assert_eq!(new.len(), 10, "a new first factor brings new codes");
    }
}

each_db! {
    async fn of_two_confirmations_at_once_one_brings_codes(app: TestApp) {
        let mut ada = app.administrator().await;
        let enrolment: TotpEnrolment = ada.post_form("/api/begin_totp", &[]).await.json();
        let phone = Phone(Totp::from_url(&enrolment.uri).expect("an address"));
        assert_eq!(ada.post_form("/api/confirm_totp", &[("code", &phone.code(&app, 5))]).await.status, 422);
        let code = phone.code(&app, 0);
        let mut tabs: Vec<Client> = (0..6).map(|_| ada.clone()).collect();
        let tries = tabs.iter_mut().map(|tab| {
            let code = code.clone();
            async move { tab.post_form("/api/confirm_totp", &[("code", &code)]).await.status.as_u16() }
        });
        let statuses = futures::future::join_all(tries).await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert_eq!(factors(&mut ada).await.recovery_codes, 10);
        let mut browser = app.stranger();
        sign_in_step(&mut browser).await;
        assert_eq!(finish(&mut browser, &code).await.status, 422, "the code of the confirmation is used");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_must_have_a_factor_is_told_until_they_do() {
    for (required, of_ada, of_bob) in [
        (RequiredOf::Nobody, false, false),
        (RequiredOf::Administrators, true, false),
        (RequiredOf::Everybody, true, true),
    ] {
        let app = TestApp::start_with(Kept::Sqlite, |config| {
            config.sign_up_open = true;
            config.require_second_factor = required;
        })
        .await;
        let (mut ada, mut bob) = (app.administrator().await, app.person("bob@example.org", "Bob").await);
        assert_eq!(factors(&mut ada).await.must_enrol, of_ada, "{required:?}");
        assert_eq!(factors(&mut bob).await.must_enrol, of_bob, "{required:?}");
        enrolled(&app, &mut ada).await;
        assert!(!factors(&mut ada).await.must_enrol, "{required:?}");
    }
}
