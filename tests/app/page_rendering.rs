//! Pages are rendered deterministically: the same request gives the same bytes, except values generated per response.

use axum::http::StatusCode;
use colloquy::domain::ChatId;
use uuid::Uuid;

use crate::support::{
    app::each_db,
    client::{Answer, Client},
};

/// The number of concurrent requests for each page.
const REPETITIONS: usize = 12;

/// The page with its nonce, ids and timestamps replaced by placeholders.
fn normalized(answer: &Answer) -> String {
    let policy = answer.header("content-security-policy");
    let nonce =
        policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap_or("no nonce").to_owned();
    let page = answer.text().replace(&nonce, "NONCE");
    let is_id_char = |c: char| c.is_ascii_hexdigit() || c == '-';
    let mut out = String::new();
    let mut word = String::new();
    for c in page.chars().chain(['\n']) {
        if is_id_char(c) {
            word.push(c);
            continue;
        }
        let is_timestamp = word.len() >= 16 && word.bytes().all(|byte| byte.is_ascii_digit());
        out.push_str(if Uuid::try_parse(&word).is_ok() {
            "ID"
        } else if is_timestamp {
            "TIMESTAMP"
        } else {
            &word
        });
        out.push(c);
        word.clear();
    }
    out
}

async fn fetch(mut client: Client, path: String) -> (StatusCode, String) {
    let answer = client.get(&path).await;
    (answer.status, normalized(&answer))
}

/// Requests all pages many times concurrently, checks that each page is always the same, and returns each.
async fn assert_deterministic(client: &Client, paths: &[String]) -> Vec<(StatusCode, String)> {
    let asked = (0..REPETITIONS).flat_map(|_| paths.iter().map(|path| fetch(client.clone(), path.clone())));
    let answers = futures::future::join_all(asked).await;
    for (path, at) in paths.iter().zip(0..) {
        let mut all = answers.iter().skip(at).step_by(paths.len());
        let first = all.next().expect("an answer");
        for (nth, other) in all.enumerate() {
            let differs = first.1.split('>').zip(other.1.split('>')).find(|(one, other)| one != other);
            assert_eq!((first.0, first.1.len()), (other.0, other.1.len()), "{path}, answer {nth}: {differs:?}");
            assert_eq!(differs, None, "{path}, answer {nth}");
        }
    }
    answers.into_iter().take(paths.len()).collect()
}

fn paths(of: &[&str]) -> Vec<String> {
    of.iter().map(|path| (*path).to_owned()).collect()
}

each_db! {
    async fn pages_are_rendered_deterministically(app: TestApp) {
        let app = app.with_open_sign_up().await;
        let mut ada = app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        let sent = ada.send_message(None, "Hello").await;
        ada.wait_for_answer(sent.chat).await;
        let of_bob = bob.send_message(None, "Hello").await;
        bob.wait_for_answer(of_bob.chat).await;
        let missing = ChatId::from_uuid(Uuid::new_v4());

        let strangers = [
            "/sign-in", "/sign-up", "/forgot-password", "/check-inbox", "/reset-password?token=x", "/verify-address?token=x", "/privacy",
            "/terms", "/", "/sessions", "/nowhere",
        ];
        assert_deterministic(&app.anonymous(), &paths(&strangers)).await;
        let mut of_members = paths(&["/", "/sessions", "/settings", "/settings/appearance", "/settings/security", "/settings/data", "/settings/confirm", "/nowhere"]);
        of_members.push(format!("/chats/{}", sent.chat));
        of_members.push(format!("/chats/{missing}"));
        of_members.push("/chats/not-an-id".to_owned());
        let pages = assert_deterministic(&bob, &of_members).await;
        // The chat of another user and a missing chat give the same page; a malformed id is not found either.
        let [.., another, missing_one, no_id] = pages.as_slice() else { panic!("three pages") };
        assert_eq!((another, missing_one.0), (missing_one, StatusCode::NOT_FOUND));
        assert_eq!(no_id.0, StatusCode::NOT_FOUND);
        for chunk in ["chat", "shared"] {
            assert_eq!(another.1.matches(&format!("href=\"/pkg/{chunk}.wasm\"")).count(), 1, "{}", another.1);
        }
        assert_deterministic(&ada, &of_members).await;
        // Separately, because refused requests of a member appear on the settings page.
        assert_deterministic(&bob, &paths(&["/people", "/audit"])).await;
        assert_deterministic(&ada, &paths(&["/people"])).await;
    }
}

each_db! {
    async fn an_unknown_url_is_inside_the_frame_for_members_only(app: TestApp) {
        let mut ada = app.administrator().await;
        for path in ["/nowhere", "/chats/a/b", "/settings/nothing"] {
            let page = ada.get(path).await;
            assert_eq!(page.status, 404, "{path}");
            assert!(page.text().contains("Start a new chat") && page.text().contains("Hide sidebar"), "{path}: {}", page.text());
            let page = app.anonymous().get(path).await;
            assert_eq!(page.status, 404, "{path}");
            assert!(page.text().contains("Back to sign-in") && !page.text().contains("Hide sidebar"), "{path}: {}", page.text());
        }
    }
}
