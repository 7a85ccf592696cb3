//! Removal of lost second factors.

use colloquy::domain::{JobKind, SignInStep};

use super::{audit_entries, change, current_user, id_of, person};
use crate::{
    factors::{add_totp_app, factors},
    support::{
        app::{Backend, PASSWORD, TestApp, each_db},
        client::Client,
        smtp::Smtp,
    },
};

const DAY: i64 = 86_400;

/// Ada is the administrator, Bob a member with an authenticator app.
async fn with_factor(backend: Backend, smtp: Option<&Smtp>) -> (TestApp, Client, Client) {
    let mail = smtp.map(Smtp::config);
    let app = TestApp::start_with(backend, |config| {
        config.sign_up_open = true;
        config.mail = mail;
        // So that the administrator stays signed in while the clock advances.
        config.sessions.administrator_idle = 10 * DAY;
        config.sessions.administrator_absolute = 10 * DAY;
    })
    .await;
    let ada = app.administrator().await;
    let mut bob = app.person("bob@example.org", "Bob").await;
    add_totp_app(&app, &mut bob).await;
    (app, ada, bob)
}

async fn reauthenticate(ada: &mut Client) {
    assert_eq!(ada.post_form("/api/confirm_identity", &[("password", PASSWORD)]).await.status, 200);
}

async fn sign_in_step(app: &TestApp) -> SignInStep {
    let answer =
        app.anonymous().post_form("/api/sign_in", &[("email", "bob@example.org"), ("password", PASSWORD)]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn run_removals(app: &TestApp) -> usize {
    app.run_due_jobs(JobKind::RemoveFactors).await.done
}

each_db! {
    async fn r06_a_lost_factor_is_removed_once_after_a_day(app: TestApp) {
        let smtp = Smtp::start().await;
        let (app, mut ada, mut bob) = with_factor(app.backend(), Some(&smtp)).await;
        let user = id_of(&app, "bob@example.org").await;
        let asked = change(&mut ada, user, "remove_factors").await;
        assert_eq!(asked.status, 200, "{}", asked.text());
        assert_eq!(change(&mut ada, user, "remove_factors").await.status, 409, "the notice period has started");
        let mail = smtp.newest_mail_to(&app.state, "bob@example.org", 2).await.part("text/plain");
        assert!(mail.starts_with("An administrator has asked to reset your two-step verification."), "{mail}");
        let due = person(&mut ada, user).await.factor_removal.expect("a date");
        assert!(due > app.state.clock.now().plus_seconds(DAY - 60) && due <= app.state.clock.now().plus_seconds(DAY));
        for path in ["/", "/settings"] {
            assert!(bob.get(path).await.text().contains("Cancel reset"), "{path}");
        }
        assert!(!ada.get("/").await.text().contains("Cancel reset"));

        app.state.clock.advance(DAY - 60);
        assert_eq!(run_removals(&app).await, 0, "too early");
        assert!(matches!(sign_in_step(&app).await, SignInStep::SecondFactor { .. }));
        assert!(current_user(&mut bob).await.is_some());
        app.state.clock.advance(61);
        let other = app.second_instance().await;
        let (one, two) = tokio::join!(run_removals(&app), run_removals(&other));
        // A background worker may have run the job first.
        assert!(one + two <= 1, "{one} {two}");
        assert_eq!(audit_entries(&app, "remove_lost_factors").await, ["ada@example.org > bob@example.org "]);
        assert_eq!(audit_entries(&app, "ask_factor_removal").await.len(), 1);
        assert_eq!(current_user(&mut bob).await, None, "all sign-ins have ended");
        assert_eq!(sign_in_step(&app).await, SignInStep::Done);
        let mut bob = app.signed_in("bob@example.org").await;
        let left = factors(&mut bob).await;
        assert_eq!((left.factors.len(), left.recovery_codes), (0, 0));
        let mail = smtp.newest_mail_to(&app.state, "bob@example.org", 3).await.part("text/plain");
        assert!(mail.starts_with("Your two-step verification was reset"), "{mail}");
        other.stop().await;
    }
}

each_db! {
    async fn r06_the_owner_can_refuse_the_removal_of_factors(app: TestApp) {
        let (app, mut ada, mut bob) = with_factor(app.backend(), None).await;
        let user = id_of(&app, "bob@example.org").await;
        assert_eq!(bob.post_form("/api/refuse_factor_removal", &[]).await.status, 404, "there is nothing to refuse");
        change(&mut ada, user, "remove_factors").await;
        assert_eq!(ada.post_form("/api/refuse_factor_removal", &[]).await.status, 404, "not the administrator's own removal");
        let refused = bob.submit("/api/refuse_factor_removal", &[]).await;
        assert_eq!((refused.status.as_u16(), refused.header("location")), (302, "/sessions?"), "back to the page");
        assert!(!bob.get("/").await.text().contains("Cancel reset"));
        app.state.clock.advance(2 * DAY);
        assert_eq!(run_removals(&app).await, 0);
        assert!(matches!(sign_in_step(&app).await, SignInStep::SecondFactor { .. }));
        assert_eq!(audit_entries(&app, "refuse_factor_removal").await, ["bob@example.org > bob@example.org "]);

        reauthenticate(&mut ada).await;
        assert_eq!(change(&mut ada, user, "remove_factors").await.status, 200);
        assert_eq!(change(&mut ada, user, "keep_factors").await.status, 200);
        assert_eq!(change(&mut ada, user, "keep_factors").await.status, 409);
        app.state.clock.advance(2 * DAY);
        assert_eq!(run_removals(&app).await, 0);
        assert!(matches!(sign_in_step(&app).await, SignInStep::SecondFactor { .. }));
        assert_eq!(audit_entries(&app, "withdraw_factor_removal").await, ["ada@example.org > bob@example.org "]);
    }
}

each_db! {
    async fn r06_only_existing_factors_of_other_users_are_removed(app: TestApp) {
        let (app, mut ada, mut bob) = with_factor(app.backend(), None).await;
        let (own, user) = (id_of(&app, "ada@example.org").await, id_of(&app, "bob@example.org").await);
        add_totp_app(&app, &mut ada).await;
        assert_eq!(change(&mut ada, own, "remove_factors").await.status, 409, "own factors are removed in the settings");
        app.person("eve@example.org", "Eve").await;
        assert_eq!(change(&mut ada, id_of(&app, "eve@example.org").await, "remove_factors").await.status, 409);
        // If the owner removes the factor during the notice period, no sign-in is revoked.
        change(&mut ada, user, "remove_factors").await;
        let factor = factors(&mut bob).await.factors[0].id.to_string();
        assert_eq!(bob.post_form("/api/remove_factor", &[("factor", &factor)]).await.status, 200);
        app.state.clock.advance(DAY + 1);
        run_removals(&app).await;
        assert!(current_user(&mut bob).await.is_some());
        assert!(audit_entries(&app, "remove_lost_factors").await.is_empty());
    }
}
