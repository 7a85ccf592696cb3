//! Those who must have a second factor and have none.

use axum::{
    body::Body,
    http::{Method, header::ACCEPT},
};
use colloquy::{domain::AppError, server::config::RequiredOf};

use super::{PASSWORD, TestApp, each_db, submit, who};
use crate::{
    factors::{Phone, enrolled, factors},
    support::client::Client,
};

async fn asking(app: &TestApp) -> TestApp {
    TestApp::start_with(app.kept(), |config| {
        config.sign_up_open = true;
        config.require_second_factor = RequiredOf::Administrators;
    })
    .await
}

each_db! {
    async fn r04_who_must_have_a_second_factor_can_do_nothing_before(app: TestApp) {
        let app = asking(&app).await;
        let (mut ada, mut bob) = (app.administrator().await, app.person("bob@example.org", "Bob").await);
        for page in ["/", "/sessions", "/chats/0190e2a4-7b1c-7def-8123-456789abcdef", "/nowhere", "/settings/", "//settings"] {
            let answer = ada.get(page).await;
            assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/settings#two-step"), "{page}");
        }
        // What functions refuse, `isolation` asks of every one.
        let events = "/chats/0190e2a4-7b1c-7def-8123-456789abcdef/runs/0190e2a4-7b1c-7def-8123-456789abcdef/events";
        let request = ada.request(Method::GET, events).header(ACCEPT, "text/event-stream").body(Body::empty()).expect("a request");
        assert_eq!(ada.send(request).await.error(), AppError::Unenrolled);
        assert_eq!(ada.submit("/auth/none/start", &[("purpose", "link")]).await.status, 403);

        let page = ada.get("/settings").await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains("This installation asks you for a second factor"), "{}", page.text());
        assert!(!bob.get("/settings").await.text().contains("This installation asks you"), "members are free");
        assert_eq!(bob.get("/").await.status, 200);

        let (phone, _) = enrolled(&app, &mut ada).await;
        assert_eq!(ada.get("/").await.status, 200);
        assert!(!ada.get("/settings").await.text().contains("This installation asks you"));
        let factor = factors(&mut ada).await.factors[0].id.to_string();
        let last = ada.post_form("/api/remove_factor", &[("factor", &factor)]).await;
        assert_eq!(last.status, 409, "the last one stays: {}", last.text());
        drop::<Phone>(phone);
    }
}

each_db! {
    async fn signing_in_leads_to_the_factor_that_is_missing(app: TestApp) {
        let app = asking(&app).await;
        app.administrator().await;
        let mut ada: Client = app.stranger();
        let form = [("email", "ada@example.org"), ("password", PASSWORD), ("next", "/sessions")];
        let (to, page) = submit(&mut ada, "/sign-in", "/api/sign_in", &form).await;
        assert_eq!((to.as_str(), page.header("location")), ("/sessions", "/settings#two-step"));
        let frame: colloquy::server_fns::frame::Frame = ada.post_form("/api/load_frame", &[]).await.json();
        assert!(frame.must_enrol && frame.chats.chats.is_empty());
        let (to, _) = submit(&mut ada, "/settings", "/api/sign_out", &[]).await;
        assert_eq!(to, "/sign-in?done=signed-out");
        assert!(who(&mut ada).await.is_none());
    }
}
