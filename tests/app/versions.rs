//! Versions of messages: which one is shown, and what is shown below it.

use colloquy::{
    domain::{AppError, ChatId, ClientId, Message, MessageId, MessageWindow, StartedRun, UserId, Versions},
    server::store::{NewMessage, Node},
};
use serde_json::json;

use crate::support::{
    app::{TestApp, each_db},
    client::{Answer, Client},
};

pub async fn post(client: &mut Client, path: &str, chat: ChatId, message: MessageId) -> Answer {
    client.post_form(path, &[("chat", &chat.to_string()), ("message", &message.to_string())]).await
}

/// Chooses a version and returns the newest messages of the path that is shown then.
async fn choose(client: &mut Client, chat: ChatId, message: MessageId) -> Vec<Message> {
    let chosen = post(client, "/api/choose_version", chat, message).await;
    assert_eq!(chosen.status, 200, "{}", chosen.text());
    let window: MessageWindow = chosen.json();
    let opened = client.chat(chat).await.window.messages;
    assert!(window.messages.ends_with(&opened), "the page shows something else later");
    window.messages
}

/// Generates an answer again, waits for it, and returns its id.
pub async fn retry(client: &mut Client, chat: ChatId, answer: MessageId) -> MessageId {
    let retried = post(client, "/api/retry_answer", chat, answer).await;
    assert_eq!(retried.status, 200, "{}", retried.text());
    let retried: StartedRun = retried.json();
    client.wait_for_answer(chat).await;
    retried.answer
}

pub async fn send(client: &mut Client, chat: Option<ChatId>, text: &str) -> StartedRun {
    let sent = client.send_message(chat, text).await;
    client.wait_for_answer(sent.chat).await;
    sent
}

fn ids(messages: &[Message]) -> Vec<MessageId> {
    messages.iter().map(|message| message.id).collect()
}

fn versions(number: u32, count: u32, previous: Option<MessageId>, next: Option<MessageId>) -> Option<Versions> {
    Some(Versions { number, count, previous, next })
}

async fn ada_id(app: &TestApp) -> UserId {
    let mut tx = app.state.store.read().await.expect("a unit");
    tx.find_user_by_email("ada@example.org").await.expect("a row").expect("Ada").id
}

/// Inserts a chain of `count` messages after `parent` and returns their ids. The head of the chat stays.
async fn insert_chain(app: &TestApp, chat: ChatId, parent: Option<Node>, count: i64) -> Vec<MessageId> {
    let owner = ada_id(app).await;
    let mut tx = app.state.store.write().await.expect("a unit");
    let mut parent = parent;
    let mut ids = Vec::new();
    for at in 0..count {
        let (id, now) = (MessageId::from_uuid(app.state.clock.new_id()), app.state.clock.now());
        let depth = parent.map_or(0, |parent| parent.depth + 1);
        let message = NewMessage {
            id,
            chat,
            parent,
            author: if depth % 2 == 0 { "user" } else { "assistant" },
            state: "complete",
            text: &format!("inserted {at}"),
            model: None,
            model_label: None,
            client_id: None,
            now,
        };
        tx.owned_by(owner).insert_message(&message).await.expect("a message");
        parent = Some(Node { id, depth });
        ids.push(id);
    }
    tx.commit().await.expect("a commit");
    ids
}

each_db! {
    async fn the_versions_of_an_answer_are_counted_and_each_can_be_shown_again(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = send(&mut ada, None, "hello").await;
        let (chat, question, first) = (sent.chat, sent.message, sent.answer);
        assert_eq!(ada.chat(chat).await.window.messages.iter().filter_map(|message| message.versions).count(), 0);

        let retried: StartedRun = post(&mut ada, "/api/retry_answer", chat, first).await.json();
        let second = retried.answer;
        let streamed = ada.read_to_end(&retried).await;
        assert_eq!(streamed.versions, versions(2, 2, Some(first), None), "at the end of the stream");
        let shown = ada.chat(chat).await.window.messages;
        assert_eq!(ids(&shown), [question, second]);
        assert_eq!((shown[0].versions, shown[1].versions), (None, streamed.versions));

        let shown = choose(&mut ada, chat, first).await;
        assert_eq!(ids(&shown), [question, first]);
        assert_eq!(shown[1].versions, versions(1, 2, None, Some(second)));
        let third = retry(&mut ada, chat, first).await;
        let shown = choose(&mut ada, chat, second).await;
        assert_eq!(shown[1].versions, versions(2, 3, Some(first), Some(third)));
        // The form was sent twice.
        assert_eq!(choose(&mut ada, chat, second).await, shown);
        // It does not count as activity.
        let times = app.column("select cast(active_at as text) from chats").await;
        choose(&mut ada, chat, third).await;
        assert_eq!(app.column("select cast(active_at as text) from chats").await, times);
    }
}

each_db! {
    async fn below_a_version_the_path_is_shown_that_was_shown_there_last(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = send(&mut ada, None, "hello").await;
        let (chat, first) = (sent.chat, sent.answer);
        let second = retry(&mut ada, chat, first).await;
        let below_second = send(&mut ada, Some(chat), "more").await;
        let retried = retry(&mut ada, chat, below_second.answer).await;
        choose(&mut ada, chat, below_second.answer).await;
        let path = [sent.message, second, below_second.message, below_second.answer];
        assert_eq!(ids(&choose(&mut ada, chat, first).await), [sent.message, first]);
        assert_eq!(ids(&choose(&mut ada, chat, second).await), path, "and not the newest answer");
        // What is sent goes on there, and only there.
        let later = send(&mut ada, Some(chat), "even more").await;
        choose(&mut ada, chat, first).await;
        let preview = async || app.column("select last_words from chats").await.remove(0);
        assert!(preview().await.contains("hello"), "{}", preview().await);
        choose(&mut ada, chat, second).await;
        assert!(preview().await.contains("even more"), "{}", preview().await);
        let shown = ada.chat(chat).await.window.messages;
        assert_eq!(ids(&shown), [path.as_slice(), &[later.message, later.answer]].concat());
        let request = app.upstream.received().pop().expect("a request");
        assert_eq!(request.messages.iter().filter(|(role, _)| role == "user").count(), 3, "hello, more, even more");
        let other = choose(&mut ada, chat, retried).await;
        assert_eq!(ids(&other), [sent.message, second, below_second.message, retried]);
    }
}

each_db! {
    async fn without_a_remembered_path_the_newest_messages_are_shown(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = send(&mut ada, None, "hello").await;
        let question = Node { id: sent.message, depth: 0 };
        let other = insert_chain(&app, sent.chat, Some(question), 2).await;
        let node = Node { id: other[1], depth: 2 };
        insert_chain(&app, sent.chat, Some(node), 3).await;
        let newest = insert_chain(&app, sent.chat, Some(node), 1).await;
        let shown = choose(&mut ada, sent.chat, other[0]).await;
        assert_eq!(ids(&shown), [sent.message, other[0], other[1], newest[0]]);
        assert_eq!(shown[3].versions.map(|versions| (versions.number, versions.count)), Some((2, 2)));
        // Other first messages of the chat are versions too.
        let root = insert_chain(&app, sent.chat, None, 1).await;
        assert_eq!(ada.chat(sent.chat).await.window.messages[0].versions, versions(1, 2, None, Some(root[0])));
        assert_eq!(ids(&choose(&mut ada, sent.chat, root[0]).await), root);
        assert_eq!(ids(&choose(&mut ada, sent.chat, sent.message).await), ids(&shown));
    }
}

each_db! {
    async fn row_24_no_version_is_chosen_while_an_answer_is_open(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = send(&mut ada, None, "[[cut 5]]").await;
        let (chat, first) = (sent.chat, sent.answer);
        let second = retry(&mut ada, chat, first).await;
        let open = ada.send_message(Some(chat), "[[hang]]").await;
        let refused = post(&mut ada, "/api/choose_version", chat, first).await;
        assert_eq!(refused.status, 409, "{}", refused.text());
        assert!(refused.text().contains("answer_running"), "{}", refused.text());
        let shown = ids(&ada.chat(chat).await.window.messages);
        assert_eq!(shown, [sent.message, second, open.message, open.answer]);
        assert_eq!(post(&mut ada, "/api/stop_answer", chat, open.answer).await.status, 200);
        ada.wait_for_answer(chat).await;
        assert_eq!(ids(&choose(&mut ada, chat, first).await), [sent.message, first]);
        assert_eq!(ids(&choose(&mut ada, chat, second).await), shown);
    }
}

each_db! {
    async fn an_earlier_answer_is_generated_again_and_what_followed_it_stays(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = send(&mut ada, None, "hello").await;
        let (chat, first) = (sent.chat, sent.answer);
        let later = send(&mut ada, Some(chat), "more").await;
        let second = retry(&mut ada, chat, first).await;
        let shown = ada.chat(chat).await.window.messages;
        assert_eq!(ids(&shown), [sent.message, second]);
        assert_eq!(shown[1].versions, versions(2, 2, Some(first), None));
        let request = app.upstream.received().pop().expect("a request");
        assert!(request.messages.iter().all(|(_, text)| !text.contains("more")), "{request:?}");
        assert_eq!(ids(&choose(&mut ada, chat, first).await), [sent.message, first, later.message, later.answer]);
        let open = ada.send_message(Some(chat), "[[hang]]").await;
        assert_eq!(post(&mut ada, "/api/retry_answer", chat, first).await.status, 409, "while another one is open");
        assert_eq!(ids(&ada.chat(chat).await.window.messages).last(), Some(&open.answer));
        assert_eq!(post(&mut ada, "/api/retry_answer", chat, sent.message).await.status, 404, "a question");
    }
}

async fn try_edit(client: &mut Client, chat: ChatId, message: MessageId, text: &str, id: ClientId) -> Answer {
    let (chat, message, id) = (chat.to_string(), message.to_string(), id.to_string());
    let fields = [("chat", chat.as_str()), ("message", &message), ("client_id", &id), ("text", text)];
    client.post_form("/api/edit_message", &fields).await
}

/// Edits a message, and waits for its answer.
async fn edit(client: &mut Client, chat: ChatId, message: MessageId, text: &str) -> StartedRun {
    let edited = try_edit(client, chat, message, text, ClientId::random()).await;
    assert_eq!(edited.status, 200, "{}", edited.text());
    client.wait_for_answer(chat).await;
    edited.json()
}

each_db! {
    async fn an_edited_question_is_another_version_and_is_answered(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = send(&mut ada, None, "hello").await;
        let chat = sent.chat;
        let second = send(&mut ada, Some(chat), "more").await;
        let third = send(&mut ada, Some(chat), "even more").await;
        let edited = edit(&mut ada, chat, second.message, "less").await;
        let shown = ada.chat(chat).await.window.messages;
        assert_eq!(ids(&shown), [sent.message, sent.answer, edited.message, edited.answer]);
        assert_eq!((shown[2].text.as_str(), shown[2].versions), ("less", versions(2, 2, Some(second.message), None)));
        assert_eq!(shown[3].versions, None, "answers of different questions are no versions of each other");
        let texts: Vec<_> = app.upstream.received().pop().expect("a request").messages;
        assert!(texts.iter().all(|(_, text)| !text.contains("more")), "{texts:?}");
        let old = choose(&mut ada, chat, second.message).await;
        assert_eq!(ids(&old)[2..], [second.message, second.answer, third.message, third.answer]);
        // The first message too.
        let first = edit(&mut ada, chat, sent.message, "good evening").await;
        assert_eq!(ids(&ada.chat(chat).await.window.messages), [first.message, first.answer]);
        assert_eq!(choose(&mut ada, chat, sent.message).await, ada.chat(chat).await.window.messages);
        assert_eq!(ids(&ada.chat(chat).await.window.messages), ids(&old));
    }
}

each_db! {
    async fn c02_a_message_edited_twice_with_one_id_is_edited_once(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = send(&mut ada, None, "hello").await;
        let later = send(&mut ada, Some(sent.chat), "more").await;
        let id = ClientId::random();
        let first = try_edit(&mut ada, sent.chat, sent.message, "good evening", id).await;
        assert_eq!(first.status, 200, "{}", first.text());
        ada.wait_for_answer(sent.chat).await;
        let again = try_edit(&mut ada, sent.chat, sent.message, "good evening", id).await;
        assert_eq!(again.json::<StartedRun>(), first.json::<StartedRun>());
        assert_eq!(app.column("select author from messages where depth = 0").await.len(), 2);
        for (message, text) in [(sent.message, "something else"), (later.message, "good evening")] {
            let other = try_edit(&mut ada, sent.chat, message, text, id).await;
            assert_eq!((other.status.as_u16(), other.error()), (409, AppError::MessageIdUsed), "row 22");
        }
        let plain = [("chat", sent.chat.to_string()), ("message", sent.message.to_string()), ("client_id", id.to_string()), ("text", "by form".to_owned())];
        let plain: Vec<_> = plain.iter().map(|(name, value)| (*name, value.as_str())).collect();
        for _ in 0..2 {
            let answer = ada.submit("/api/edit_message", &plain).await;
            assert_eq!((answer.status.as_u16(), answer.header("location")), (302, format!("/chats/{}", sent.chat).as_str()));
            ada.wait_for_answer(sent.chat).await;
        }
        assert_eq!(app.column("select author from messages where depth = 0").await.len(), 3);
    }
}

each_db! {
    async fn row_24_only_own_questions_are_edited_and_not_while_an_answer_is_open(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = send(&mut ada, None, "hello").await;
        let try_all = async |ada: &mut Client, status: u16| {
            for message in [sent.message, sent.answer] {
                let status = if message == sent.answer { 404 } else { status };
                let refused = try_edit(ada, sent.chat, message, "other", ClientId::random()).await;
                assert_eq!(refused.status, status, "{}", refused.text());
            }
        };
        let open = ada.send_message(Some(sent.chat), "[[hang]]").await;
        try_all(&mut ada, 409).await;
        assert_eq!(try_edit(&mut ada, sent.chat, open.message, "other", ClientId::random()).await.status, 409);
        let empty = try_edit(&mut ada, sent.chat, sent.message, " ", ClientId::random()).await;
        assert_eq!((empty.status.as_u16(), empty.error().field()), (422, Some("text")), "row 12");
        assert_eq!(app.column("select author from messages").await.len(), 4);
        assert_eq!(ids(&ada.chat(sent.chat).await.window.messages).last(), Some(&open.answer));
        assert_eq!(post(&mut ada, "/api/stop_answer", sent.chat, open.answer).await.status, 200);
        ada.wait_for_answer(sent.chat).await;
        try_all(&mut ada, 200).await;
        ada.wait_for_answer(sent.chat).await;
        // After a deletion of the chat there is nothing to edit.
        let fields = [("chats[]", sent.chat.to_string()), ("action", "delete".to_owned())];
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(ada.post_form("/api/change_chats", &fields).await.status, 200);
        try_all(&mut ada, 404).await;
    }
}

each_db! {
    async fn a_version_of_another_chat_is_not_found(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = send(&mut ada, None, "hello").await;
        let elsewhere = send(&mut ada, None, "elsewhere").await;
        for message in [elsewhere.answer, MessageId::from_uuid(sent.chat.uuid())] {
            assert_eq!(post(&mut ada, "/api/choose_version", sent.chat, message).await.status, 404);
        }
        let fields = [("chats[]", sent.chat.to_string()), ("action", "delete".to_owned())];
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(ada.post_form("/api/change_chats", &fields).await.status, 200);
        assert_eq!(post(&mut ada, "/api/choose_version", sent.chat, sent.answer).await.status, 404, "row 23");
    }
}

each_db! {
    async fn a_version_before_the_newest_window_is_shown_too(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = send(&mut ada, None, "hello").await;
        let chat = sent.chat;
        let question = Node { id: sent.message, depth: 0 };
        let middle = insert_chain(&app, chat, Some(question), 60).await;
        let long = insert_chain(&app, chat, Some(question), 200).await;
        let mut submit = async |message: MessageId| {
            let fields = [("chat", chat.to_string()), ("message", message.to_string())];
            let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            ada.submit("/api/choose_version", &fields).await
        };
        let chosen = submit(middle[0]).await;
        assert_eq!(chosen.status, 302, "{}", chosen.text());
        let location = chosen.header("location").to_owned();
        assert!(location.starts_with(&format!("/chats/{chat}?before=")), "{location}");
        assert!(location.ends_with(&format!("#m-{}", middle[0])), "{location}");
        assert_eq!(submit(sent.answer).await.header("location"), format!("/chats/{chat}#m-{}", sent.answer));
        assert_eq!(submit(long[0]).await.header("location"), format!("/chats/{chat}"));
        let page = ada.get(location.split('#').next().expect("a path")).await.text();
        assert!(page.contains(&format!("id=\"m-{}\"", middle[0])), "{page}");

        let shown: MessageWindow = post(&mut ada, "/api/choose_version", chat, middle[0]).await.json();
        assert_eq!((shown.messages.len(), shown.messages[1].id, shown.has_older), (61, middle[0], false));
        let shown: MessageWindow = post(&mut ada, "/api/choose_version", chat, long[0]).await.json();
        assert_eq!((shown.messages.len(), shown.messages[39].id, shown.has_older), (40, long[199], true));
        let body = json!({ "chat": chat, "before": middle[10] });
        let older: MessageWindow = ada.post_json("/api/older_messages", &body).await.json();
        assert_eq!(older.messages[1].versions.map(|versions| (versions.number, versions.count)), Some((2, 3)));
    }
}
