//! Titles of chats: the first words of the question, until the model that has answered writes a better one.

use colloquy::{
    domain::{ChatId, ChatPage, JobKind},
    server::{config::Titles, jobs::Drained},
};
use serde_json::json;

use crate::support::{
    app::{TestApp, each_db},
    client::Client,
    wait::wait_until,
};

/// The same kind of application, whose models write titles.
async fn with_titles(app: &TestApp) -> TestApp {
    TestApp::start_with(app.backend(), |config| {
        config.sign_up_open = true;
        config.titles = Titles::Model;
    })
    .await
}

async fn find(client: &mut Client, search: &str) -> ChatPage {
    client.post_json("/api/list_chats", &json!({ "filter": "all", "search": search, "cursor": null })).await.json()
}

async fn title_jobs(app: &TestApp) -> Vec<String> {
    app.column("select state || ' ' || coalesce(last_error, '') from jobs where kind = 'write_title'").await
}

async fn wait_for_title(client: &mut Client, chat: ChatId, title: &str) {
    wait_until(&format!("the title is {title}"), async || client.chat(chat).await.title == title).await;
}

async fn wait_for_job(app: &TestApp) {
    wait_until("the job is done", async || title_jobs(app).await.is_empty()).await;
}

each_db! {
    async fn the_model_that_has_answered_writes_the_title(app: TestApp) {
        let app = with_titles(&app).await;
        let mut ada = app.administrator().await;
        let question = "[[titled say **Sourdough** for beginners.]] How do I bake bread?";
        let sent = ada.send_message(None, question).await;
        ada.read_to_end(&sent).await;
        wait_for_title(&mut ada, sent.chat, "Sourdough for beginners").await;
        wait_for_job(&app).await;
        assert_eq!(find(&mut ada, "SOURDOUGH").await.chats.len(), 1, "it can be found by its new title");
        assert_eq!(find(&mut ada, "bake").await.chats.len(), 0);

        let received = app.upstream.take_received();
        let [answer, title] = &received[..] else { panic!("two requests: {received:?}") };
        assert_eq!(answer.model, title.model);
        let asked = title.last();
        assert!(asked.contains(question) && asked.contains(app.answer_text(&sent).await.trim()), "{asked}");

        let next = ada.send_message(Some(sent.chat), "[[titled say Another one]] And cake?").await;
        ada.read_to_end(&next).await;
        assert_eq!(title_jobs(&app).await, [""; 0]);
        assert_eq!(app.upstream.received().len(), 1, "only the first answer leads to a title");
    }
}

each_db! {
    async fn a_chat_that_was_renamed_or_deleted_meanwhile_keeps_its_title(app: TestApp) {
        let app = with_titles(&app).await;
        let mut ada = app.administrator().await;
        for deleted in [false, true] {
            app.upstream.take_received();
            let sent = ada.send_message(None, "[[titled slow 700 5]] How do I bake bread?").await;
            ada.read_to_end(&sent).await;
            wait_until("the model is asked for a title", async || app.upstream.received().len() == 2).await;
            let chat = sent.chat.to_string();
            let answer = if deleted {
                ada.post_form("/api/change_chats", &[("chats[]", &chat), ("action", "delete")]).await
            } else {
                ada.post_form("/api/rename_chat", &[("chat", &chat), ("title", "My bread")]).await
            };
            assert_eq!(answer.status, 200);
            wait_for_job(&app).await;
            if deleted {
                ada.post_form("/api/change_chats", &[("chats[]", &chat), ("action", "restore")]).await;
            }
            let title = ada.chat(sent.chat).await.title;
            assert_eq!(title, if deleted { "[[titled slow 700 5]] How do I bake bread?" } else { "My bread" });
        }
    }
}

each_db! {
    async fn a_chat_that_was_renamed_before_its_answer_is_not_sent_to_the_model_again(app: TestApp) {
        let app = with_titles(&app).await;
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "[[slow 700 5]] How do I bake bread?").await;
        let renamed = [("chat", &*sent.chat.to_string()), ("title", "My bread")];
        assert_eq!(ada.post_form("/api/rename_chat", &renamed).await.status, 200);
        ada.read_to_end(&sent).await;
        assert_eq!(title_jobs(&app).await, [""; 0]);
        assert_eq!(app.upstream.received().len(), 1);
    }
}

each_db! {
    async fn only_a_complete_answer_leads_to_a_title_and_only_if_the_operator_wants_it(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "[[titled say No title]] How do I bake bread?").await;
        ada.read_to_end(&sent).await;
        assert_eq!(title_jobs(&app).await, [""; 0], "first words");

        let app = with_titles(&app).await;
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "[[length 5]] How do I bake bread?").await;
        ada.read_to_end(&sent).await;
        assert_eq!(title_jobs(&app).await, [""; 0], "a cut answer");
        assert_eq!(app.upstream.received().len(), 1);
    }
}

each_db! {
    async fn what_is_not_a_title_changes_nothing(app: TestApp) {
        let app = with_titles(&app).await;
        let mut ada = app.administrator().await;
        for behaviour in ["thoughts", "empty", "fast 2000", "say ...", "withheld 5"] {
            let question = format!("[[titled {behaviour}]] bread");
            let sent = ada.send_message(None, &question).await;
            ada.read_to_end(&sent).await;
            wait_for_job(&app).await;
            assert_eq!(ada.chat(sent.chat).await.title, question);
        }
    }
}

each_db! {
    async fn a_title_contains_no_reasoning(app: TestApp) {
        let app = with_titles(&app).await;
        let mut ada = app.administrator().await;
        for behaviour in ["reasoning", "think", "lone"] {
            let question = format!("[[titled {behaviour}]] bread");
            let sent = ada.send_message(None, &question).await;
            ada.read_to_end(&sent).await;
            // Both are five tokens, once as an answer and once as a title.
            let answer = app.answer_text(&sent).await;
            wait_for_title(&mut ada, sent.chat, answer.trim()).await;
        }
    }
}

each_db! {
    async fn a_model_that_fails_is_asked_again_for_a_while_and_the_failure_is_not_shown(app: TestApp) {
        let app = with_titles(&app).await;
        let mut ada = app.administrator().await;
        let question = "[[titled status 401]] bread";
        let sent = ada.send_message(None, question).await;
        ada.read_to_end(&sent).await;
        wait_until("the model is asked for a title", async || app.upstream.received().len() == 2).await;
        wait_until("it waits", async || title_jobs(&app).await == ["waiting "]).await;
        app.state.clock.advance(31);
        wait_until("it was asked again", async || app.upstream.received().len() >= 3).await;
        wait_until("it waits", async || title_jobs(&app).await == ["waiting "]).await;
        app.state.clock.advance(120);
        wait_for_job(&app).await;
        assert_eq!(ada.chat(sent.chat).await.title, question);
        let shown = app.state.store.read().await.expect("a unit").admin().list_jobs().await.expect("rows");
        assert!(shown.iter().all(|job| job.last_error.is_none()), "{shown:?}");
    }
}

each_db! {
    async fn the_job_of_a_deleted_account_does_nothing(app: TestApp) {
        let app = with_titles(&app).await;
        let (answer, now) = (app.state.clock.new_id(), app.state.clock.now());
        let mut tx = app.state.store.write().await.expect("a unit");
        tx.enqueue(JobKind::WriteTitle, answer, now, now).await.expect("a job");
        tx.commit().await.expect("a commit");
        let drained = app.state.jobs.drain(JobKind::WriteTitle).await.expect("jobs");
        assert_eq!((drained.failed, drained.waiting), (0, 0), "{drained:?}");
        wait_for_job(&app).await;
        assert_eq!(app.upstream.received().len(), 0);
        assert_eq!(app.state.jobs.drain(JobKind::WriteTitle).await.expect("jobs"), Drained::default());
    }
}
