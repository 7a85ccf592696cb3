//! Runs: streams, stops, retries, crashed workers, model failures.

use std::time::Duration;

use colloquy::{
    domain::{AnswerStats, ClientId, Failure, MessageState, Phase, RunSnapshot, limits},
    server::clock::Clock,
};
use futures::StreamExt;
use serde_json::json;

use crate::support::{
    app::{TestApp, each_db},
    client::{Client, View},
    upstream::script,
    wait::wait_until,
};

async fn text(client: &mut Client, sent: &colloquy::domain::StartedRun) -> String {
    client.post_json("/api/message_text", &json!({ "chat": sent.chat, "message": sent.answer })).await.json()
}

async fn post_for_answer(
    client: &mut Client,
    path: &str,
    sent: &colloquy::domain::StartedRun,
) -> crate::support::client::Answer {
    let (chat, message) = (sent.chat.to_string(), sent.answer.to_string());
    client.post_form(path, &[("chat", &chat), ("message", &message)]).await
}

each_db! {
    async fn c04_a_reader_can_reconnect_after_every_event(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "[[paced 40 15]]").await;
        let mut view = View::default();
        let mut connections = 0;
        let end = loop {
            connections += 1;
            assert!(connections < 400, "the answer never ends");
            let last = view.last.clone();
            let (status, mut events) = ada.events(&sent, last.as_deref()).await;
            assert_eq!(status, 200);
            // Read one event per connection, then drop it.
            if let Some(event) = events.next().await
                && let Some(message) = view.apply(&event)
            {
                break message;
            }
        };
        assert!(connections > 5);
        assert_eq!(end.html, ada.chat(sent.chat).await.window.messages[1].html);
        assert_eq!(end.state, MessageState::Complete);
    }
}

each_db! {
    async fn c04_another_instance_streams_the_same(app: TestApp) {
        let other = app.second_instance().await;
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "[[paced 60 20]]").await;
        let mut there = other.anonymous();
        there.cookies = ada.cookies.clone();
        let (here, there) = tokio::join!(ada.read_to_end(&sent), there.read_to_end(&sent));
        assert_eq!(here, there);
    }
}

each_db! {
    async fn two_tabs_show_the_same_stream(app: TestApp) {
        let ada = app.administrator().await;
        let (mut one, mut two) = (ada.clone(), ada);
        let sent = one.send_message(None, "[[paced 30 15]]").await;
        let (first, second) = tokio::join!(one.read_to_end(&sent), two.read_to_end(&sent));
        assert_eq!(first, second);
    }
}

each_db! {
    async fn row_74_invalid_last_event_ids_get_a_full_replay(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "[[stall 5]]").await;
        wait_until("the run is live", async || app.state.chats.open_runs() > 0).await;
        for last in ["-1", "99999999999999999999", "1.99999", "text", "0190e2a4-7b1c-7def-8123-456789abcdef"] {
            let (status, mut events) = ada.events(&sent, Some(last)).await;
            assert_eq!(status, 200);
            assert_eq!(events.next().await.expect("an event").name, "snapshot", "{last}");
        }
        post_for_answer(&mut ada, "/api/stop_answer", &sent).await;
    }
}

each_db! {
    async fn c07_stop_works_from_any_instance_at_any_time_and_keeps_the_text(app: TestApp) {
        let other = app.second_instance().await;
        let mut ada = app.administrator().await;
        let mut there = other.anonymous();
        there.cookies = ada.cookies.clone();

        // It would not end by itself.
        let sent = ada.send_message(None, "[[stall 5]]").await;
        wait_until("some text is stored", async || !app.answer_text(&sent).await.is_empty()).await;
        assert_eq!(post_for_answer(&mut there, "/api/stop_answer", &sent).await.status, 200);
        assert_eq!(ada.wait_for_answer(sent.chat).await.state, MessageState::Stopped);
        assert!(!text(&mut ada, &sent).await.is_empty());
        assert_eq!(post_for_answer(&mut ada, "/api/stop_answer", &sent).await.status, 200, "twice is harmless");

        let sent = ada.send_message(None, "[[slow 5000]]").await;
        assert_eq!(post_for_answer(&mut ada, "/api/stop_answer", &sent).await.status, 200);
        assert_eq!(ada.wait_for_answer(sent.chat).await.state, MessageState::Stopped, "before the first token");

        let sent = ada.send_message(None, "done").await;
        ada.wait_for_answer(sent.chat).await;
        assert_eq!(post_for_answer(&mut ada, "/api/stop_answer", &sent).await.status, 200);
        assert_eq!(ada.wait_for_answer(sent.chat).await.state, MessageState::Complete, "after the end");
    }
}

each_db! {
    async fn c03_a_disconnect_does_not_stop_the_answer(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "[[paced 40 10]]").await;
        let (_, events) = ada.events(&sent, None).await;
        drop(events);
        assert_eq!(ada.wait_for_answer(sent.chat).await.state, MessageState::Complete);
    }
}

each_db! {
    async fn c03_requests_cancelled_at_any_point_leave_a_consistent_state(app: TestApp) {
        let mut ada = app.administrator().await;
        for round in 0..400 {
            let mut sender = ada.clone();
            let mut request = Box::pin(async move { sender.try_send_message(None, "[[fast 5]]", ClientId::random()).await });
            for _ in 0..round % 16 {
                if futures::poll!(&mut request).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        // While too many runs are open, new ones are refused.
        let sent: colloquy::domain::StartedRun = loop {
            let answer = ada.try_send_message(None, "[[fast 5]]", ClientId::random()).await;
            if answer.status == 200 {
                break answer.json();
            }
            assert_eq!(answer.status, 409, "{}", answer.text());
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        ada.wait_for_answer(sent.chat).await;
        let asked = json!({ "filter": "all", "search": "", "cursor": null });
        let page: colloquy::domain::ChatPage = ada.post_json("/api/list_chats", &asked).await.json();
        assert!(page.next.is_some(), "started requests continue");
        for chat in page.chats {
            assert_eq!(ada.wait_for_answer(chat.id).await.state, MessageState::Complete);
            assert_eq!(ada.chat(chat.id).await.window.messages.len(), 2);
        }
        assert_eq!(app.open_transactions().await, 0);
    }
}

each_db! {
    async fn c08_model_failures_are_classified_and_keep_the_partial_text(app: TestApp) {
        let mut ada = app.administrator().await;
        let cases = [
            ("[[status 429]]", Failure::Busy, false),
            ("[[status 500]]", Failure::Upstream, false),
            ("[[status 401]]", Failure::Refused, false),
            ("[[html]]", Failure::WebPage, false),
            ("[[busy]]", Failure::Busy, false),
            ("[[key]]", Failure::Refused, false),
            ("[[long]]", Failure::OverContext, false),
            ("[[thoughts]]", Failure::OnlyThoughts, false),
            ("[[empty]]", Failure::Empty, false),
            ("[[cut 5]]", Failure::Cut, true),
            ("[[garbled 5]]", Failure::Garbled, true),
            ("[[line 10000000]]", Failure::Garbled, true),
        ];
        for (script, failure, partial) in cases {
            let sent = ada.send_message(None, script).await;
            let last = ada.wait_for_answer(sent.chat).await;
            assert_eq!(last.state, MessageState::Failed { failure }, "{script}");
            assert_eq!(!text(&mut ada, &sent).await.is_empty(), partial, "{script}");
            let retried = post_for_answer(&mut ada, "/api/retry_answer", &sent).await;
            assert_eq!(retried.status, 200, "{script}: {}", retried.text());
            ada.wait_for_answer(sent.chat).await;
            let shown = ada.chat(sent.chat).await.window.messages;
            assert_eq!(shown.iter().map(|one| (one.parent, one.depth)).collect::<Vec<_>>(), [(None, 0), (Some(sent.message), 1)]);
            assert_ne!(shown[1].id, sent.answer, "the old answer is superseded");
        }
        let versions = app.column("select cast(count(*) as text) from messages where depth = 1 group by parent_id").await;
        assert!(!versions.is_empty() && versions.iter().all(|count| count == "2"), "{versions:?}");
    }
}

each_db! {
    async fn an_interrupted_answer_can_be_continued(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "[[cut 5]]").await;
        ada.wait_for_answer(sent.chat).await;
        let before = text(&mut ada, &sent).await;
        let on = post_for_answer(&mut ada, "/api/continue_answer", &sent).await;
        assert_eq!(on.status, 200, "{}", on.text());
        ada.wait_for_answer(sent.chat).await;
        let after = text(&mut ada, &sent).await;
        assert!(after.starts_with(&before) && after.len() > before.len(), "{before:?} then {after:?}");
        assert_eq!(app.upstream.received().last().expect("a request").messages.iter().filter(|(role, _)| role == "assistant").count(), 1);
        let whole = ada.send_message(Some(sent.chat), "thanks").await;
        ada.wait_for_answer(sent.chat).await;
        assert_eq!(post_for_answer(&mut ada, "/api/continue_answer", &whole).await.status, 409);
        let cut = ada.send_message(Some(sent.chat), "[[cut 5]]").await;
        ada.wait_for_answer(sent.chat).await;
        ada.send_message(Some(sent.chat), "never mind").await;
        ada.wait_for_answer(sent.chat).await;
        assert_eq!(post_for_answer(&mut ada, "/api/continue_answer", &cut).await.status, 409, "not the last any more");
    }
}

each_db! {
    async fn an_early_ended_answer_shows_why_and_can_be_continued_if_useful(app: TestApp) {
        let mut ada = app.administrator().await;
        for (script, failure, words, goes_on) in [
            ("[[length 5]]", Failure::LengthLimit, "The answer reached the length limit.", true),
            ("[[withheld 5]]", Failure::Withheld, "The provider withheld the rest of this answer.", false),
            ("[[thoughts]]", Failure::OnlyThoughts, "The model used up its limit while thinking", false),
        ] {
            let sent = ada.send_message(None, script).await;
            let streamed = ada.read_to_end(&sent).await;
            assert_eq!(streamed.state, MessageState::Failed { failure }, "{script}, on the stream");
            // After a reload, and from another instance.
            for mut reader in [ada.clone(), { let mut there = app.second_instance().await.anonymous(); there.cookies = ada.cookies.clone(); there }] {
                assert_eq!(reader.chat(sent.chat).await.window.messages[1].state, streamed.state, "{script}");
                let page = reader.get(&format!("/chats/{}", sent.chat)).await;
                assert!(page.text().contains(words), "{script}");
                assert_eq!(page.text().contains("/api/continue_answer"), goes_on, "{script}");
            }
        }
        let sent = ada.send_message(None, "[[length 5]]").await;
        ada.wait_for_answer(sent.chat).await;
        let before = text(&mut ada, &sent).await;
        assert_eq!(post_for_answer(&mut ada, "/api/continue_answer", &sent).await.status, 200);
        assert_eq!(ada.wait_for_answer(sent.chat).await.state, MessageState::Complete);
        let after = text(&mut ada, &sent).await;
        assert!(after.starts_with(&before) && after.len() > before.len(), "{before:?} then {after:?}");
    }
}

each_db! {
    async fn text_that_turns_out_to_be_reasoning_is_moved_everywhere(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "[[lone]]").await;
        let streamed = ada.read_to_end(&sent).await;
        let answer = script::text(5);
        assert_eq!(text(&mut ada, &sent).await, answer);
        let stored = ada.chat(sent.chat).await.window.messages.remove(1);
        assert_eq!(stored, streamed);
        assert!(stored.reasoning_html.contains("First I think about") && !stored.html.contains("think"), "{stored:?}");
        ada.send_message(Some(sent.chat), "and then?").await;
        ada.wait_for_answer(sent.chat).await;
        let asked = app.upstream.received().pop().expect("a request");
        let answers: Vec<_> = asked.messages.iter().filter(|(role, _)| role == "assistant").collect();
        assert_eq!(answers, [&("assistant".to_owned(), answer)], "the next prompt has only the answer");
    }
}

each_db! {
    async fn stopped_and_broken_answers_count_tokens_too(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "[[paced 2000 10]]").await;
        while text(&mut ada, &sent).await.is_empty() {
            tokio::task::yield_now().await;
        }
        post_for_answer(&mut ada, "/api/stop_answer", &sent).await;
        assert_eq!(ada.wait_for_answer(sent.chat).await.state, MessageState::Stopped);
        let sent = ada.send_message(None, "[[cut 5]]").await;
        ada.wait_for_answer(sent.chat).await;
        let sent = ada.send_message(None, "[[counts]]").await;
        assert_eq!(ada.wait_for_answer(sent.chat).await.state, MessageState::Complete);
        let refused = ada.send_message(None, "[[status 401]]").await;
        ada.wait_for_answer(refused.chat).await;
        let counts = |column| format!("select cast({column} as text) from messages where author = 'assistant' order by created_at, id");
        let (prompt, answer) = (app.column(&counts("prompt_tokens")).await, app.column(&counts("answer_tokens")).await);
        assert!(prompt[..3].iter().chain(&answer[..3]).all(|count| count != "0"), "{prompt:?} {answer:?}");
        assert_eq!((prompt[3].as_str(), answer[3].as_str()), ("0", "0"), "a refused request costs nothing");
    }
}

each_db! {
    async fn an_answer_says_what_it_took(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "[[paced 30 20]]").await;
        let streamed = ada.read_to_end(&sent).await.stats;
        assert_eq!(streamed.thinking_ms, 0);
        assert!(streamed.writing_ms >= 100 && streamed.tokens_per_second().is_some(), "{streamed:?}");
        assert!(streamed.prompt_tokens > 0 && streamed.answer_tokens > 0, "{streamed:?}");
        assert_eq!(ada.chat(sent.chat).await.window.messages[1].stats, streamed, "after a reload");
        assert_eq!(ada.chat(sent.chat).await.window.messages[0].stats, AnswerStats::default(), "a question");

        let sent = ada.send_message(None, "[[ponder 400]]").await;
        let stats = ada.wait_for_answer(sent.chat).await.stats;
        assert!(stats.thinking_ms >= 1_000 && stats.writing_ms >= stats.thinking_ms, "{stats:?}");
        let page = ada.get(&format!("/chats/{}", sent.chat)).await;
        let words = format!("Thought for {} second", stats.thinking_ms / 1_000);
        assert!(page.text().contains(&words), "{words}: {}", page.text());
    }
}

each_db! {
    async fn a_chat_has_one_running_answer_at_a_time(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "[[paced 300 20]]").await;
        let refused = ada.try_send_message(Some(sent.chat), "me too", ClientId::random()).await;
        assert_eq!(refused.status, 409, "{}", refused.text());
        post_for_answer(&mut ada, "/api/stop_answer", &sent).await;
        ada.wait_for_answer(sent.chat).await;
        assert_eq!(ada.try_send_message(Some(sent.chat), "now", ClientId::random()).await.status, 200);
    }
}

each_db! {
    async fn c05_the_answer_of_a_dead_worker_is_interrupted_and_can_be_continued(app: TestApp) {
        let other = app.second_instance().await;
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "[[paced 3000 10]]").await;
        wait_until("some text is stored", async || !app.answer_text(&sent).await.is_empty()).await;
        // The lease expires: from now on the worker's writes are too late (C06).
        app.state.clock.advance(21);
        other.state.chats.sweep().await.expect("a sweep");
        let last = ada.wait_for_answer(sent.chat).await;
        assert_eq!(last.state, MessageState::Interrupted);
        let kept = app.answer_text(&sent).await;
        wait_until("the late worker has given up", async || app.state.chats.open_runs() == 0).await;
        assert_eq!(app.answer_text(&sent).await, kept, "c06: a late writer changes nothing");
        assert_eq!(ada.wait_for_answer(sent.chat).await.state, MessageState::Interrupted);
        assert_eq!(post_for_answer(&mut ada, "/api/continue_answer", &sent).await.status, 200);
        post_for_answer(&mut ada, "/api/stop_answer", &sent).await;
    }
}

each_db! {
    async fn a_process_whose_clock_is_ten_seconds_off_does_not_interrupt_answers(app: TestApp) {
        let mut ada = app.administrator().await;
        for seconds in [10, -10] {
            let clock = Clock::default();
            clock.advance(seconds);
            let other = app.second_instance_with(clock).await;
            let sent = ada.send_message(None, "[[stall 5]]").await;
            wait_until("some text is stored", async || !app.answer_text(&sent).await.is_empty()).await;
            other.state.chats.sweep().await.expect("a sweep");
            assert!(ada.chat(sent.chat).await.window.messages[1].state.is_open(), "{seconds}");
            assert_eq!(post_for_answer(&mut ada, "/api/stop_answer", &sent).await.status, 200);
            assert_eq!(ada.wait_for_answer(sent.chat).await.state, MessageState::Stopped, "{seconds}");
            other.stop().await;
        }
    }
}

each_db! {
    async fn m03_shutdown_disconnects_readers_and_keeps_the_text(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "[[paced 3000 10]]").await;
        let (_, mut events) = ada.events(&sent, None).await;
        let mut view = View::default();
        for _ in 0..5 {
            view.apply(&events.next().await.expect("an event"));
        }
        app.stop().await;
        let mut last = String::new();
        while let Some(event) = events.next().await {
            last = event.name;
        }
        assert!(last == "reconnect" || last == "end", "{last}");
        let again = app.second_instance().await;
        let mut there = again.anonymous();
        there.cookies = ada.cookies.clone();
        let message = there.wait_for_answer(sent.chat).await;
        assert_eq!(message.state, MessageState::Interrupted);
        assert!(!message.html.is_empty());
    }
}

each_db! {
    async fn an_unclaimed_run_is_picked_up(app: TestApp) {
        let mut ada = app.administrator().await;
        // A server that stops between the acknowledgement and the claim leaves a queued run behind.
        app.state.stopping.cancel();
        let sent = ada.send_message(None, "are you there").await;
        let again = app.second_instance().await;
        again.state.clock.advance(5);
        again.state.chats.sweep().await.expect("a sweep");
        let mut there = again.anonymous();
        there.cookies = ada.cookies.clone();
        assert_eq!(there.wait_for_answer(sent.chat).await.state, MessageState::Complete);
    }
}

each_db! {
    async fn c09_a_slow_reader_is_disconnected_and_the_answer_continues(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "[[paced 6000 10]]").await;
        // Before the run is live, readers poll the database and have no buffer.
        wait_until("the run is live", async || app.state.chats.open_runs() > 0).await;
        let (_, mut events) = ada.events(&sent, None).await;
        while events.next().await.expect("an event").name != "snapshot" {}
        // It reads nothing while another reader reads more events than its buffer holds.
        let (_, mut quick) = ada.events(&sent, None).await;
        for _ in 0..40 {
            quick.next().await.expect("an event");
        }
        post_for_answer(&mut ada, "/api/stop_answer", &sent).await;
        let end = ada.wait_for_answer(sent.chat).await;
        assert_eq!(end.state, MessageState::Stopped);
        let mut names = Vec::new();
        while let Some(event) = events.next().await {
            names.push(event.name);
        }
        assert!(names.len() <= 70, "{}", names.len());
        assert_eq!(names.last().map(String::as_str), Some("reconnect"));
        assert_eq!(ada.read_to_end(&sent).await, end);
    }
}

each_db! {
    async fn reasoning_is_stored_and_shown_separately(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "[[reasoning]]").await;
        let message = ada.read_to_end(&sent).await;
        assert!(!message.reasoning_html.is_empty() && !message.html.is_empty());
    }
}

each_db! {
    async fn long_conversations_omit_the_oldest_messages_and_report_it(app: TestApp) {
        let mut ada = app.administrator().await;
        let first = ada.send_message(None, &format!("begin {}", "word ".repeat(3_000))).await;
        ada.wait_for_answer(first.chat).await;
        for _ in 0..3 {
            ada.send_message(Some(first.chat), &"more words ".repeat(900)).await;
            ada.wait_for_answer(first.chat).await;
        }
        let last = ada.wait_for_answer(first.chat).await;
        assert!(last.truncated_messages > 0, "{last:?}");
        let asked = app.upstream.received();
        let asked = asked.last().expect("a request");
        assert_eq!(asked.messages[0].0, "system");
        assert!(!asked.messages.iter().any(|(_, text)| text.starts_with("begin")));
    }
}

each_db! {
    async fn a_message_too_long_for_the_model_fails_without_blocking_the_chat(app: TestApp) {
        let mut ada = app.administrator().await;
        let long = ada.send_message(None, &"word ".repeat(20_000)).await;
        let failed = MessageState::Failed { failure: Failure::TooLong };
        assert_eq!(ada.wait_for_answer(long.chat).await.state, failed);
        ada.send_message(Some(long.chat), "in short, then").await;
        let last = ada.wait_for_answer(long.chat).await;
        assert_eq!((last.state, last.truncated_messages), (MessageState::Complete, 1));
        assert_eq!(app.upstream.received().last().expect("a request").last(), "in short, then");
    }
}

/// Waits until no run is open.
async fn all_ended(app: &TestApp) {
    let open = "select state from runs where state <> 'ended'";
    wait_until("no run is open", async || app.column(open).await.is_empty()).await;
}

each_db! {
    async fn c01_a_run_that_never_became_live_changes_no_text(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "[[cut 20]]").await;
        ada.wait_for_answer(sent.chat).await;
        let before = app.answer_text(&sent).await;
        assert!(!before.is_empty());
        // The server stops after acknowledging the request to continue, and the chat is deleted before the next one
        // starts.
        app.state.stopping.cancel();
        assert_eq!(post_for_answer(&mut ada, "/api/continue_answer", &sent).await.status, 200);
        // Directly in the database, because the server would end the waiting run.
        app.execute(&format!("update chats set deleted_at = {}", app.state.clock.now().micros())).await;
        let again = app.second_instance().await;
        all_ended(&app).await;
        assert_eq!(app.answer_text(&sent).await, before);
        let mut there = again.anonymous();
        there.cookies = ada.cookies.clone();
        app.execute("update chats set deleted_at = null").await;
        let last = there.wait_for_answer(sent.chat).await;
        assert_eq!(last.state, MessageState::Interrupted);
        assert_eq!(text(&mut there, &sent).await, before);
        assert_eq!(post_for_answer(&mut there, "/api/continue_answer", &sent).await.status, 200, "it can still go on");
        there.wait_for_answer(sent.chat).await;
        assert!(text(&mut there, &sent).await.starts_with(&before));
    }
}

each_db! {
    async fn c06_a_late_worker_changes_no_row(app: TestApp) {
        let other = app.second_instance().await;
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "[[paced 2000 10]]").await;
        wait_until("some text is stored", async || !app.answer_text(&sent).await.is_empty()).await;
        // Its lease expires, as for a suspended process, and another worker ends its run.
        app.execute("update runs set lease_until = 1 where state = 'running'").await;
        other.state.chats.sweep().await.expect("a sweep");
        let ended = app.answer_text(&sent).await;
        assert_eq!(ada.wait_for_answer(sent.chat).await.state, MessageState::Interrupted);
        // It continues until it notices, and then ends without writing.
        wait_until("it has noticed", async || app.state.chats.open_runs() == 0).await;
        assert_eq!(app.answer_text(&sent).await, ended);
        assert_eq!(ada.wait_for_answer(sent.chat).await.state, MessageState::Interrupted);
    }
}

each_db! {
    async fn concurrent_answers_of_one_user_are_queued(app: TestApp) {
        let app = TestApp::start_with(app.backend(), |config| {
            config.answers_per_person = 3;
            config.sign_up_open = true;
        })
        .await;
        let mut ada = app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        let mut all = Vec::new();
        for _ in 0..12 {
            all.push(ada.send_message(None, "[[hang]]").await);
        }
        wait_until("three are answered", async || app.upstream.answering() >= 3).await;
        app.state.chats.sweep().await.expect("a sweep");
        // The queue of another user is separate.
        let theirs = bob.send_message(None, "hello").await;
        assert_eq!(bob.wait_for_answer(theirs.chat).await.state, MessageState::Complete);
        assert_eq!(app.upstream.answering(), 3, "bounded");
        for (n, place) in [(3, 1), (11, 9)] {
            let (_, mut events) = ada.events(&all[n], None).await;
            let first = events.next().await.expect("an event");
            let snapshot: RunSnapshot = serde_json::from_str(&first.data).expect("a snapshot");
            assert_eq!(snapshot.phase, Phase::Waiting { position: Some(place) }, "the position in the queue is sent");
            let page = ada.get(&format!("/chats/{}", all[n].chat)).await;
            assert!(page.text().contains("in the queue"), "without scripts too");
        }
        // Stopping one answer starts the next in the queue.
        post_for_answer(&mut ada, "/api/stop_answer", &all[0]).await;
        ada.wait_for_answer(all[0].chat).await;
        wait_until("the next is requested", async || app.upstream.received().len() >= 5).await;
        // A queued answer can be stopped too.
        post_for_answer(&mut ada, "/api/stop_answer", &all[11]).await;
        assert_eq!(ada.wait_for_answer(all[11].chat).await.state, MessageState::Stopped);
        // Queued answers first, so that none of them starts when another is stopped.
        for sent in all.iter().rev() {
            post_for_answer(&mut ada, "/api/stop_answer", sent).await;
        }
        for sent in &all {
            assert_eq!(ada.wait_for_answer(sent.chat).await.state, MessageState::Stopped);
        }
        assert_eq!(app.upstream.received().len(), 5, "answers stopped in the queue were never requested");
    }
}

each_db! {
    async fn open_answers_of_one_user_are_limited(app: TestApp) {
        let app = TestApp::start_with(app.backend(), |config| config.answers_per_person = 1).await;
        let mut ada = app.administrator().await;
        let limit = usize::try_from(limits::MAX_OPEN_RUNS_PER_USER).expect("a number");
        let mut last = None;
        for _ in 0..limit {
            last = Some(ada.send_message(None, "[[hang]]").await);
        }
        let refused = ada.try_send_message(None, "one more", ClientId::random()).await;
        assert_eq!(refused.status, 409, "{}", refused.text());
        assert!(refused.text().contains("answers_too_many"), "{}", refused.text());
        let last = last.expect("some");
        assert_eq!(post_for_answer(&mut ada, "/api/retry_answer", &last).await.status, 409, "it is open");
        post_for_answer(&mut ada, "/api/stop_answer", &last).await;
        ada.wait_for_answer(last.chat).await;
        assert_eq!(ada.try_send_message(None, "one more", ClientId::random()).await.status, 200);
        assert_eq!(post_for_answer(&mut ada, "/api/retry_answer", &last).await.status, 409, "the limit applies to every way to start a run");
    }
}
