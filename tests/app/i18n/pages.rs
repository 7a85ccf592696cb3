//! Every page is in the user's language.

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{
        Method,
        header::{ACCEPT, ACCEPT_LANGUAGE},
    },
};
use html5ever::{parse_document, tendril::TendrilSink};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

use super::{BASE, Texts, languages};
use crate::support::{
    app::{PASSWORD, TestApp, each_db},
    client::{Answer, Client, encode},
};

/// Attributes that are shown or read aloud.
const READ: &[&str] = &["alt", "aria-label", "aria-description", "placeholder", "title"];

async fn get_in(client: &mut Client, language: &str, path: &str) -> Answer {
    let request = client.request(Method::GET, path).header(ACCEPT, "text/html").header(ACCEPT_LANGUAGE, language);
    client.send(request.body(Body::empty()).expect("a request")).await
}

/// All texts of a page that are shown or read aloud.
fn words_of(page: &str) -> Vec<String> {
    fn read(node: &Handle, words: &mut Vec<String>) {
        match &node.data {
            NodeData::Text { contents } => words.push(contents.borrow().trim().to_owned()),
            NodeData::Element { name, attrs, .. } => {
                if matches!(&*name.local, "script" | "style" | "noscript" | "template") {
                    return;
                }
                let attrs = attrs.borrow();
                // Elements with their own `lang`, such as the names of languages.
                if &*name.local != "html" && attrs.iter().any(|attr| &*attr.name.local == "lang") {
                    return;
                }
                let read = attrs.iter().filter(|attr| READ.contains(&&*attr.name.local));
                words.extend(read.map(|attr| attr.value.trim().to_owned()));
            }
            _ => {}
        }
        node.children.borrow().iter().for_each(|child| read(child, words));
    }
    let dom = parse_document(RcDom::default(), Default::default()).one(page);
    let mut words = Vec::new();
    read(&dom.document, &mut words);
    words.retain(|text| !text.is_empty());
    words
}

/// The parts of a text between placeholders and elements that are long enough to be recognised on a page.
fn fragments(text: &str) -> Vec<&str> {
    let pieces = text.split(['{', '<']).enumerate().filter_map(|(nth, piece)| {
        if nth == 0 { Some(piece) } else { piece.split_once(['}', '>']).map(|(_, rest)| rest) }
    });
    pieces.map(str::trim).filter(|piece| piece.chars().count() >= 9).collect()
}

/// The parts of texts that the first language has and the second does not.
fn only_in(own: &Texts, other: &Texts) -> BTreeSet<String> {
    let others = other.values().map(String::as_str).collect::<Vec<_>>().join("\n");
    let own = own.values().flat_map(|text| fragments(text));
    own.filter(|piece| !others.contains(*piece)).map(ToOwned::to_owned).collect()
}

/// Checks that a page is in this language and contains no English text.
fn assert_is_in(tag: &str, path: &str, answer: &Answer) {
    let page = answer.text();
    assert!(page.contains(&format!("<html lang=\"{tag}\"")), "{path}: {page:.300}");
    let languages = languages();
    let english = only_in(&languages[BASE], &languages[tag]);
    let words = words_of(&page);
    assert!(!words.is_empty(), "{path}: {page:.300}");
    let found: Vec<_> = words
        .iter()
        .filter_map(|text| Some((text, english.iter().find(|piece| text.contains(piece.as_str()))?)))
        .collect();
    assert!(found.is_empty(), "{path} in {tag}: {found:#?}");
}

#[test]
fn english_texts_are_found() {
    let languages = languages();
    let english = only_in(&languages[BASE], &languages["de"]);
    assert!(english.contains("Please sign in again.") && !english.contains("Colloquy"));
    let page = "<html lang=\"de\"><body title=\"Please sign in again.\"><script>Cancel that</script><p>Ja</p></body>";
    assert_eq!(words_of(page), ["Please sign in again.", "Ja"]);
}

each_db! {
    async fn anonymous_users_get_pages_in_the_language_of_their_browser(app: TestApp) {
        let app = app.with_open_sign_up().await;
        let paths = [
            "/sign-in", "/sign-up", "/sign-in/code", "/forgot-password", "/check-inbox", "/reset-password", "/reset-password?token=x",
            "/verify-address?token=x", "/confirm-address?token=x", "/privacy", "/terms", "/there-is-no-such-page",
            "/auth/nobody/callback?state=x&code=y", "/chats/0190e2a4-0000-7000-8000-000000000000/runs/x/events",
        ];
        let mut anonymous = app.anonymous();
        for path in paths {
            let german = get_in(&mut anonymous, "de-CH, en;q=0.5", path).await;
            assert_is_in("de", path, &german);
            if path == "/privacy" {
                assert!(german.text().contains("Was gespeichert wird"), "the legal text is in another language");
            }
            let english = get_in(&mut anonymous, "fr, en-GB;q=0.3", path).await;
            assert!(english.text().contains("<html lang=\"en-GB\""), "{path}");
            assert_eq!(english.status, german.status, "{path}");
        }
    }
}

each_db! {
    async fn users_get_every_page_in_their_chosen_language(app: TestApp) {
        let app = app.with_open_sign_up().await;
        let mut ada = app.administrator().await;
        app.person("bob@example.org", "Bob").await;
        let sent = ada.send_message(None, "Guten Tag").await;
        ada.read_to_end(&sent).await;
        assert_eq!(ada.submit("/api/create_invitation", &[("email", ""), ("role", "member"), ("uses", "1"), ("days", "2")]).await.status, 302);
        let changed = ada.submit("/api/change_locale", &[("language", "de"), ("time_zone", "Europe/Berlin")]).await;
        assert_eq!((changed.status.as_u16(), changed.header("location")), (302, "/settings?done=locale#locale"));
        let chat = format!("/chats/{}", sent.chat);
        let person = format!("/people/{}", person(&mut ada).await);
        let paths = [
            "/", &chat, "/sessions", "/sessions?filter=archived", "/sessions?q=nichts", "/settings", "/settings?done=locale",
            "/settings/appearance", "/settings/security", "/settings/security?activity=all", "/settings/data", "/settings/confirm", "/people", "/people?q=niemand", &person, "/audit", "/audit?action=sign_in", "/jobs", "/models",
            "/there-is-no-such-page", "/chats/0190e2a4-0000-7000-8000-000000000000", "/exports/0190e2a4-0000-7000-8000-000000000000",
        ];
        for path in paths {
            // The chosen language takes precedence over the browser's.
            assert_is_in("de", path, &get_in(&mut ada, "en-US", path).await);
        }
        // Errors of forms submitted without scripts.
        for (form, fields) in [
            ("/api/change_name", [("name", ""), ("x", "")]),
            ("/api/change_password", [("current", "wrong"), ("password", "short")]),
            ("/api/request_address_change", [("email", "nonsense"), ("x", "")]),
            ("/api/create_invitation", [("email", "nonsense"), ("days", "1000")]),
        ] {
            let refused = ada.submit(form, &fields).await;
            let back = refused.header("location").to_owned();
            if refused.status.is_redirection() {
                assert_is_in("de", &format!("{form} -> {back}"), &get_in(&mut ada, "en", &back).await);
            }
        }
    }
}

/// The id of Bob.
async fn person(client: &mut Client) -> String {
    let answer = client.post_json("/api/load_people", &serde_json::json!({"search": "bob"})).await;
    let list: serde_json::Value = answer.json();
    list["page"]["people"][0]["id"].as_str().unwrap_or_else(|| panic!("no person: {list}")).to_owned()
}

each_db! {
    async fn a_new_account_gets_the_language_of_the_browser(app: TestApp) {
        let mut client = app.anonymous();
        let form = [("email", "ada@example.org"), ("name", "Ada"), ("password", PASSWORD), ("invitation", "")];
        let body = encode(&form);
        let request = client
            .request(Method::POST, "/api/sign_up")
            .header("content-type", "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .header(ACCEPT_LANGUAGE, "de-DE,de;q=0.9");
        assert_eq!(client.send(request.body(Body::from(body)).expect("a request")).await.status, 200);
        assert_eq!(app.column("select language from users").await, ["de"]);
        assert_is_in("de", "/", &get_in(&mut client, "en", "/").await);
    }
}

each_db! {
    async fn browsers_load_and_cache_the_texts_of_a_page(app: TestApp) {
        let mut anonymous = app.anonymous();
        let page = get_in(&mut anonymous, "de", "/sign-in").await.text().to_owned();
        let folder = page.split("data-texts=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("the texts");
        for bundle in ["common", "auth"] {
            let path = format!("{folder}/{bundle}.txt");
            assert!(!page.contains(&format!("href=\"{path}\"")), "{path} is loaded at the first interaction");
            let file = anonymous.get(&path).await;
            assert_eq!((file.status.as_u16(), file.header("content-type")), (200, "text/plain; charset=utf-8"));
            assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
        }
        assert!(anonymous.get(&format!("{folder}/common.txt")).await.text().contains(" Bitte melde dich wieder an.\n"));
        assert!(!page.contains("/chat.txt") && !page.contains("/admin.txt"));
        let app = app.with_open_sign_up().await;
        let mut ada = app.person("ada@example.org", "Ada").await;
        let page = ada.get("/").await.text().to_owned();
        let folder_of_ada = page.split("data-texts=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("the texts");
        for bundle in ["common", "chat"] {
            assert!(page.contains(&format!("href=\"{folder_of_ada}/{bundle}.txt\"")), "{bundle} is not preloaded");
        }
        for strange in ["/locales/xx/1/common.txt", "/locales/de/1/common.txt", &format!("{folder}/mail.txt"), &format!("{folder}/common.json")] {
            assert_eq!(anonymous.get(strange).await.status, 404, "{strange}");
        }
    }
}

async fn refused(app: &TestApp) -> serde_json::Value {
    app.anonymous().post_form("/api/sign_in", &[("email", "nonsense"), ("password", "x")]).await.json()
}

each_db! {
    async fn programs_get_error_codes_instead_of_texts(app: TestApp) {
        let refused = refused(&app).await;
        assert_eq!(refused, serde_json::json!({ "error": "invalid", "field": "email", "reason": { "code": "email_malformed" } }));
    }
}
