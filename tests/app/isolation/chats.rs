//! Chats and messages of others, named by their ids in every place that takes one.

use colloquy::domain::{ChatId, MessageId, Sent};
use serde_json::json;

use super::{two, uuid_chat};
use crate::support::{
    app::{TestApp, each_db},
    client::{Answer, Client},
};

/// Every way to name a chat and a message, and what each answered.
async fn every_way(client: &mut Client, chat: ChatId, message: MessageId) -> Vec<(String, Answer)> {
    let (chat, message) = (chat.to_string(), message.to_string());
    let mut answers = Vec::new();
    for path in ["/api/stop_answer", "/api/retry_answer", "/api/continue_answer"] {
        let fields = [("chat", chat.as_str()), ("message", &message)];
        answers.push((path.to_owned(), client.post_form(path, &fields).await));
    }
    let fields = [("client_id", "0190e2a4-7b1c-7def-8123-456789abcdef"), ("text", "hello"), ("chat", &chat)];
    answers.push(("send".to_owned(), client.post_form("/api/send_message", &fields).await));
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

/// All that is kept of chats.
async fn all(app: &TestApp) -> Vec<String> {
    let mut rows = app.column("select title || model || last_words || pinned || archived from chats").await;
    rows.extend(app.column("select depth || author || state from messages").await);
    rows.extend(app.column("select position || kind || text from message_parts").await);
    rows.extend(app.column("select state || epoch || stop_requested from runs").await);
    rows.sort();
    rows
}

each_db! {
    async fn i02_chats_of_others_are_not_there_and_stay_as_they_are(app: TestApp) {
        let app = app.open_to_all().await;
        let (mut ada, mut bob, ids) = two(&app).await;
        let theirs = ids.sent;
        let own = ada.say(None, "[[cut 5]]").await;
        ada.settled(own.chat).await;
        let before = all(&app).await;
        let unknown = Sent { chat: uuid_chat(), ..theirs.clone() };
        // The whole of it, their chat alone, and their message in one's own chat.
        for (chat, message) in [(theirs.chat, theirs.answer), (theirs.chat, own.answer)] {
            let foreign = every_way(&mut ada, chat, message).await;
            let nobodys = every_way(&mut ada, unknown.chat, message).await;
            for ((way, foreign), (_, nobodys)) in foreign.iter().zip(&nobodys) {
                assert_eq!(foreign.status, 404, "{way}: {}", foreign.text());
                assert_eq!(nobodys.status, 404, "{way}");
                let told = |answer: &Answer| answer.text().replace(&theirs.chat.to_string(), "").replace(&unknown.chat.to_string(), "");
                if way != "page" {
                    assert_eq!(told(foreign), told(nobodys), "{way} tells a chat of somebody else from none");
                }
            }
        }
        let (chat, message) = (own.chat.to_string(), theirs.answer.to_string());
        for path in ["/api/stop_answer", "/api/retry_answer", "/api/continue_answer"] {
            let answer = ada.post_form(path, &[("chat", &chat), ("message", &message)]).await;
            assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        }
        let answer = ada.post_json("/api/message_text", &json!({ "chat": own.chat, "message": theirs.answer })).await;
        assert_eq!(answer.status, 404);
        for path in ["/api/older_messages", "/api/find_chat"] {
            let answer = ada.post_json(path, &json!({ "chat": own.chat, "before": theirs.answer })).await;
            assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        }
        // Among chats of one's own, those of others are passed over.
        let fields = [("chats[]", theirs.chat.to_string()), ("chats[]", own.chat.to_string())];
        let fields: Vec<_> = fields.iter().map(|(name, id)| (*name, id.as_str())).chain([("action", "pin")]).collect();
        assert_eq!(ada.post_form("/api/change_chats", &fields).await.json::<u32>(), 1);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, if *value == "pin" { "unpin" } else { value })).collect();
        assert_eq!(ada.post_form("/api/change_chats", &fields).await.json::<u32>(), 1);
        assert_eq!(all(&app).await, before);
        let ways = every_way(&mut bob, theirs.chat, theirs.answer).await;
        assert!(ways.iter().filter(|(_, answer)| answer.status == 200).count() > 10, "its owner can do all that");
    }
}
