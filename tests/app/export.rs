//! Data exports.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read},
};

use colloquy::domain::{DataExport, ExportId, ExportState, JobKind, Settings, UserId};
use serde_json::{Value, json};

use crate::support::{
    app::{PASSWORD, TestApp, each_db},
    client::Client,
    wait::wait_for,
};

async fn current_export(client: &mut Client) -> Option<DataExport> {
    client.post_json("/api/load_settings", &json!({"part": "data"})).await.json::<Settings>().export
}

async fn request_export(client: &mut Client) -> DataExport {
    let answer = client.post_form("/api/request_export", &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Waits until the client's export is ready.
async fn wait_until_ready(client: &mut Client) -> DataExport {
    wait_for("the download is ready", async || {
        current_export(client).await.filter(|export| export.state == ExportState::Ready)
    })
    .await
}

fn path(id: ExportId) -> String {
    format!("/settings/data/{id}")
}

/// The files in a ZIP archive by name.
fn files(bytes: &[u8]) -> BTreeMap<String, String> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).expect("a ZIP file");
    let mut files = BTreeMap::new();
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).expect("a file");
        let mut text = String::new();
        file.read_to_string(&mut text).expect("a text");
        files.insert(file.name().expect("a name").into_owned(), text);
    }
    files
}

/// A field of every line in the files with this ending, sorted.
fn field(files: &BTreeMap<String, String>, ending: &str, name: &str) -> Vec<String> {
    let texts = files.iter().filter(|(file, _)| file.ends_with(ending)).map(|(_, text)| text);
    let lines = texts.flat_map(|text| text.lines()).map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let mut found: Vec<String> = lines.map(|line| line[name].as_str().expect("a text").to_owned()).collect();
    found.sort();
    found
}

/// The text parts of all messages, sorted.
fn message_texts(files: &BTreeMap<String, String>) -> Vec<String> {
    let lines = files.iter().filter(|(file, _)| file.ends_with(".jsonl")).flat_map(|(_, text)| text.lines());
    let messages = lines.map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let parts = messages.flat_map(|message| message["parts"].as_array().expect("parts").clone());
    let texts =
        parts.filter(|part| part["kind"] == "text").map(|part| part["text"].as_str().expect("a text").to_owned());
    let mut found: Vec<String> = texts.collect();
    found.sort();
    found
}

async fn sorted(app: &TestApp, statement: &str) -> Vec<String> {
    let mut column = app.column(statement).await;
    column.sort();
    column
}

async fn user(app: &TestApp, email: &str) -> UserId {
    let mut tx = app.state.store.read().await.expect("a unit");
    tx.find_user_by_email(email).await.expect("a row").expect("a person").id
}

each_db! {
    async fn l04_the_export_is_complete_and_contains_only_own_data(app: TestApp) {
        let app = app.with_open_sign_up().await;
        let mut ada = app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        let foreign = ada.send_message(None, "a secret of Ada").await;
        ada.wait_for_answer(foreign.chat).await;
        for words in ["Fish & chips?", "../../etc/passwd"] {
            let sent = bob.send_message(None, words).await;
            bob.wait_for_answer(sent.chat).await;
            let form = [("chat", sent.chat.to_string()), ("message", sent.answer.to_string())];
            let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(bob.post_form("/api/retry_answer", &form).await.status, 200);
            bob.wait_for_answer(sent.chat).await;
        }
        request_export(&mut bob).await;
        let export = wait_until_ready(&mut bob).await;
        assert_eq!((export.done, export.total), (2, 2));
        let answer = bob.get(&path(export.id)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("content-type"), "application/zip");
        assert!(answer.header("content-disposition").starts_with("attachment"));
        assert!(answer.header("cache-control").contains("no-store"));
        assert_eq!(i64::try_from(answer.body.len()).expect("a length"), export.bytes);

        let files = files(&answer.body);
        let of_bob = "(select id from users where email = 'bob@example.org')";
        let texts = sorted(&app, &format!("select p.text from messages m join message_parts p on p.message_id = m.id where m.owner_id = {of_bob}")).await;
        assert_eq!(message_texts(&messages(&files)), texts);
        assert_eq!(texts.len(), 6, "it contains superseded answers");
        let aside = files.values().flat_map(|text| text.lines()).filter(|line| line.contains("\"shown\":false"));
        assert_eq!(aside.count(), 2);
        let agents = sorted(&app, &format!("select address from sign_ins where user_id = {of_bob}")).await;
        assert_eq!(field(&files, "sign-ins.jsonl", "address"), agents);
        // The entry of this download is newer than the file.
        let before = "and action <> 'download_data'";
        let acts = sorted(&app, &format!("select action from audit where subject_id = {of_bob} {before}")).await;
        assert_eq!(app.column("select action from audit where action = 'download_data'").await.len(), 1);
        assert_eq!(field(&files, "audit.jsonl", "action"), acts);
        assert!(acts.contains(&"export_data".to_owned()));
        let account: Value = serde_json::from_str(&files["account.json"]).expect("JSON");
        assert_eq!((&account["email"], &account["name"]), (&json!("bob@example.org"), &json!("Bob")));
        for name in ["README.txt", "settings.json", "factors.json", "identities.json"] {
            assert!(!files[name].is_empty(), "{name}");
        }
        let ids = sorted(&app, &format!("select title from chats where owner_id = {of_bob}")).await;
        assert_eq!(field(&files, "chats.jsonl", "title"), ids);
        let chats: Vec<&String> = files.keys().filter(|name| name.starts_with("chats/")).collect();
        assert_eq!(chats.len(), 4);
        assert!(files.keys().all(|name| !name.contains("..")), "{chats:?}");
        let hash = app.column("select password_hash from users where email = 'bob@example.org'").await.remove(0);
        for (name, text) in &files {
            assert!(!text.contains("a secret of Ada") && !text.contains("ada@example.org"), "{name} is only Bob's");
            assert!(!text.contains(&hash) && !text.contains("argon2"), "{name} holds no secret");
        }

        assert_eq!(current_export(&mut ada).await, None);
        assert_eq!(ada.get(&path(export.id)).await.status, 404);
        let unknown = ExportId::from_uuid(app.state.clock.new_id());
        assert_eq!(bob.get(&path(unknown)).await.status, 404);
        assert_eq!(bob.get("/settings/data/x").await.status, 404);
        assert_eq!(app.anonymous().get(&path(export.id)).await.status, 401);
    }
}

fn messages(files: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    files.iter().filter(|(name, _)| name.starts_with("chats/")).map(|(n, t)| (n.clone(), t.clone())).collect()
}

each_db! {
    async fn s08_requesting_and_downloading_an_export_need_reauthentication(app: TestApp) {
        let mut ada = app.administrator().await;
        request_export(&mut ada).await;
        let export = wait_until_ready(&mut ada).await;
        app.state.clock.advance(11 * 60);
        assert_eq!(ada.post_form("/api/request_export", &[]).await.status, 403);
        assert_eq!(ada.get(&path(export.id)).await.status, 403);
        assert_eq!(ada.post_form("/api/confirm_identity", &[("password", PASSWORD)]).await.status, 200);
        assert_eq!(ada.get(&path(export.id)).await.status, 200);
    }
}

each_db! {
    async fn l04_the_export_lists_mails_to_every_spelling_of_the_own_address(app: TestApp) {
        let mut ada = app.administrator().await;
        for (recipient, subject) in
            [("ada@example.org", "Now"), ("Ada@Example.ORG", "Before"), ("bada@example.org", "Not hers")]
        {
            let id = app.literal(app.state.clock.new_id());
            let values = format!("({id}, '{recipient}', '{subject}', '', '', 1)");
            app.execute(&format!(
                "insert into mails (id, recipient, subject, text, html, created_at) values {values}"
            ))
            .await;
        }
        request_export(&mut ada).await;
        let export = wait_until_ready(&mut ada).await;
        let files = files(&ada.get(&path(export.id)).await.body);
        assert_eq!(field(&files, "mails.jsonl", "subject"), ["Before", "Now"]);
    }
}

each_db! {
    async fn l04_exports_are_limited_to_three_a_day_and_one_at_a_time(app: TestApp) {
        let mut ada = app.administrator().await;
        let first = request_export(&mut ada).await;
        wait_until_ready(&mut ada).await;
        request_export(&mut ada).await;
        wait_until_ready(&mut ada).await;
        assert_eq!(ada.get(&path(first.id)).await.status, 404, "the new one replaced it");
        request_export(&mut ada).await;
        wait_until_ready(&mut ada).await;
        assert_eq!(ada.post_form("/api/request_export", &[]).await.status, 429);
        assert!(current_export(&mut ada).await.is_some(), "the existing one stays");
        let owner = user(&app, "ada@example.org").await;
        let (now, id) = (app.state.clock.now(), ExportId::from_uuid(app.state.clock.new_id()));
        let mut tx = app.state.store.write().await.expect("a unit");
        assert!(tx.owned_by(owner).insert_export(id, now, now.plus_seconds(60)).await.expect("a row"));
        let other = ExportId::from_uuid(app.state.clock.new_id());
        assert!(!tx.owned_by(owner).insert_export(other, now, now.plus_seconds(60)).await.expect("no row"));
    }
}

each_db! {
    async fn l04_an_export_expires_and_is_deleted_completely(app: TestApp) {
        let mut ada = app.administrator().await;
        request_export(&mut ada).await;
        let export = wait_until_ready(&mut ada).await;
        assert_eq!(app.column("select 'piece' from export_pieces").await, ["piece"]);
        app.state.clock.advance(3 * 86_400 + 1);
        app.state.privacy.delete_expired().await.expect("a pass");
        let left = app.column("select state from exports union all select 'piece' from export_pieces").await;
        assert_eq!(left, Vec::<String>::new());
        let mut ada = app.signed_in("ada@example.org").await;
        assert_eq!(ada.get(&path(export.id)).await.status, 404);
    }
}

each_db! {
    async fn l04_an_export_left_by_a_dead_worker_is_built_again(app: TestApp) {
        let mut ada = app.administrator().await;
        let owner = user(&app, "ada@example.org").await;
        let clock = &app.state.clock;
        let (now, id, lease) = (clock.now(), ExportId::from_uuid(clock.new_id()), clock.new_id());
        app.stop().await;
        let mut tx = app.state.store.write().await.expect("a unit");
        tx.owned_by(owner).insert_export(id, now, now.plus_seconds(86_400)).await.expect("a row");
        let kind = JobKind::BuildExport;
        let job = tx.engine().claim_job(kind, lease, now, now.plus_seconds(60)).await.expect("a claim").expect("a job");
        assert_eq!(tx.engine().begin_export(id, now).await.expect("a row").map(|export| export.id), Some(id));
        tx.engine().insert_export_chunk(id, 0, b"half of something").await.expect("a piece");
        tx.commit().await.expect("a commit");
        assert_eq!(current_export(&mut ada).await.map(|export| export.state), Some(ExportState::Working), "its lease is valid");
        assert_eq!(ada.get(&path(id)).await.status, 404, "it is not ready");
        clock.advance(61);
        app.state.jobs.drain(kind).await.expect("work");
        wait_until_ready(&mut ada).await;
        let answer = ada.get(&path(id)).await;
        assert!(files(&answer.body).contains_key("account.json"));
        let mut tx = app.state.store.write().await.expect("a unit");
        let late = tx.engine().renew_job(&job, (0, 0), now.plus_seconds(999)).await.expect("a row");
        assert!(!late, "a worker without the lease cannot continue");
    }
}
