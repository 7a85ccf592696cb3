//! Chats: the list, sending messages, and the actions on chats.

use std::collections::HashSet;

use axum::{body::Body, http::Method};
use colloquy::domain::{AppError, Author, ChatId, ChatPage, ClientId, MessageState, StartedRun};
use serde_json::json;

use crate::support::{app::each_db, client::Client, wait::wait_until};

async fn list(client: &mut Client, filter: &str, search: &str, cursor: Option<&str>) -> ChatPage {
    client.post_json("/api/list_chats", &json!({ "filter": filter, "search": search, "cursor": cursor })).await.json()
}

async fn change(client: &mut Client, chat: ChatId, action: &str) -> u16 {
    let chat = chat.to_string();
    client.post_form("/api/change_chats", &[("chats[]", &chat), ("action", action)]).await.status.as_u16()
}

each_db! {
    async fn a_message_is_answered_stored_and_listed(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "Hello, *world*").await;
        let answer = ada.read_to_end(&sent).await;
        assert_eq!((answer.author, answer.state), (Author::Assistant, MessageState::Complete));
        assert!(answer.html.contains("<em>world</em>"), "{}", answer.html);
        let chat = ada.chat(sent.chat).await;
        assert_eq!(chat.title, "Hello, *world*");
        assert_eq!(chat.window.messages.len(), 2);
        assert_eq!(chat.window.messages[0].text, "Hello, *world*");
        assert_eq!(chat.window.messages[1].html, answer.html);
        let page = list(&mut ada, "all", "", None).await;
        assert_eq!(page.chats.len(), 1);
        assert_eq!((page.chats[0].preview.as_str(), page.chats[0].running), ("Hello, world", false));
        assert_eq!(page.chats[0].model, "scripted/echo");
    }
}

each_db! {
    async fn previews_are_words_without_markdown(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "## Part 1\n\n**bold** `code`\n\n- [link](https://a.example)").await;
        ada.read_to_end(&sent).await;
        let words = "Part 1 bold code link";
        assert!(app.column("select last_words from chats").await[0].ends_with(words));
        // As an earlier version wrote it.
        app.execute("update chats set last_words = '## Part 1 **bold** ```rust fn main()'").await;
        assert_eq!(list(&mut ada, "all", "", None).await.chats[0].preview, "Part 1 bold fn main()");
    }
}

each_db! {
    async fn c02_the_same_message_sent_twice_is_stored_once(app: TestApp) {
        let mut ada = app.administrator().await;
        let id = ClientId::random();
        let tries = (0..20).map(|_| {
            let mut ada = ada.clone();
            async move { ada.try_send_message(None, "once", id).await.json::<StartedRun>() }
        });
        let answers = futures::future::join_all(tries).await;
        assert!(answers.iter().all(|sent| *sent == answers[0]), "{answers:?}");
        assert_eq!(list(&mut ada, "all", "", None).await.chats.len(), 1);
        ada.wait_for_answer(answers[0].chat).await;
        assert_eq!(ada.chat(answers[0].chat).await.window.messages.len(), 2);
        assert_eq!(app.upstream.received().len(), 1);
        let other = ada.try_send_message(None, "something else", id).await;
        assert_eq!((other.status.as_u16(), other.error()), (409, AppError::MessageIdUsed), "row 22");
        let elsewhere = ada.send_message(None, "elsewhere").await;
        ada.wait_for_answer(elsewhere.chat).await;
        let other = ada.try_send_message(Some(elsewhere.chat), "once", id).await;
        assert_eq!((other.status.as_u16(), other.error()), (409, AppError::MessageIdUsed));
        assert_eq!(ada.try_send_message(Some(elsewhere.chat), "once", ClientId::random()).await.status, 200);
    }
}

each_db! {
    async fn c02_a_resubmitted_plain_form_sends_once_and_accepts_another_text(app: TestApp) {
        let mut ada = app.administrator().await;
        let form = ada.get("/").await.text();
        let id = form.split("name=\"client_id\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("an id");
        let mut send = async |chat: Option<ChatId>, text: &str| {
            let chat = chat.map(|chat| chat.to_string());
            let mut fields = vec![("client_id", id), ("text", text)];
            fields.extend(chat.as_deref().map(|chat| ("chat", chat)));
            let sent = ada.submit("/api/send_message", &fields).await;
            assert_eq!(sent.status, 302, "{}", sent.text());
            let chat = sent.header("location").trim_start_matches("/chats/").parse::<ChatId>().expect("the way to a chat");
            ada.wait_for_answer(chat).await;
            (chat, ada.chat(chat).await.window.messages.len())
        };
        let first = send(None, "one").await;
        assert_eq!(first.1, 2);
        // The response was lost, and the browser submits the form again.
        assert_eq!(send(None, "one").await, first);
        // The user went back to the form and entered another text.
        let second = send(None, "two").await;
        assert_ne!(second.0, first.0);
        assert_eq!(send(None, "two").await, second);
        assert_eq!(send(None, "one").await, first);
        let form = ada.get(&format!("/chats/{}", first.0)).await.text();
        let id_there = form.split("name=\"client_id\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        assert!(id_there.is_some_and(|there| there != id), "each page has an id of its own");
    }
}

each_db! {
    async fn timestamps_use_the_offset_of_their_own_date(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "Summer").await;
        ada.wait_for_answer(sent.chat).await;
        // 2026-07-01T22:30Z, and 2019-01-01T22:30Z.
        for (moment, berlin, santiago) in [
            (1_782_945_000_000_000_i64, "2 July 2026, 00:30", "1 July 2026, 18:30"),
            (1_546_381_800_000_000, "1 January 2019, 23:30", "1 January 2019, 19:30"),
        ] {
            app.execute(&format!("update chats set active_at = {moment}")).await;
            for (tz, expected) in [("Europe%2FBerlin", berlin), ("America%2FSantiago", santiago)] {
                ada.cookies.insert("tz".to_owned(), tz.to_owned());
                let page = ada.get("/sessions").await.text();
                assert!(page.contains(&format!("title=\"{expected}\"")), "{tz}: {page}");
            }
        }
        // A chosen time zone takes precedence over the browser's.
        let chosen = ada.post_form("/api/change_locale", &[("language", "en-GB"), ("time_zone", "Australia/Lord_Howe")]).await;
        assert_eq!(chosen.status, 200, "{}", chosen.text());
        let page = ada.get("/sessions").await.text();
        assert!(page.contains("title=\"2 January 2019, 09:30\""), "{page}");
    }
}

each_db! {
    async fn names_and_titles_keep_zero_width_joiners_of_their_script(app: TestApp) {
        let mut ada = app.administrator().await;
        let name = "علی\u{200C}رضا";
        assert_eq!(ada.post_form("/api/change_name", &[("name", name)]).await.status, 200);
        assert!(ada.get("/").await.text().contains(name));
        assert_eq!(ada.post_form("/api/change_name", &[("name", "Ad\u{200C}a")]).await.error().field(), Some("name"));
        let found = ada.post_json("/api/load_people", &json!({ "search": "علیرضا" })).await;
        assert!(found.text().contains(name), "{}", found.text());

        let sent = ada.send_message(None, "می\u{200C}خواهم بدانم").await;
        ada.wait_for_answer(sent.chat).await;
        assert_eq!(ada.chat(sent.chat).await.title, "می\u{200C}خواهم بدانم");
        let renamed = ada.post_form("/api/rename_chat", &[("chat", &sent.chat.to_string()), ("title", "کتاب\u{200C}ها Pay\u{200C}Pal")]).await;
        assert_eq!(renamed.status, 200, "{}", renamed.text());
        for search in ["کتاب\u{200C}ها", "کتابها", "paypal"] {
            let page = list(&mut ada, "all", search, None).await;
            assert_eq!(page.chats.len(), 1, "{search}");
            assert_eq!(page.chats[0].title, "کتاب\u{200C}ها PayPal");
        }
        // A row of an earlier version, whose search key still contains joiners.
        app.execute("update chats set title_key = 'x\u{200D}y'").await;
        for search in ["x\u{200D}y", "xy"] {
            assert_eq!(list(&mut ada, "all", search, None).await.chats.len(), 1, "{search:?}");
        }
    }
}

each_db! {
    async fn chats_can_be_pinned_archived_renamed_deleted_and_restored(app: TestApp) {
        let mut ada = app.administrator().await;
        let mut chats = Vec::new();
        for text in ["one", "two", "three"] {
            let sent = ada.send_message(None, text).await;
            ada.wait_for_answer(sent.chat).await;
            chats.push(sent.chat);
        }
        assert_eq!(change(&mut ada, chats[0], "pin").await, 200);
        let titles = |page: ChatPage| page.chats.into_iter().map(|chat| chat.title).collect::<Vec<_>>();
        assert_eq!(titles(list(&mut ada, "all", "", None).await), ["one", "three", "two"]);
        assert_eq!(titles(list(&mut ada, "pinned", "", None).await), ["one"]);
        assert_eq!(change(&mut ada, chats[1], "archive").await, 200);
        assert_eq!(titles(list(&mut ada, "archived", "", None).await), ["two"]);
        assert_eq!(titles(list(&mut ada, "all", "", None).await), ["one", "three"]);
        let id = chats[2].to_string();
        let renamed = ada.post_form("/api/rename_chat", &[("chat", &id), ("title", " Drei  und\nmehr ")]).await;
        assert_eq!(renamed.status, 200, "{}", renamed.text());
        assert_eq!(titles(list(&mut ada, "all", "DREI", None).await), ["Drei und mehr"]);
        assert_eq!(change(&mut ada, chats[2], "delete").await, 200);
        assert_eq!(titles(list(&mut ada, "all", "", None).await), ["one"]);
        let gone = ada.post_json("/api/find_chat", &json!({ "chat": chats[2] })).await;
        assert_eq!((gone.status.as_u16(), gone.error()), (410, AppError::ChatDeleted));
        let page = ada.get(&format!("/chats/{}", chats[2])).await;
        assert_eq!(page.status, 410);
        assert!(page.text().contains("This chat was deleted"), "{}", page.text());
        assert_eq!(ada.try_send_message(Some(chats[2]), "anybody there?", ClientId::random()).await.status, 404, "row 23");
        assert_eq!(change(&mut ada, chats[2], "restore").await, 200);
        assert_eq!(ada.chat(chats[2]).await.title, "Drei und mehr");
    }
}

each_db! {
    async fn a_deleted_chat_is_removed_after_an_hour(app: TestApp) {
        let app = app.with_open_sign_up().await;
        app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        let sent = bob.send_message(None, "forget me").await;
        bob.wait_for_answer(sent.chat).await;
        assert_eq!(change(&mut bob, sent.chat, "delete").await, 200);
        app.state.clock.advance(3_601);
        app.state.chats.remove_deleted().await.expect("a removal");
        assert_eq!(change(&mut bob, sent.chat, "restore").await, 404);
        assert_eq!(bob.get(&format!("/chats/{}", sent.chat)).await.status, 404, "it cannot be restored");
    }
}

each_db! {
    async fn row_24_deleting_a_streaming_chat_stops_it_first(app: TestApp) {
        let mut ada = app.administrator().await;
        // It would not end by itself.
        let sent = ada.send_message(None, "[[stall 5]]").await;
        wait_until("the run is live", async || app.state.chats.open_runs() > 0).await;
        assert_eq!(change(&mut ada, sent.chat, "delete").await, 200);
        wait_until("the run has ended", async || app.state.chats.open_runs() == 0).await;
        assert_eq!(change(&mut ada, sent.chat, "restore").await, 200);
        assert_eq!(ada.wait_for_answer(sent.chat).await.state, MessageState::Stopped);
    }
}

each_db! {
    async fn pages_contain_each_chat_once_and_cursors_are_checked(app: TestApp) {
        let mut ada = app.administrator().await;
        for i in 0..7 {
            let sent = ada.send_message(None, &format!("chat {i} 50%_done")).await;
            ada.wait_for_answer(sent.chat).await;
        }
        // A page has fifty chats: insert more through the store.
        let user = app.state.store.read().await.expect("a unit").find_user_by_email("ada@example.org").await.expect("a row").expect("Ada");
        let mut tx = app.state.store.write().await.expect("a unit");
        for i in 0..120 {
            let id = ChatId::from_uuid(app.state.clock.new_id());
            let title = format!("seeded {i}");
            let chat = colloquy::server::store::NewChat { id, title: &title, model: "scripted/echo", preview: "", head: None, now: app.state.clock.now() };
            tx.owned_by(user.id).insert_chat(&chat).await.expect("a chat");
        }
        tx.commit().await.expect("a commit");
        let (mut seen, mut cursor, mut pages) = (HashSet::new(), None::<String>, 0);
        loop {
            let page = list(&mut ada, "all", "", cursor.as_deref()).await;
            pages += 1;
            assert!(page.chats.iter().all(|chat| seen.insert(chat.id)), "twice");
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!((seen.len(), pages), (127, 3));
        for search in ["50%_", "chat", "CHAT 3"] {
            assert!(!list(&mut ada, "all", search, None).await.chats.is_empty(), "row 19: {search}");
        }
        for search in ["50%done", "c_at", "NEAR(", "\"", "'", "*", "\\"] {
            assert!(list(&mut ada, "all", search, None).await.chats.is_empty(), "row 19: {search}");
        }
        for bad in ["x", "1.2", "0.9999999999999999999999.0190e2a4-7b1c-7def-8123-456789abcdef", "' or 1=1"] {
            let refused = ada.post_json("/api/list_chats", &json!({ "filter": "all", "search": "", "cursor": bad })).await;
            assert_eq!(refused.error().field(), Some("cursor"), "row 17: {bad}");
        }
        let refused = ada.post_json("/api/list_chats", &json!({ "filter": "password_hash", "search": "", "cursor": null })).await;
        assert_eq!(refused.status, 422, "row 18");
    }
}

each_db! {
    async fn older_messages_are_paginated(app: TestApp) {
        let mut ada = app.administrator().await;
        let first = ada.send_message(None, "message 0").await;
        ada.wait_for_answer(first.chat).await;
        for i in 1..25 {
            ada.send_message(Some(first.chat), &format!("message {i}")).await;
            ada.wait_for_answer(first.chat).await;
        }
        let newest = ada.chat(first.chat).await.window;
        assert_eq!((newest.messages.len(), newest.has_older), (40, true));
        let before = newest.messages[0].id;
        let older: colloquy::domain::MessageWindow = ada.post_json("/api/older_messages", &json!({ "chat": first.chat, "before": before })).await.json();
        assert_eq!((older.messages.len(), older.has_older), (10, false));
        assert_eq!(older.messages[0].text, "message 0");
    }
}

each_db! {
    async fn invalid_messages_are_refused_and_not_stored(app: TestApp) {
        let mut ada = app.administrator().await;
        let too_long = "x".repeat(200_001);
        for (row, bad) in [("10", too_long.as_str()), ("12", " \n\t "), ("12", ""), ("6", "a\0b")] {
            let refused = ada.try_send_message(None, bad, ClientId::random()).await;
            assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("text")), "row {row}");
        }
        assert!(list(&mut ada, "all", "", None).await.chats.is_empty());
        let sent = ada.send_message(None, &"x".repeat(200_000)).await;
        ada.wait_for_answer(sent.chat).await;
    }
}

each_db! {
    async fn c10_texts_are_stored_byte_for_byte(app: TestApp) {
        let mut ada = app.administrator().await;
        let texts = [
            "line\r\nbreak\rand\nmore",
            "\u{0001}7 \u{2028} \u{2029} \u{FEFF} \u{FFFE}",
            "👩‍👩‍👧‍👦 e\u{0301}\u{0302}\u{0303} שלום 漢字",
            "</script><script>alert(1)</script><!--<script> ]]> {{7*7}} ${x}",
            "\u{202E}override\u{E0041}tag",
        ];
        for text in texts {
            let sent = ada.send_message(None, text).await;
            ada.wait_for_answer(sent.chat).await;
            assert_eq!(ada.chat(sent.chat).await.window.messages[0].text, text);
            let kept: String = ada.post_json("/api/message_text", &json!({ "chat": sent.chat, "message": sent.message })).await.json();
            assert_eq!(kept, text);
            let answer: String = ada.post_json("/api/message_text", &json!({ "chat": sent.chat, "message": sent.answer })).await.json();
            assert!(answer.ends_with(text), "{answer:?}");
        }
    }
}

each_db! {
    async fn plain_forms_redirect(app: TestApp) {
        let mut ada = app.administrator().await;
        let id = ClientId::random().to_string();
        let sent = ada.submit("/api/send_message", &[("client_id", &id), ("text", "by form")]).await;
        assert_eq!(sent.status, 302, "{}", sent.text());
        let chat: ChatId = sent.header("location").trim_start_matches("/chats/").parse().expect("the way to the chat");
        ada.wait_for_answer(chat).await;
        let chat = chat.to_string();
        let deleted = ada.submit("/api/change_chats", &[("chats[]", &chat), ("action", "delete")]).await;
        assert_eq!((deleted.status.as_u16(), deleted.header("location")), (302, format!("/sessions?deleted={chat}").as_str()));
    }
}

each_db! {
    async fn row_77_an_invalid_time_zone_or_language_falls_back_to_the_default(app: TestApp) {
        let mut ada = app.administrator().await;
        for tz in ["garbage", "../", "841", "-99999999999999999999", "NaN", "%00", ""] {
            ada.cookies.insert("tz".to_owned(), tz.to_owned());
            let frame = ada.post_json("/api/load_frame", &json!({})).await;
            assert_eq!(frame.json::<serde_json::Value>()["utc_offset_minutes"], 0, "{tz}");
            let page = ada.request(Method::GET, "/sessions").header("accept-language", "../../etc, xx;q=9;q, *");
            let page = ada.send(page.body(Body::empty()).expect("a request")).await;
            assert_eq!(page.status, 200, "{tz}");
        }
    }
}

each_db! {
    async fn a_message_resent_after_its_chat_was_deleted_is_not_acknowledged(app: TestApp) {
        let mut ada = app.administrator().await;
        let id = ClientId::random();
        let sent: StartedRun = ada.try_send_message(None, "once", id).await.json();
        ada.wait_for_answer(sent.chat).await;
        assert_eq!(change(&mut ada, sent.chat, "delete").await, 200);
        let again = ada.try_send_message(None, "once", id).await;
        assert_eq!(again.error(), AppError::MessageIdUsed, "the browser sends it under another id");
        assert_eq!(ada.try_send_message(None, "once", ClientId::random()).await.status, 200);
    }
}
