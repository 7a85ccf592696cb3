//! Unknown enum values in the database, for example after a downgrade or a manual change: they cause an error, and
//! never more rights or an answer that looks complete.

use colloquy::domain::{AppError, Chat, CurrentUser, Failure, MessageState};
use serde_json::{Value, json};

use crate::support::app::{Backend, PASSWORD, TestApp, each_db};

/// Updates a table without its check constraints, as a newer version or a manual change could.
async fn update_without_checks(app: &TestApp, table: &str, checks: &[&str], change: &str) {
    let drop_checks: String = match app.backend() {
        Backend::Sqlite => "pragma ignore_check_constraints = on;".to_owned(),
        Backend::PostgresAndRedis => checks
            .iter()
            .map(|check| format!("alter table {table} drop constraint if exists {table}_{check};"))
            .collect(),
    };
    app.execute(&format!("{drop_checks} update {table} set {change}")).await;
}

each_db! {
    async fn a_message_with_an_unknown_state_is_an_error_and_never_complete(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "Hello").await;
        ada.wait_for_answer(sent.chat).await;
        let open = json!({ "chat": sent.chat });
        update_without_checks(&app, "messages", &["state_check"], "state = 'failed', failure = 'moonstruck' where author = 'assistant'").await;
        let chat: Chat = ada.post_json("/api/find_chat", &open).await.json();
        assert_eq!(chat.window.messages[1].state, MessageState::Failed { failure: Failure::Unknown });
        for change in ["state = 'frozen' where author = 'assistant'", "state = 'complete', author = 'oracle' where author = 'assistant'"] {
            update_without_checks(&app, "messages", &["state_check", "author_check"], change).await;
            let fault = ada.post_json("/api/find_chat", &open).await;
            assert!(matches!(fault.error(), AppError::Internal { .. }), "{change}: {}", fault.text());
        }
    }
}

each_db! {
    async fn an_account_with_an_unknown_role_can_do_nothing(app: TestApp) {
        let app = app.with_open_sign_up().await;
        let mut ada = app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        for role in ["owner", "Administrator", ""] {
            update_without_checks(&app, "users", &["role_check"], &format!("role = '{role}' where email_key = 'bob@example.org'")).await;
            assert_eq!(bob.post_json("/api/load_frame", &json!({})).await.status, 500, "{role:?}");
            assert_eq!(bob.post_json("/api/load_people", &json!({ "search": "" })).await.status, 500, "{role:?}");
        }
        assert_eq!(ada.post_json("/api/load_frame", &json!({})).await.status, 200);
        update_without_checks(&app, "users", &["role_check"], "role = 'member' where email_key = 'bob@example.org'").await;
        assert_eq!(bob.post_json("/api/load_frame", &json!({})).await.status, 200);
    }
}

each_db! {
    async fn a_second_factor_of_an_unknown_kind_is_an_error_and_not_ignored(app: TestApp) {
        let mut ada = app.administrator().await;
        let user: CurrentUser = serde_json::from_value(ada.post_json("/api/load_frame", &json!({})).await.json::<Value>()["user"].clone()).expect("a person");
        let now = app.state.clock.now().micros();
        let id = app.state.clock.new_id();
        let (id, owner) = match app.backend() {
            Backend::Sqlite => (format!("x'{}'", id.simple()), format!("x'{}'", user.id.uuid().simple())),
            Backend::PostgresAndRedis => (format!("'{id}'"), format!("'{}'", user.id)),
        };
        app.execute(&format!(
            "insert into factors (id, user_id, kind, name, secret, created_at, confirmed_at)
             values ({id}, {owner}, 'totp', 'Phone', 'sealed', {now}, {now})"
        )).await;
        update_without_checks(&app, "factors", &["kind_check", "check", "check1", "check2"], "kind = 'iris'").await;
        let form = [("email", "ada@example.org"), ("password", PASSWORD)];
        let refused = app.anonymous().post_form("/api/sign_in", &form).await;
        assert!(matches!(refused.error(), AppError::Internal { .. }), "{}", refused.text());
        assert_eq!(ada.post_json("/api/load_settings", &json!({})).await.status, 500);
    }
}

each_db! {
    async fn an_unreadable_receipt_is_reported(app: TestApp) {
        let mut ada = app.administrator().await;
        let id = app.state.clock.new_id();
        let id = if app.backend() == Backend::Sqlite { format!("x'{}'", id.simple()) } else { format!("'{id}'") };
        app.execute(&format!("insert into deletions (id, asked_at, done_at, counts) values ({id}, 1, 2, 'many')")).await;
        let people = ada.post_json("/api/load_people", &json!({ "search": "" })).await;
        assert_eq!(people.status, 200, "{}", people.text());
        let receipts = people.json::<Value>()["receipts"].clone();
        assert_eq!(receipts[0]["counts"], "unknown, because the receipt can't be read");
    }
}
