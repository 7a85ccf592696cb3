//! Runs: streams, stops, retries, crashes of workers, faults of models.

use std::time::Duration;

use colloquy::domain::{ClientId, Failure, MessageState, Phase, RunSnapshot, limits};
use futures::StreamExt;
use serde_json::json;

use crate::support::{
    app::{TestApp, each_db},
    client::{Client, View},
    upstream::script,
};

async fn text(client: &mut Client, sent: &colloquy::domain::Sent) -> String {
    client.post_json("/api/message_text", &json!({ "chat": sent.chat, "message": sent.answer })).await.json()
}

async fn act(client: &mut Client, path: &str, sent: &colloquy::domain::Sent) -> crate::support::client::Answer {
    let (chat, message) = (sent.chat.to_string(), sent.answer.to_string());
    client.post_form(path, &[("chat", &chat), ("message", &message)]).await
}

each_db! {
    async fn c04_a_reader_can_be_cut_at_every_event_and_come_back(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.say(None, "[[paced 40 15]]").await;
        let mut view = View::default();
        let mut connections = 0;
        let end = loop {
            connections += 1;
            assert!(connections < 400, "the answer never ends");
            let last = view.last.clone();
            let (status, mut events) = ada.events(&sent, last.as_deref()).await;
            assert_eq!(status, 200);
            // One event per connection, then the cable is cut.
            if let Some(event) = events.next().await
                && let Some(message) = view.take(&event)
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
    async fn c04_another_instance_tells_the_same(app: TestApp) {
        let other = app.another().await;
        let mut ada = app.administrator().await;
        let sent = ada.say(None, "[[paced 60 20]]").await;
        let mut there = other.stranger();
        there.cookies = ada.cookies.clone();
        let (here, there) = tokio::join!(ada.read_to_end(&sent), there.read_to_end(&sent));
        assert_eq!(here, there);
    }
}

each_db! {
    async fn two_tabs_show_the_same_stream(app: TestApp) {
        let ada = app.administrator().await;
        let (mut one, mut two) = (ada.clone(), ada);
        let sent = one.say(None, "[[paced 30 15]]").await;
        let (first, second) = tokio::join!(one.read_to_end(&sent), two.read_to_end(&sent));
        assert_eq!(first, second);
    }
}

each_db! {
    async fn row_74_strange_last_event_ids_get_a_full_replay(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.say(None, "[[paced 100 20]]").await;
        tokio::time::sleep(Duration::from_millis(150)).await;
        for last in ["-1", "99999999999999999999", "1.99999", "text", "0190e2a4-7b1c-7def-8123-456789abcdef"] {
            let (status, mut events) = ada.events(&sent, Some(last)).await;
            assert_eq!(status, 200);
            assert_eq!(events.next().await.expect("an event").name, "snapshot", "{last}");
        }
        act(&mut ada, "/api/stop_answer", &sent).await;
    }
}

each_db! {
    async fn c07_stop_keeps_what_there_is_from_any_instance_and_at_any_time(app: TestApp) {
        let other = app.another().await;
        let mut ada = app.administrator().await;
        let mut there = other.stranger();
        there.cookies = ada.cookies.clone();

        let sent = ada.say(None, "[[paced 2000 10]]").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let begun = std::time::Instant::now();
        assert_eq!(act(&mut there, "/api/stop_answer", &sent).await.status, 200);
        assert_eq!(ada.settled(sent.chat).await.state, MessageState::Stopped);
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        assert!(!text(&mut ada, &sent).await.is_empty());
        assert_eq!(act(&mut ada, "/api/stop_answer", &sent).await.status, 200, "twice is harmless");

        let sent = ada.say(None, "[[slow 5000]]").await;
        assert_eq!(act(&mut ada, "/api/stop_answer", &sent).await.status, 200);
        assert_eq!(ada.settled(sent.chat).await.state, MessageState::Stopped, "before the first token");

        let sent = ada.say(None, "done").await;
        ada.settled(sent.chat).await;
        assert_eq!(act(&mut ada, "/api/stop_answer", &sent).await.status, 200);
        assert_eq!(ada.settled(sent.chat).await.state, MessageState::Complete, "after the end");
    }
}

each_db! {
    async fn c03_a_disconnect_stops_nothing(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.say(None, "[[paced 40 10]]").await;
        let (_, events) = ada.events(&sent, None).await;
        drop(events);
        assert_eq!(ada.settled(sent.chat).await.state, MessageState::Complete);
    }
}

each_db! {
    async fn c03_requests_cancelled_at_any_point_leave_nothing_half_done(app: TestApp) {
        let mut ada = app.administrator().await;
        for round in 0..400 {
            let mut sender = ada.clone();
            let mut request = Box::pin(async move { sender.try_say(None, "[[fast 5]]", ClientId::random()).await });
            for _ in 0..round % 16 {
                if futures::poll!(&mut request).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        // As long as too many are open, further ones are refused.
        let sent: colloquy::domain::Sent = loop {
            let answer = ada.try_say(None, "[[fast 5]]", ClientId::random()).await;
            if answer.status == 200 {
                break answer.json();
            }
            assert_eq!(answer.status, 409, "{}", answer.text());
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        ada.settled(sent.chat).await;
        let asked = json!({ "filter": "all", "search": "", "cursor": null });
        let page: colloquy::domain::ChatPage = ada.post_json("/api/list_chats", &asked).await.json();
        assert!(page.next.is_some(), "requests that were begun go on");
        for chat in page.chats {
            assert_eq!(ada.settled(chat.id).await.state, MessageState::Complete);
            assert_eq!(ada.chat(chat.id).await.window.messages.len(), 2);
        }
        assert_eq!(app.open_transactions().await, 0);
    }
}

each_db! {
    async fn c08_faults_of_the_model_are_typed_and_keep_the_partial_text(app: TestApp) {
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
            let sent = ada.say(None, script).await;
            let last = ada.settled(sent.chat).await;
            assert_eq!(last.state, MessageState::Failed { failure }, "{script}");
            assert_eq!(!text(&mut ada, &sent).await.is_empty(), partial, "{script}");
            let retried = act(&mut ada, "/api/retry_answer", &sent).await;
            assert_eq!(retried.status, 200, "{script}: {}", retried.text());
            ada.settled(sent.chat).await;
            let shown = ada.chat(sent.chat).await.window.messages;
            assert_eq!(shown.iter().map(|one| (one.parent, one.depth)).collect::<Vec<_>>(), [(None, 0), (Some(sent.message), 1)]);
            assert_ne!(shown[1].id, sent.answer, "the old answer is aside");
        }
        let versions = app.column("select cast(count(*) as text) from messages where depth = 1 group by parent_id").await;
        assert!(!versions.is_empty() && versions.iter().all(|count| count == "2"), "{versions:?}");
    }
}

each_db! {
    async fn an_answer_can_go_on_from_where_it_ended(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.say(None, "[[cut 5]]").await;
        ada.settled(sent.chat).await;
        let before = text(&mut ada, &sent).await;
        let on = act(&mut ada, "/api/continue_answer", &sent).await;
        assert_eq!(on.status, 200, "{}", on.text());
        ada.settled(sent.chat).await;
        let after = text(&mut ada, &sent).await;
        assert!(after.starts_with(&before) && after.len() > before.len(), "{before:?} then {after:?}");
        assert_eq!(app.upstream.received().last().expect("a request").messages.iter().filter(|(role, _)| role == "assistant").count(), 1);
        let whole = ada.say(Some(sent.chat), "thanks").await;
        ada.settled(sent.chat).await;
        assert_eq!(act(&mut ada, "/api/continue_answer", &whole).await.status, 409);
        assert_eq!(act(&mut ada, "/api/retry_answer", &sent).await.status, 409, "not the last any more");
    }
}

each_db! {
    async fn an_answer_that_ended_early_says_why_and_goes_on_where_that_helps(app: TestApp) {
        let mut ada = app.administrator().await;
        for (script, failure, words, goes_on) in [
            ("[[length 5]]", Failure::LengthLimit, "The answer reached the length limit.", true),
            ("[[withheld 5]]", Failure::Withheld, "The provider withheld the rest of this answer.", false),
            ("[[thoughts]]", Failure::OnlyThoughts, "The model used all of its limit for thinking", false),
        ] {
            let sent = ada.say(None, script).await;
            let told = ada.read_to_end(&sent).await;
            assert_eq!(told.state, MessageState::Failed { failure }, "{script}, to who listens");
            // After a reload, and after a restart.
            for mut reader in [ada.clone(), { let mut there = app.another().await.stranger(); there.cookies = ada.cookies.clone(); there }] {
                assert_eq!(reader.chat(sent.chat).await.window.messages[1].state, told.state, "{script}");
                let page = reader.get(&format!("/chats/{}", sent.chat)).await;
                assert!(page.text().contains(words), "{script}");
                assert_eq!(page.text().contains("/api/continue_answer"), goes_on, "{script}");
            }
        }
        let sent = ada.say(None, "[[length 5]]").await;
        ada.settled(sent.chat).await;
        let before = text(&mut ada, &sent).await;
        assert_eq!(act(&mut ada, "/api/continue_answer", &sent).await.status, 200);
        assert_eq!(ada.settled(sent.chat).await.state, MessageState::Complete);
        let after = text(&mut ada, &sent).await;
        assert!(after.starts_with(&before) && after.len() > before.len(), "{before:?} then {after:?}");
    }
}

each_db! {
    async fn text_that_turns_out_to_be_thinking_is_put_right_everywhere(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.say(None, "[[lone]]").await;
        let told = ada.read_to_end(&sent).await;
        let answer = script::text(5);
        assert_eq!(text(&mut ada, &sent).await, answer);
        let kept = ada.chat(sent.chat).await.window.messages.remove(1);
        assert_eq!(kept, told);
        assert!(kept.reasoning_html.contains("First I think about") && !kept.html.contains("think"), "{kept:?}");
        ada.say(Some(sent.chat), "and then?").await;
        ada.settled(sent.chat).await;
        let asked = app.upstream.received().pop().expect("a request");
        let answers: Vec<_> = asked.messages.iter().filter(|(role, _)| role == "assistant").collect();
        assert_eq!(answers, [&("assistant".to_owned(), answer)], "the next prompt has the answer alone");
    }
}

each_db! {
    async fn answers_that_are_stopped_or_break_off_cost_tokens_too(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.say(None, "[[paced 2000 10]]").await;
        while text(&mut ada, &sent).await.is_empty() {
            tokio::task::yield_now().await;
        }
        act(&mut ada, "/api/stop_answer", &sent).await;
        assert_eq!(ada.settled(sent.chat).await.state, MessageState::Stopped);
        let sent = ada.say(None, "[[cut 5]]").await;
        ada.settled(sent.chat).await;
        let sent = ada.say(None, "[[counts]]").await;
        assert_eq!(ada.settled(sent.chat).await.state, MessageState::Complete);
        let refused = ada.say(None, "[[status 401]]").await;
        ada.settled(refused.chat).await;
        let counts = |column| format!("select cast({column} as text) from messages where author = 'assistant' order by created_at, id");
        let (prompt, answer) = (app.column(&counts("prompt_tokens")).await, app.column(&counts("answer_tokens")).await);
        assert!(prompt[..3].iter().chain(&answer[..3]).all(|count| count != "0"), "{prompt:?} {answer:?}");
        assert_eq!((prompt[3].as_str(), answer[3].as_str()), ("0", "0"), "a refused request costs nothing");
    }
}

each_db! {
    async fn one_answer_at_a_time_in_a_chat(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.say(None, "[[paced 300 20]]").await;
        let refused = ada.try_say(Some(sent.chat), "me too", ClientId::random()).await;
        assert_eq!(refused.status, 409, "{}", refused.text());
        act(&mut ada, "/api/stop_answer", &sent).await;
        ada.settled(sent.chat).await;
        assert_eq!(ada.try_say(Some(sent.chat), "now", ClientId::random()).await.status, 200);
    }
}

each_db! {
    async fn c05_the_answer_of_a_dead_worker_is_marked_and_can_go_on(app: TestApp) {
        let other = app.another().await;
        let mut ada = app.administrator().await;
        let sent = ada.say(None, "[[paced 3000 10]]").await;
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        assert!(!text(&mut ada, &sent).await.is_empty());
        // The lease runs out for everybody: what the worker writes from now on is late (C06).
        app.state.clock.advance(21);
        other.state.chats.sweep().await.expect("a sweep");
        let last = ada.settled(sent.chat).await;
        assert_eq!(last.state, MessageState::Interrupted);
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        let kept = text(&mut ada, &sent).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(text(&mut ada, &sent).await, kept, "c06: a late writer changes nothing");
        assert_eq!(ada.settled(sent.chat).await.state, MessageState::Interrupted);
        assert_eq!(act(&mut ada, "/api/continue_answer", &sent).await.status, 200);
        act(&mut ada, "/api/stop_answer", &sent).await;
    }
}

each_db! {
    async fn m03_stopping_sends_readers_away_and_keeps_the_text(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.say(None, "[[paced 3000 10]]").await;
        let (_, mut events) = ada.events(&sent, None).await;
        let mut view = View::default();
        for _ in 0..5 {
            view.take(&events.next().await.expect("an event"));
        }
        app.stop().await;
        let mut last = String::new();
        while let Some(event) = events.next().await {
            last = event.name;
        }
        assert!(last == "reconnect" || last == "end", "{last}");
        let again = app.another().await;
        let mut there = again.stranger();
        there.cookies = ada.cookies.clone();
        let message = there.settled(sent.chat).await;
        assert_eq!(message.state, MessageState::Interrupted);
        assert!(!message.html.is_empty());
    }
}

each_db! {
    async fn a_run_that_nobody_claimed_is_picked_up(app: TestApp) {
        let mut ada = app.administrator().await;
        // A server that stops between the acknowledgement and the claim leaves a queued run behind.
        app.state.stopping.cancel();
        let sent = ada.say(None, "are you there").await;
        let again = app.another().await;
        again.state.clock.advance(5);
        again.state.chats.sweep().await.expect("a sweep");
        let mut there = again.stranger();
        there.cookies = ada.cookies.clone();
        assert_eq!(there.settled(sent.chat).await.state, MessageState::Complete);
    }
}

each_db! {
    async fn c09_a_slow_reader_is_sent_away_and_the_answer_goes_on(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.say(None, "[[paced 6000 10]]").await;
        // Before the run is live, readers look into the database, where nothing is kept for them.
        while app.state.chats.open_runs() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let (_, mut events) = ada.events(&sent, None).await;
        while events.next().await.expect("an event").name != "snapshot" {}
        // It reads nothing while another one reads more than is kept for it.
        let (_, mut quick) = ada.events(&sent, None).await;
        for _ in 0..40 {
            quick.next().await.expect("an event");
        }
        act(&mut ada, "/api/stop_answer", &sent).await;
        let end = ada.settled(sent.chat).await;
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
    async fn the_thinking_is_kept_and_shown_apart(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.say(None, "[[reasoning]]").await;
        let message = ada.read_to_end(&sent).await;
        assert!(!message.reasoning_html.is_empty() && !message.html.is_empty());
    }
}

each_db! {
    async fn long_conversations_leave_out_the_oldest_and_say_so(app: TestApp) {
        let mut ada = app.administrator().await;
        let first = ada.say(None, &format!("begin {}", "word ".repeat(3_000))).await;
        ada.settled(first.chat).await;
        for _ in 0..3 {
            ada.say(Some(first.chat), &"more words ".repeat(900)).await;
            ada.settled(first.chat).await;
        }
        let last = ada.settled(first.chat).await;
        assert!(last.left_out > 0, "{last:?}");
        let asked = app.upstream.received();
        let asked = asked.last().expect("a request");
        assert_eq!(asked.messages[0].0, "system");
        assert!(!asked.messages.iter().any(|(_, text)| text.starts_with("begin")));
    }
}

each_db! {
    async fn a_message_too_long_for_the_model_fails_alone(app: TestApp) {
        let mut ada = app.administrator().await;
        let long = ada.say(None, &"word ".repeat(20_000)).await;
        let failed = MessageState::Failed { failure: Failure::TooLong };
        assert_eq!(ada.settled(long.chat).await.state, failed);
        ada.say(Some(long.chat), "in short, then").await;
        let last = ada.settled(long.chat).await;
        assert_eq!((last.state, last.left_out), (MessageState::Complete, 1));
        assert_eq!(app.upstream.received().last().expect("a request").last(), "in short, then");
    }
}

/// Waits until no run is open.
async fn all_ended(app: &TestApp) {
    for _ in 0..400 {
        if app.column("select state from runs where state <> 'ended'").await.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("a run stays open");
}

each_db! {
    async fn c01_a_run_that_never_became_live_changes_no_text(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.say(None, "[[cut 20]]").await;
        ada.settled(sent.chat).await;
        let before = app.answer_text(&sent).await;
        assert!(!before.is_empty());
        // The server is killed when it has acknowledged to continue, and the chat is deleted before the next one starts.
        app.state.stopping.cancel();
        assert_eq!(act(&mut ada, "/api/continue_answer", &sent).await.status, 200);
        // Past the server, which would end the run that waits.
        app.execute(&format!("update chats set deleted_at = {}", app.state.clock.now().micros())).await;
        let again = app.another().await;
        all_ended(&app).await;
        assert_eq!(app.answer_text(&sent).await, before);
        let mut there = again.stranger();
        there.cookies = ada.cookies.clone();
        app.execute("update chats set deleted_at = null").await;
        let last = there.settled(sent.chat).await;
        assert_eq!(last.state, MessageState::Interrupted);
        assert_eq!(text(&mut there, &sent).await, before);
        assert_eq!(act(&mut there, "/api/continue_answer", &sent).await.status, 200, "it can still go on");
        there.settled(sent.chat).await;
        assert!(text(&mut there, &sent).await.starts_with(&before));
    }
}

each_db! {
    async fn c06_what_a_late_worker_says_changes_no_row(app: TestApp) {
        let other = app.another().await;
        let mut ada = app.administrator().await;
        let sent = ada.say(None, "[[paced 2000 10]]").await;
        while app.answer_text(&sent).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // Its lease runs out as it would for a process that was held by the system, and another worker ends its run.
        app.execute("update runs set lease_until = 1 where state = 'running'").await;
        other.state.chats.sweep().await.expect("a sweep");
        let ended = app.answer_text(&sent).await;
        assert_eq!(ada.settled(sent.chat).await.state, MessageState::Interrupted);
        // It goes on until it notices, and then ends for itself alone.
        while app.state.chats.open_runs() > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(app.answer_text(&sent).await, ended);
        assert_eq!(ada.settled(sent.chat).await.state, MessageState::Interrupted);
    }
}

each_db! {
    async fn the_answers_of_one_person_wait_in_line(app: TestApp) {
        let app = TestApp::start_with(app.kept(), |config| {
            config.answers_per_person = 3;
            config.sign_up_open = true;
        })
        .await;
        let mut ada = app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        let mut all = Vec::new();
        for _ in 0..12 {
            all.push(ada.say(None, "[[hang]]").await);
        }
        while app.upstream.answering() < 3 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        app.state.chats.sweep().await.expect("a sweep");
        // Somebody else is not in that line.
        let theirs = bob.say(None, "hello").await;
        assert_eq!(bob.settled(theirs.chat).await.state, MessageState::Complete);
        assert_eq!(app.upstream.answering(), 3, "bounded");
        for (n, place) in [(3, 1), (11, 9)] {
            let (_, mut events) = ada.events(&all[n], None).await;
            let first = events.next().await.expect("an event");
            let snapshot: RunSnapshot = serde_json::from_str(&first.data).expect("a snapshot");
            assert_eq!(snapshot.phase, Phase::Waiting { place: Some(place) }, "the place in line is told");
            let page = ada.get(&format!("/chats/{}", all[n].chat)).await;
            assert!(page.text().contains("in line"), "without scripts too");
        }
        // Whoever stops one lets the next one in.
        act(&mut ada, "/api/stop_answer", &all[0]).await;
        ada.settled(all[0].chat).await;
        while app.upstream.received().len() < 5 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // One that still waits can be stopped as well.
        act(&mut ada, "/api/stop_answer", &all[11]).await;
        assert_eq!(ada.settled(all[11].chat).await.state, MessageState::Stopped);
        // Those that wait first, so that nobody takes the place of one that was stopped.
        for sent in all.iter().rev() {
            act(&mut ada, "/api/stop_answer", sent).await;
        }
        for sent in &all {
            assert_eq!(ada.settled(sent.chat).await.state, MessageState::Stopped);
        }
        assert_eq!(app.upstream.received().len(), 5, "what was stopped in line was never asked");
    }
}

each_db! {
    async fn open_answers_of_one_person_are_bounded(app: TestApp) {
        let app = TestApp::start_with(app.kept(), |config| config.answers_per_person = 1).await;
        let mut ada = app.administrator().await;
        let limit = usize::try_from(limits::OPEN_RUNS_PER_PERSON).expect("a number");
        let mut last = None;
        for _ in 0..limit {
            last = Some(ada.say(None, "[[hang]]").await);
        }
        let refused = ada.try_say(None, "one more", ClientId::random()).await;
        assert_eq!(refused.status, 409, "{}", refused.text());
        assert!(refused.text().contains("answers_too_many"), "{}", refused.text());
        let last = last.expect("some");
        assert_eq!(act(&mut ada, "/api/retry_answer", &last).await.status, 409, "it is open");
        act(&mut ada, "/api/stop_answer", &last).await;
        ada.settled(last.chat).await;
        assert_eq!(ada.try_say(None, "one more", ClientId::random()).await.status, 200);
        assert_eq!(act(&mut ada, "/api/retry_answer", &last).await.status, 409, "the bound holds for every way to begin");
    }
}
