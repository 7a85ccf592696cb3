//! Users who are required to have a second factor and have none.

use axum::{
    body::Body,
    http::{Method, header::ACCEPT},
};
use colloquy::{domain::AppError, server::config::SecondFactorRequirement};

use super::{PASSWORD, TestApp, current_user, each_db, submit};
use crate::{
    factors::{TotpApp, add_totp_app, factors},
    support::client::Client,
};

async fn asking(app: &TestApp) -> TestApp {
    TestApp::start_with(app.backend(), |config| {
        config.sign_up_open = true;
        config.require_second_factor = SecondFactorRequirement::Administrators;
    })
    .await
}

each_db! {
    async fn r04_a_user_without_a_required_second_factor_can_do_nothing_else(app: TestApp) {
        let app = asking(&app).await;
        let (mut ada, mut bob) = (app.administrator().await, app.person("bob@example.org", "Bob").await);
        for page in ["/", "/sessions", "/chats/0190e2a4-7b1c-7def-8123-456789abcdef", "/nowhere", "/settings/", "//settings"] {
            let answer = ada.get(page).await;
            assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/settings/security#two-step"), "{page}");
        }
        // `isolation` checks every server function.
        let events = "/chats/0190e2a4-7b1c-7def-8123-456789abcdef/runs/0190e2a4-7b1c-7def-8123-456789abcdef/events";
        let request = ada.request(Method::GET, events).header(ACCEPT, "text/event-stream").body(Body::empty()).expect("a request");
        assert_eq!(ada.send(request).await.error(), AppError::MfaEnrolmentRequired);
        assert_eq!(ada.submit("/auth/none/start", &[("purpose", "link")]).await.status, 403);

        let page = ada.get("/settings").await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains("Two-step verification is required here"), "{}", page.text());
        assert!(!bob.get("/settings").await.text().contains("Two-step verification is required here"), "members are free");
        assert_eq!(bob.get("/").await.status, 200);

        let (totp_app, _) = add_totp_app(&app, &mut ada).await;
        assert_eq!(ada.get("/").await.status, 200);
        assert!(!ada.get("/settings").await.text().contains("Two-step verification is required here"));
        let factor = factors(&mut ada).await.factors[0].id.to_string();
        let last = ada.post_form("/api/remove_factor", &[("factor", &factor)]).await;
        assert_eq!(last.status, 409, "the last one stays: {}", last.text());
        drop::<TotpApp>(totp_app);
    }
}

each_db! {
    async fn sign_in_redirects_to_the_missing_second_factor(app: TestApp) {
        let app = asking(&app).await;
        app.administrator().await;
        let mut ada: Client = app.anonymous();
        let form = [("email", "ada@example.org"), ("password", PASSWORD), ("next", "/sessions")];
        let (to, page) = submit(&mut ada, "/sign-in", "/api/sign_in", &form).await;
        assert_eq!((to.as_str(), page.header("location")), ("/sessions", "/settings/security#two-step"));
        let frame: colloquy::domain::Frame = ada.post_form("/api/load_frame", &[]).await.json();
        assert!(frame.must_enrol && frame.chats.chats.is_empty());
        let (to, _) = submit(&mut ada, "/settings", "/api/sign_out", &[]).await;
        assert_eq!(to, "/sign-in?done=signed-out");
        assert!(current_user(&mut ada).await.is_none());
    }
}
