//! Chats and messages of other users, in every endpoint that takes their ids.

use colloquy::domain::{ChatId, MessageId, StartedRun};
use serde_json::json;

use super::{admin_and_member, unknown_chat};
use crate::support::{
    app::{TestApp, each_db},
    client::{Answer, Client},
};

/// Calls every endpoint that takes a chat or a message, and returns the responses.
async fn call_every_endpoint(client: &mut Client, chat: ChatId, message: MessageId) -> Vec<(String, Answer)> {
    let (chat, message) = (chat.to_string(), message.to_string());
    let mut answers = Vec::new();
    for path in [
        "/api/stop_answer",
        "/api/retry_answer",
        "/api/continue_answer",
        "/api/choose_version",
        "/api/copy_branch",
        "/api/delete_branch",
    ] {
        let fields = [("chat", chat.as_str()), ("message", &message)];
        answers.push((path.to_owned(), client.post_form(path, &fields).await));
    }
    let fields = [("client_id", "0190e2a4-7b1c-7def-8123-456789abcdef"), ("text", "hello"), ("chat", &chat)];
    answers.push(("send".to_owned(), client.post_form("/api/send_message", &fields).await));
    let fields = [
        ("client_id", "0190e2a4-7b1c-7def-8123-456789abcdf0"),
        ("text", "hello"),
        ("chat", &chat),
        ("message", &message),
    ];
    answers.push(("edit".to_owned(), client.post_form("/api/edit_message", &fields).await));
    let fields = [("chat", chat.as_str()), ("title", "mine now")];
    answers.push(("rename".to_owned(), client.post_form("/api/rename_chat", &fields).await));
    for action in ["pin", "unpin", "archive", "unarchive", "delete", "restore"] {
        let fields = [("chats[]", chat.as_str()), ("action", action)];
        answers.push((action.to_owned(), client.post_form("/api/change_chats", &fields).await));
    }
    let body = json!({ "chat": chat, "message": message });
    answers.push(("text".to_owned(), client.post_json("/api/message_text", &body).await));
    answers.push(("find".to_owned(), client.post_json("/api/find_chat", &json!({ "chat": chat })).await));
    let body = json!({ "chat": chat, "before": message });
    answers.push(("older".to_owned(), client.post_json("/api/older_messages", &body).await));
    answers.push(("page".to_owned(), client.get(&format!("/chats/{chat}")).await));
    answers
}

/// All stored data of chats.
async fn all_rows(app: &TestApp) -> Vec<String> {
    let mut rows = app.column("select title || model || last_words || pinned || archived from chats").await;
    rows.extend(app.column("select depth || author || state from messages").await);
    rows.extend(app.column("select position || kind || text from message_parts").await);
    rows.extend(app.column("select state || epoch || stop_requested from runs").await);
    rows.sort();
    rows
}

each_db! {
    async fn i02_chats_of_others_are_not_found_and_not_changed(app: TestApp) {
        let app = app.with_open_sign_up().await;
        let (mut ada, mut bob, ids) = admin_and_member(&app).await;
        let theirs = ids.sent;
        let own = ada.send_message(None, "[[cut 5]]").await;
        ada.wait_for_answer(own.chat).await;
        let before = all_rows(&app).await;
        let unknown = StartedRun { chat: unknown_chat(), ..theirs.clone() };
        // Their chat with their message, and with the user's own message.
        for (chat, message) in [(theirs.chat, theirs.answer), (theirs.chat, own.answer)] {
            let foreign = call_every_endpoint(&mut ada, chat, message).await;
            let nobodys = call_every_endpoint(&mut ada, unknown.chat, message).await;
            for ((endpoint, foreign), (_, nobodys)) in foreign.iter().zip(&nobodys) {
                assert_eq!(foreign.status, 404, "{endpoint}: {}", foreign.text());
                assert_eq!(nobodys.status, 404, "{endpoint}");
                let without_ids = |answer: &Answer| answer.text().replace(&theirs.chat.to_string(), "").replace(&unknown.chat.to_string(), "");
                if endpoint != "page" {
                    assert_eq!(without_ids(foreign), without_ids(nobodys), "{endpoint} distinguishes a foreign chat from a missing one");
                }
            }
        }
        let (chat, message) = (own.chat.to_string(), theirs.answer.to_string());
        for path in ["/api/stop_answer", "/api/retry_answer", "/api/continue_answer", "/api/choose_version", "/api/copy_branch", "/api/delete_branch"] {
            let answer = ada.post_form(path, &[("chat", &chat), ("message", &message)]).await;
            assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        }
        let fields = [("client_id", "0190e2a4-7b1c-7def-8123-456789abcdf0"), ("text", "hello"), ("chat", &chat), ("message", &theirs.message.to_string())];
        assert_eq!(ada.post_form("/api/edit_message", &fields).await.status, 404);
        let answer = ada.post_json("/api/message_text", &json!({ "chat": own.chat, "message": theirs.answer })).await;
        assert_eq!(answer.status, 404);
        for path in ["/api/older_messages", "/api/find_chat"] {
            let answer = ada.post_json(path, &json!({ "chat": own.chat, "before": theirs.answer })).await;
            assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        }
        // In a list with the user's own chats, chats of others are skipped.
        let fields = [("chats[]", theirs.chat.to_string()), ("chats[]", own.chat.to_string())];
        let fields: Vec<_> = fields.iter().map(|(name, id)| (*name, id.as_str())).chain([("action", "pin")]).collect();
        assert_eq!(ada.post_form("/api/change_chats", &fields).await.json::<u32>(), 1);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, if *value == "pin" { "unpin" } else { value })).collect();
        assert_eq!(ada.post_form("/api/change_chats", &fields).await.json::<u32>(), 1);
        assert_eq!(all_rows(&app).await, before);
        let answers = call_every_endpoint(&mut bob, theirs.chat, theirs.answer).await;
        assert!(answers.iter().filter(|(_, answer)| answer.status == 200).count() > 10, "its owner can do all that");
    }
}
