//! Words in the database that this version does not know, as after a downgrade or a change by hand: a fault that is logged,
//! never more rights, never an answer that only looks complete.

use colloquy::domain::{AppError, Chat, CurrentUser, Failure, MessageState};
use serde_json::{Value, json};

use crate::support::app::{Kept, PASSWORD, TestApp, each_db};

/// Writes into a table past its rules, as a change by hand or a newer version could.
async fn write_unruled(app: &TestApp, table: &str, rules: &[&str], change: &str) {
    let unruled: String = match app.kept() {
        Kept::Sqlite => "pragma ignore_check_constraints = on;".to_owned(),
        Kept::PostgresAndRedis => {
            rules.iter().map(|rule| format!("alter table {table} drop constraint if exists {table}_{rule};")).collect()
        }
    };
    app.execute(&format!("{unruled} update {table} set {change}")).await;
}

each_db! {
    async fn a_message_with_an_unknown_state_is_a_fault_and_never_complete(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.say(None, "Hello").await;
        ada.settled(sent.chat).await;
        let open = json!({ "chat": sent.chat });
        write_unruled(&app, "messages", &["state_check"], "state = 'failed', failure = 'moonstruck' where author = 'assistant'").await;
        let chat: Chat = ada.post_json("/api/find_chat", &open).await.json();
        assert_eq!(chat.window.messages[1].state, MessageState::Failed { failure: Failure::Unknown });
        for change in ["state = 'frozen' where author = 'assistant'", "state = 'complete', author = 'oracle' where author = 'assistant'"] {
            write_unruled(&app, "messages", &["state_check", "author_check"], change).await;
            let fault = ada.post_json("/api/find_chat", &open).await;
            assert!(matches!(fault.error(), AppError::Internal { .. }), "{change}: {}", fault.text());
        }
    }
}

each_db! {
    async fn an_account_with_an_unknown_role_can_do_nothing(app: TestApp) {
        let app = app.open_to_all().await;
        let mut ada = app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        for word in ["owner", "Administrator", ""] {
            write_unruled(&app, "users", &["role_check"], &format!("role = '{word}' where email_key = 'bob@example.org'")).await;
            assert_eq!(bob.post_json("/api/load_frame", &json!({})).await.status, 500, "{word:?}");
            assert_eq!(bob.post_json("/api/load_people", &json!({ "search": "" })).await.status, 500, "{word:?}");
        }
        assert_eq!(ada.post_json("/api/load_frame", &json!({})).await.status, 200);
        write_unruled(&app, "users", &["role_check"], "role = 'member' where email_key = 'bob@example.org'").await;
        assert_eq!(bob.post_json("/api/load_frame", &json!({})).await.status, 200);
    }
}

each_db! {
    async fn a_second_factor_of_an_unknown_kind_is_a_fault_and_never_none(app: TestApp) {
        let mut ada = app.administrator().await;
        let user: CurrentUser = serde_json::from_value(ada.post_json("/api/load_frame", &json!({})).await.json::<Value>()["user"].clone()).expect("a person");
        let now = app.state.clock.now().micros();
        let id = app.state.clock.new_id();
        let (id, owner) = match app.kept() {
            Kept::Sqlite => (format!("x'{}'", id.simple()), format!("x'{}'", user.id.uuid().simple())),
            Kept::PostgresAndRedis => (format!("'{id}'"), format!("'{}'", user.id)),
        };
        app.execute(&format!(
            "insert into factors (id, user_id, kind, name, secret, created_at, confirmed_at)
             values ({id}, {owner}, 'totp', 'Phone', 'sealed', {now}, {now})"
        )).await;
        write_unruled(&app, "factors", &["kind_check", "check", "check1", "check2"], "kind = 'iris'").await;
        let form = [("email", "ada@example.org"), ("password", PASSWORD)];
        let refused = app.stranger().post_form("/api/sign_in", &form).await;
        assert!(matches!(refused.error(), AppError::Internal { .. }), "{}", refused.text());
        assert_eq!(ada.post_json("/api/load_settings", &json!({})).await.status, 500);
    }
}

each_db! {
    async fn a_receipt_that_cannot_be_read_says_so(app: TestApp) {
        let mut ada = app.administrator().await;
        let id = app.state.clock.new_id();
        let id = if app.kept() == Kept::Sqlite { format!("x'{}'", id.simple()) } else { format!("'{id}'") };
        app.execute(&format!("insert into deletions (id, asked_at, done_at, counts) values ({id}, 1, 2, 'many')")).await;
        let people = ada.post_json("/api/load_people", &json!({ "search": "" })).await;
        assert_eq!(people.status, 200, "{}", people.text());
        let receipts = people.json::<Value>()["receipts"].clone();
        assert_eq!(receipts[0]["counts"], "unknown, because the receipt cannot be read");
    }
}
