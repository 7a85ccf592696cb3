//! Both databases give the same results.

use colloquy::domain::{ChatFilter, ChatPage, ClientId};
use serde_json::{Value, json};

use crate::support::{
    app::{Backend, PASSWORD, TestApp},
    client::Client,
};

/// Texts that databases are known to treat differently.
const TEXTS: [&str; 16] = [
    "Straße und STRASSE",
    "İstanbul ve istanbul",
    "ΣΊΣΥΦΟΣ und σίσυφος",
    "É composed, e\u{301} decomposed",
    "100% of it_works \\ fine",
    "quotes ' and \" and ` and ;--",
    "trailing blanks   ",
    "tab\tand\r\nline ends\rof all\nkinds",
    "emoji 👩‍👩‍👧‍👦 and 🇩🇪",
    "\u{FEFF}a mark, \u{FFFE} and \u{2028} lines \u{2029}",
    "zero\u{200C}width\u{200D}joiners",
    "1e400, -0, 0x10, 00012",
    "null",
    "عربى ועברית",
    "日本語のテキスト",
    "A",
];
/// Searches in the titles.
const SEARCHES: [&str; 18] = [
    "strasse",
    "STRASSE",
    "straße",
    "ISTANBUL",
    "i̇stanbul",
    "σίσυφος",
    "ΣΊΣΥΦΟΣ",
    "é",
    "e\u{301}",
    "%",
    "_",
    "\\",
    "'",
    "100%",
    "it_w",
    "日本",
    "עברית",
    "null",
];
/// Sign-ups in this order, some of which are refused.
const SIGN_UPS: [(&str, &str); 8] = [
    ("Ada@Example.org", "Ada"),
    ("ada@example.org", "Ada again"),
    ("grace@example.org", "Grace"),
    ("grace@example.org", "grace"),
    ("mail@example.org", "GRACE"),
    ("nul@example.org", "N\0ul"),
    ("long@example.org", "x"),
    ("ümlaut@example.org", "Ümlaut"),
];

/// Performs the same requests on a database, and returns the results without ids and times.
async fn transcript(backend: Backend, zone: &str) -> Vec<Value> {
    let app = TestApp::start_with(backend, |config| config.sign_up_open = true).await;
    if backend == Backend::PostgresAndRedis {
        // Times are stored as numbers: the database's time zone must have no effect.
        let name = app.column("select current_database()::text").await.pop().expect("a name");
        app.execute(&format!("alter database {name} set timezone to '{zone}'")).await;
    }
    let app = app.second_instance().await;
    let mut results = Vec::new();
    for (email, name) in SIGN_UPS {
        let form = [("email", email), ("name", name), ("password", PASSWORD)];
        let answer = app.anonymous().post_form("/api/sign_up", &form).await;
        results.push(json!({ "sign_up": email, "status": answer.status.as_u16() }));
    }
    let mut ada = app.signed_in("ADA@example.ORG").await;
    for text in TEXTS {
        // One after another, so that the order of their times is known.
        let sent = ada.send_message(None, text).await;
        ada.wait_for_answer(sent.chat).await;
        let chat = ada.chat(sent.chat).await;
        results.push(json!({ "text": chat.window.messages[0].text, "answer": chat.window.messages[1].html, "title": chat.title }));
        let renamed = ada.post_form("/api/rename_chat", &[("chat", &sent.chat.to_string()), ("title", text)]).await;
        results.push(json!({ "renamed": renamed.status.as_u16(), "title": ada.chat(sent.chat).await.title }));
    }
    for text in ["nul \0 inside", "", "   ", "\u{1}\u{7f}"] {
        let answer = ada.try_send_message(None, text, ClientId::random()).await;
        results.push(json!({ "message": text, "status": answer.status.as_u16() }));
    }
    for search in SEARCHES {
        results.push(json!({ "search": search, "found": titles(&mut ada, search).await }));
    }
    results.push(json!({ "all": titles(&mut ada, "").await }));
    results
}

/// The titles of the chats that a search finds, in the order of the list.
async fn titles(client: &mut Client, search: &str) -> Vec<String> {
    let asked = json!({ "filter": ChatFilter::All, "search": search, "cursor": null });
    let page: ChatPage = client.post_json("/api/list_chats", &asked).await.json();
    page.chats.into_iter().map(|chat| format!("{}: {}", chat.title, chat.preview)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn b07_both_databases_give_the_same_results() {
    let sqlite = transcript(Backend::Sqlite, "").await;
    let postgres = transcript(Backend::PostgresAndRedis, "Asia/Kathmandu").await;
    assert_eq!(sqlite.len(), postgres.len());
    for (sqlite, postgres) in sqlite.iter().zip(&postgres) {
        assert_eq!(sqlite, postgres);
    }
    let found = |results: &[Value], search: &str| {
        let row = results.iter().find(|row| row["search"] == search).expect("a search");
        row["found"].as_array().expect("a list").len()
    };
    assert_eq!(
        (found(&sqlite, "%"), found(&sqlite, "ΣΊΣΥΦΟΣ"), found(&sqlite, "日本")),
        (1, 1, 1),
        "a search that finds"
    );
}
