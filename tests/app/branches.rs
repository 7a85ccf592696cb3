//! Branches: chats that begin as copies of others, and messages that are deleted with what follows them.

use colloquy::domain::{Chat, ChatId, Message, MessageId, StartedRun};

use crate::{
    support::{app::each_db, client::Client},
    versions::{post, retry, send},
};

async fn delete(client: &mut Client, chat: ChatId, message: MessageId) -> bool {
    let deleted = post(client, "/api/delete_branch", chat, message).await;
    assert_eq!(deleted.status, 200, "{}", deleted.text());
    deleted.json()
}

fn ids(chat: &Chat) -> Vec<MessageId> {
    chat.window.messages.iter().map(|message| message.id).collect()
}

/// What a message shows.
fn content(message: &Message) -> (i64, String, String, Option<String>) {
    (message.depth, message.text.clone(), message.html.clone(), message.model.clone())
}

each_db! {
    async fn a_copy_ends_with_the_message_and_goes_on_alone(app: TestApp) {
        let mut ada = app.administrator().await;
        let first = send(&mut ada, None, "first").await;
        let chat = first.chat;
        let second = send(&mut ada, Some(chat), "second").await;
        retry(&mut ada, chat, second.answer).await;
        send(&mut ada, Some(chat), "third").await;
        let before = ada.chat(chat).await;

        let copied: ChatId = post(&mut ada, "/api/copy_branch", chat, second.answer).await.json();
        let copy = ada.chat(copied).await;
        assert_eq!(copy.title, "first (2)");
        let count = app.column("select cast(count(*) as text) from messages").await;
        assert_eq!(count, ["11"], "seven, and the copies of four");
        let shown: Vec<_> = copy.window.messages.iter().map(content).collect();
        let expected: Vec<_> = before.window.messages[..3].iter().map(content).collect();
        assert_eq!(shown[..3], expected);
        assert_eq!(shown.len(), 4);
        assert!(ids(&copy).iter().all(|id| !ids(&before).contains(id)));
        assert_eq!(copy.window.messages.iter().filter(|message| message.versions.is_some()).count(), 0);
        let parents: Vec<_> = copy.window.messages.iter().map(|message| message.parent).collect();
        let expected: Vec<_> = std::iter::once(None).chain(ids(&copy).into_iter().map(Some)).take(4).collect();
        assert_eq!(parents, expected);

        send(&mut ada, Some(copied), "elsewhere").await;
        assert_eq!(ada.chat(chat).await, before);
        assert_eq!(ada.chat(copied).await.window.messages.len(), 6);
        let again: ChatId = post(&mut ada, "/api/copy_branch", copied, ids(&copy)[0]).await.json();
        assert_eq!(ada.chat(again).await.title, "first (3)");
        assert_eq!(ids(&ada.chat(again).await).len(), 1);
    }
}

each_db! {
    async fn a_deleted_answer_gives_way_to_another_version_and_then_to_its_question(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = send(&mut ada, None, "hello").await;
        let (chat, first) = (sent.chat, sent.answer);
        let more = send(&mut ada, Some(chat), "more").await;
        let second = retry(&mut ada, chat, first).await;
        let third = retry(&mut ada, chat, second).await;
        assert!(delete(&mut ada, chat, third).await);
        assert_eq!(ids(&ada.chat(chat).await), [sent.message, second]);
        assert!(delete(&mut ada, chat, second).await);
        // With the path that was shown below it.
        assert_eq!(ids(&ada.chat(chat).await), [sent.message, first, more.message, more.answer]);
        assert_eq!(ada.chat(chat).await.window.messages[1].versions, None);
        assert!(delete(&mut ada, chat, more.message).await);
        assert_eq!(ids(&ada.chat(chat).await), [sent.message, first]);
        assert!(delete(&mut ada, chat, first).await);
        assert_eq!(ids(&ada.chat(chat).await), [sent.message]);
        assert_eq!(app.column("select last_words from chats").await, ["hello"]);
        assert_eq!(app.column("select cast(count(*) as text) from message_parts").await, ["1"], "nothing is left of them");
        let answered = send(&mut ada, Some(chat), "again").await;
        assert_eq!(ids(&ada.chat(chat).await), [sent.message, answered.message, answered.answer]);
    }
}

each_db! {
    async fn a_branch_that_is_not_shown_is_deleted_and_forgotten(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = send(&mut ada, None, "hello").await;
        let (chat, first) = (sent.chat, sent.answer);
        let more = send(&mut ada, Some(chat), "more").await;
        let second = retry(&mut ada, chat, first).await;
        // The first answer remembers the path to `more.answer`.
        assert!(delete(&mut ada, chat, more.answer).await);
        assert_eq!(ids(&ada.chat(chat).await), [sent.message, second], "the shown path stays");
        assert_eq!(post(&mut ada, "/api/choose_version", chat, first).await.status, 200);
        assert_eq!(ids(&ada.chat(chat).await), [sent.message, first, more.message]);
        assert_eq!(post(&mut ada, "/api/delete_branch", chat, more.answer).await.status, 404, "it is gone");
    }
}

each_db! {
    async fn the_only_first_message_is_deleted_with_its_chat(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = send(&mut ada, None, "hello").await;
        let fields = [("chat", sent.chat.to_string()), ("message", sent.message.to_string())];
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let deleted = ada.submit("/api/delete_branch", &fields).await;
        assert_eq!(deleted.header("location"), format!("/sessions?deleted={}", sent.chat));
        let id = sent.chat.to_string();
        let restore = [("chats[]", id.as_str()), ("action", "restore")];
        assert_eq!(ada.post_form("/api/change_chats", &restore).await.status, 200);
        assert_eq!(ids(&ada.chat(sent.chat).await), [sent.message, sent.answer]);

        // Another version of it takes its place.
        let edit = [("chat", id.as_str()), ("message", &sent.message.to_string()), ("client_id", &MessageId::from_uuid(uuid::Uuid::from_u128(5)).to_string()), ("text", "edited")].map(|(name, value)| (name, value.to_owned()));
        let edit: Vec<_> = edit.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let edited: StartedRun = ada.post_form("/api/edit_message", &edit).await.json();
        ada.wait_for_answer(sent.chat).await;
        assert!(delete(&mut ada, sent.chat, edited.message).await);
        assert_eq!(ids(&ada.chat(sent.chat).await), [sent.message, sent.answer]);
    }
}

each_db! {
    async fn row_24_no_branch_is_deleted_and_no_open_answer_is_copied_while_it_is_written(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = send(&mut ada, None, "hello").await;
        let open = ada.send_message(Some(sent.chat), "[[hang]]").await;
        for message in [open.answer, open.message, sent.answer] {
            assert_eq!(post(&mut ada, "/api/delete_branch", sent.chat, message).await.status, 409);
        }
        assert_eq!(post(&mut ada, "/api/copy_branch", sent.chat, open.answer).await.status, 409);
        let copied: ChatId = post(&mut ada, "/api/copy_branch", sent.chat, open.message).await.json();
        assert_eq!(ids(&ada.chat(copied).await).len(), 3);
        assert_eq!(post(&mut ada, "/api/stop_answer", sent.chat, open.answer).await.status, 200);
        ada.wait_for_answer(sent.chat).await;
    }
}
