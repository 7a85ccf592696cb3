//! Marks at chats whose answer ended while nobody was reading it.

use colloquy::domain::{ChatPage, ChatSummary};
use serde_json::json;

use crate::support::{
    app::each_db,
    client::Client,
    wait::{wait_for, wait_until},
};

async fn newest(client: &mut Client) -> ChatSummary {
    let query = json!({ "filter": "all", "search": "", "cursor": null });
    client.post_json("/api/list_chats", &query).await.json::<ChatPage>().chats.remove(0)
}

/// Whether the newest chat is marked once its answer has ended. Does not open it.
async fn is_marked_at_the_end(client: &mut Client) -> bool {
    wait_for("the answer has ended", async || Some(newest(client).await).filter(|chat| !chat.running)).await.unread
}

/// The mark may be removed shortly after the chat is shown.
async fn wait_until_read(client: &mut Client) {
    wait_until("the chat is read", async || !newest(client).await.unread).await;
}

each_db! {
    async fn a_chat_is_marked_until_it_is_opened(app: TestApp) {
        let app = app.with_open_sign_up().await;
        let mut ada = app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        for text in ["[[paced 3 5]] well", "[[length 5]] failed"] {
            let sent = ada.send_message(None, text).await;
            assert!(is_marked_at_the_end(&mut ada).await, "{text}");
            assert!(ada.get("/sessions").await.text().contains("unread answer"));
            let chat = json!({ "chat": sent.chat });
            assert_eq!(bob.post_json("/api/find_chat", &chat).await.status, 404);
            assert!(newest(&mut ada).await.unread, "{text}: opened by someone else");
            assert_eq!(ada.get(&format!("/chats/{}", sent.chat)).await.status, 200);
            wait_until_read(&mut ada).await;
            assert!(!ada.get("/sessions").await.text().contains("unread answer"));
        }
        let sent = ada.send_message(None, "[[paced 3 5]] in the application").await;
        assert!(is_marked_at_the_end(&mut ada).await);
        ada.chat(sent.chat).await;
        wait_until_read(&mut ada).await;
    }
}

each_db! {
    async fn an_answer_that_is_read_to_its_end_is_not_marked(app: TestApp) {
        let other = app.second_instance().await;
        let mut ada = app.administrator().await;
        let mut there = other.anonymous();
        there.cookies = ada.cookies.clone();
        let sent = ada.send_message(None, "[[paced 30 15]] here").await;
        ada.read_to_end(&sent).await;
        assert!(!newest(&mut ada).await.unread);
        let sent = ada.send_message(None, "[[paced 30 15]] at another instance").await;
        there.read_to_end(&sent).await;
        wait_until_read(&mut ada).await;
        let sent = ada.send_message(None, "[[paced 3 5]] after it has ended").await;
        assert!(is_marked_at_the_end(&mut ada).await);
        ada.read_to_end(&sent).await;
        wait_until_read(&mut ada).await;
    }
}

each_db! {
    async fn a_stopped_answer_is_not_marked(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "[[stall 5]]").await;
        let (chat, message) = (sent.chat.to_string(), sent.answer.to_string());
        assert_eq!(ada.post_form("/api/stop_answer", &[("chat", &chat), ("message", &message)]).await.status, 200);
        assert!(!is_marked_at_the_end(&mut ada).await);
    }
}
