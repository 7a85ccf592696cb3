//! Retention: chats are deleted some days after their last message.

use axum::http::Method;
use colloquy::server::audit::RequestMeta;
use serde_json::{Value, json};

use crate::support::{
    app::{TestApp, each_db},
    client::Client,
};

const DAY: i64 = 86_400;
const REMAINING: &str = "select title from chats where deleted_at is null order by title";

async fn chat(client: &mut Client, text: &str) -> String {
    let sent = client.send_message(None, text).await;
    client.wait_for_answer(sent.chat).await;
    sent.chat.to_string()
}

async fn choose_retention(app: &TestApp, email: &str, days: &str) {
    let mut tx = app.state.store.read().await.expect("a unit");
    let user = tx.find_user_by_email(email).await.expect("a row").expect("an account").id;
    drop(tx);
    app.state.privacy.change_retention(user, days, &RequestMeta::default()).await.expect("a choice");
}

async fn remaining_chats(app: &TestApp) -> Vec<String> {
    app.state.privacy.apply_retention().await.expect("a pass");
    app.column(REMAINING).await
}

each_db! {
    async fn a_retention_choice_applies_after_a_day_and_spares_pinned_chats_and_other_users(app: TestApp) {
        let app = app.with_open_sign_up().await;
        let mut ada = app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        chat(&mut ada, "ada").await;
        chat(&mut bob, "old").await;
        let pinned = chat(&mut bob, "pinned").await;
        assert_eq!(bob.post_form("/api/change_chats", &[("chats[]", &pinned), ("action", "pin")]).await.status, 200);
        app.state.clock.advance(40 * DAY);
        let mut bob = app.signed_in("bob@example.org").await;
        chat(&mut bob, "new").await;
        let saved = bob.submit("/api/change_retention", &[("days", "30")]).await;
        assert_eq!((saved.status.as_u16(), saved.header("location")), (302, "/settings/data?done=retention#retention"));

        assert_eq!(remaining_chats(&app).await, ["ada", "new", "old", "pinned"], "there is a day to think again");
        let settings: Value = bob.post_json("/api/load_settings", &json!({"part": "data"})).await.json();
        assert_eq!((&settings["retention"]["days"], settings["retention"]["from"].is_i64()), (&json!(30), true));
        app.state.clock.advance(DAY);
        assert_eq!(remaining_chats(&app).await, ["ada", "new", "pinned"]);
        app.state.clock.advance(28 * DAY);
        assert_eq!(remaining_chats(&app).await, ["ada", "new", "pinned"]);
        app.state.clock.advance(DAY + 1);
        assert_eq!(remaining_chats(&app).await, ["ada", "pinned"]);
        let written = "select detail from audit where action = 'expire_chats' and actor_id is null
                       and subject_id = (select id from users where email = 'bob@example.org')";
        assert_eq!(app.column(written).await, ["1 chat", "1 chat"]);

        // Like all deleted chats, they are removed permanently an hour later, with their messages.
        app.state.clock.advance(3_601);
        app.state.chats.remove_deleted().await.expect("a removal");
        assert_eq!(app.column("select title from chats order by title").await, ["ada", "pinned"]);
        assert_eq!(app.column("select p.text from messages m join message_parts p on p.message_id = m.id where m.author = 'user' order by p.text").await, ["ada", "pinned"]);
    }
}

each_db! {
    async fn a_retention_choice_can_be_withdrawn_and_is_validated(app: TestApp) {
        let mut ada = app.administrator().await;
        chat(&mut ada, "old").await;
        for bad in ["0", "29", "-30", "1e9", "99999999999999999999", "x"] {
            let refused = ada.post_form("/api/change_retention", &[("days", bad)]).await;
            assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("days")), "{bad}");
        }
        app.state.clock.advance(400 * DAY);
        choose_retention(&app, "ada@example.org", "365").await;
        choose_retention(&app, "ada@example.org", "").await;
        app.state.clock.advance(2 * DAY);
        assert_eq!(remaining_chats(&app).await, ["old"]);
        let chosen = "select detail from audit where action = 'change_retention' order by at, id";
        assert_eq!(app.column(chosen).await, ["365 days", "off"]);
    }
}

each_db! {
    async fn the_installations_retention_applies_to_all_chats_without_an_open_answer(app: TestApp) {
        let app = TestApp::start_with(app.backend(), |config| config.retention_days = Some(10)).await;
        let mut ada = app.administrator().await;
        let pinned = chat(&mut ada, "pinned").await;
        assert_eq!(ada.post_form("/api/change_chats", &[("chats[]", &pinned), ("action", "pin")]).await.status, 200);
        let open = chat(&mut ada, "open").await;
        let settings = ada.send(ada.request(Method::GET, "/settings/data").body(axum::body::Body::empty()).expect("a request")).await;
        assert!(settings.text().contains("10 days after their last message, including pinned ones"), "{}", settings.text());
        // As if another instance were still writing the answer.
        let hold = format!("update runs set state = 'running', lease_until = {} where message_id in
                            (select id from messages where model is not null and chat_id =
                             (select id from chats where title = 'open'))", i64::MAX);
        assert_eq!(app.execute(&hold).await, 1, "{open}");
        app.state.clock.advance(9 * DAY);
        assert_eq!(remaining_chats(&app).await, ["open", "pinned"]);
        app.state.clock.advance(2 * DAY);
        assert_eq!(remaining_chats(&app).await, ["open"]);
        app.execute("update runs set state = 'ended'").await;
        assert_eq!(remaining_chats(&app).await, Vec::<String>::new());
    }
}
