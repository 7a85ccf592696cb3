//! Lost second factors.

use colloquy::domain::{JobKind, SignInStep};

use super::{acts, change, id_of, person, who};
use crate::{
    factors::{enrolled, factors},
    support::{
        app::{Kept, PASSWORD, TestApp, each_db},
        client::Client,
        smtp::Smtp,
    },
};

const DAY: i64 = 86_400;

/// Ada is the administrator, Bob a member with an authenticator app.
async fn with_factor(kept: Kept, smtp: Option<&Smtp>) -> (TestApp, Client, Client) {
    let mail = smtp.map(Smtp::config);
    let app = TestApp::start_with(kept, |config| {
        config.sign_up_open = true;
        config.mail = mail;
        // So that nobody is signed out while the test waits.
        config.sessions.administrator_idle = 10 * DAY;
        config.sessions.administrator_absolute = 10 * DAY;
    })
    .await;
    let ada = app.administrator().await;
    let mut bob = app.person("bob@example.org", "Bob").await;
    enrolled(&app, &mut bob).await;
    (app, ada, bob)
}

async fn fresh(ada: &mut Client) {
    assert_eq!(ada.post_form("/api/confirm_identity", &[("password", PASSWORD)]).await.status, 200);
}

async fn step(app: &TestApp) -> SignInStep {
    let answer =
        app.stranger().post_form("/api/sign_in", &[("email", "bob@example.org"), ("password", PASSWORD)]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn sweep(app: &TestApp) -> usize {
    app.work_off(JobKind::RemoveFactors).await.done
}

each_db! {
    async fn r06_a_lost_factor_is_removed_after_a_day_and_once(app: TestApp) {
        let smtp = Smtp::start().await;
        let (app, mut ada, mut bob) = with_factor(app.kept(), Some(&smtp)).await;
        let user = id_of(&app, "bob@example.org").await;
        let asked = change(&mut ada, user, "remove_factors").await;
        assert_eq!(asked.status, 200, "{}", asked.text());
        assert_eq!(change(&mut ada, user, "remove_factors").await.status, 409, "the notice has begun");
        let mail = smtp.newest_to(&app.state, "bob@example.org", 2).await.part("text/plain");
        assert!(mail.starts_with("An administrator was told that you have lost your second factors."), "{mail}");
        let due = person(&mut ada, user).await.factor_removal.expect("a date");
        assert!(due > app.state.clock.now().plus_seconds(DAY - 60) && due <= app.state.clock.now().plus_seconds(DAY));
        for path in ["/", "/settings"] {
            assert!(bob.get(path).await.text().contains("Keep my second factors"), "{path}");
        }
        assert!(!ada.get("/").await.text().contains("Keep my second factors"));

        app.state.clock.advance(DAY - 60);
        assert_eq!(sweep(&app).await, 0, "too early");
        assert!(matches!(step(&app).await, SignInStep::SecondFactor { .. }));
        assert!(who(&mut bob).await.is_some());
        app.state.clock.advance(61);
        let other = app.another().await;
        let (one, two) = tokio::join!(sweep(&app), sweep(&other));
        // The task of either may have been first.
        assert!(one + two <= 1, "{one} {two}");
        assert_eq!(acts(&app, "remove_lost_factors").await, ["ada@example.org > bob@example.org "]);
        assert_eq!(acts(&app, "ask_factor_removal").await.len(), 1);
        assert_eq!(who(&mut bob).await, None, "all sign-ins have ended");
        assert_eq!(step(&app).await, SignInStep::Done);
        let mut bob = app.signed_in("bob@example.org").await;
        let left = factors(&mut bob).await;
        assert_eq!((left.factors.len(), left.recovery_codes), (0, 0));
        let mail = smtp.newest_to(&app.state, "bob@example.org", 3).await.part("text/plain");
        assert!(mail.starts_with("Your second factors were removed"), "{mail}");
        other.stop().await;
    }
}

each_db! {
    async fn r06_whoever_has_not_lost_a_factor_refuses(app: TestApp) {
        let (app, mut ada, mut bob) = with_factor(app.kept(), None).await;
        let user = id_of(&app, "bob@example.org").await;
        assert_eq!(bob.post_form("/api/refuse_factor_removal", &[]).await.status, 404, "there is nothing to refuse");
        change(&mut ada, user, "remove_factors").await;
        assert_eq!(ada.post_form("/api/refuse_factor_removal", &[]).await.status, 404, "it is not the administrator's");
        let refused = bob.submit("/api/refuse_factor_removal", &[]).await;
        assert_eq!((refused.status.as_u16(), refused.header("location")), (302, "/sessions?"), "back to the page");
        assert!(!bob.get("/").await.text().contains("Keep my second factors"));
        app.state.clock.advance(2 * DAY);
        assert_eq!(sweep(&app).await, 0);
        assert!(matches!(step(&app).await, SignInStep::SecondFactor { .. }));
        assert_eq!(acts(&app, "refuse_factor_removal").await, ["bob@example.org > bob@example.org "]);

        fresh(&mut ada).await;
        assert_eq!(change(&mut ada, user, "remove_factors").await.status, 200);
        assert_eq!(change(&mut ada, user, "keep_factors").await.status, 200);
        assert_eq!(change(&mut ada, user, "keep_factors").await.status, 409);
        app.state.clock.advance(2 * DAY);
        assert_eq!(sweep(&app).await, 0);
        assert!(matches!(step(&app).await, SignInStep::SecondFactor { .. }));
        assert_eq!(acts(&app, "withdraw_factor_removal").await, ["ada@example.org > bob@example.org "]);
    }
}

each_db! {
    async fn r06_only_factors_of_others_that_are_there_are_removed(app: TestApp) {
        let (app, mut ada, mut bob) = with_factor(app.kept(), None).await;
        let (own, user) = (id_of(&app, "ada@example.org").await, id_of(&app, "bob@example.org").await);
        enrolled(&app, &mut ada).await;
        assert_eq!(change(&mut ada, own, "remove_factors").await.status, 409, "one's own are removed in the settings");
        app.person("eve@example.org", "Eve").await;
        assert_eq!(change(&mut ada, id_of(&app, "eve@example.org").await, "remove_factors").await.status, 409);
        // They remove it themself while the notice runs: then nothing of theirs ends.
        change(&mut ada, user, "remove_factors").await;
        let factor = factors(&mut bob).await.factors[0].id.to_string();
        assert_eq!(bob.post_form("/api/remove_factor", &[("factor", &factor)]).await.status, 200);
        app.state.clock.advance(DAY + 1);
        sweep(&app).await;
        assert!(who(&mut bob).await.is_some());
        assert!(acts(&app, "remove_lost_factors").await.is_empty());
    }
}
