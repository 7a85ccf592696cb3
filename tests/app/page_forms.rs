//! A page has one form: whoever asks for it gets the same bytes each time, but for what is made up for each answer.

use axum::http::StatusCode;
use colloquy::domain::ChatId;
use uuid::Uuid;

use crate::support::{
    app::each_db,
    client::{Answer, Client},
};

/// Times that a page is asked for, at once with all others.
const TIMES: usize = 12;

/// The page without what is new in each answer: its nonce, random ids, moments.
fn settled(answer: &Answer) -> String {
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
        let is_moment = word.len() >= 16 && word.bytes().all(|byte| byte.is_ascii_digit());
        out.push_str(if Uuid::try_parse(&word).is_ok() {
            "ID"
        } else if is_moment {
            "MOMENT"
        } else {
            &word
        });
        out.push(c);
        word.clear();
    }
    out
}

async fn ask(mut client: Client, path: String) -> (StatusCode, String) {
    let answer = client.get(&path).await;
    (answer.status, settled(&answer))
}

/// Asks for all pages many times at once; gives each page's one form.
async fn forms(client: &Client, paths: &[String]) -> Vec<(StatusCode, String)> {
    let asked = (0..TIMES).flat_map(|_| paths.iter().map(|path| ask(client.clone(), path.clone())));
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
    async fn each_page_has_one_form(app: TestApp) {
        let app = app.open_to_all().await;
        let mut ada = app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        let sent = ada.say(None, "Hello").await;
        ada.settled(sent.chat).await;
        let of_bob = bob.say(None, "Hello").await;
        bob.settled(of_bob.chat).await;
        let missing = ChatId::from_uuid(Uuid::new_v4());

        let strangers = [
            "/sign-in", "/sign-up", "/forgot-password", "/reset-password?token=x", "/verify-address?token=x", "/privacy",
            "/terms", "/", "/sessions", "/nowhere",
        ];
        forms(&app.stranger(), &paths(&strangers)).await;
        let mut of_members = paths(&["/", "/sessions", "/settings", "/settings/confirm", "/nowhere"]);
        of_members.push(format!("/chats/{}", sent.chat));
        of_members.push(format!("/chats/{missing}"));
        of_members.push("/chats/not-an-id".to_owned());
        let told = forms(&bob, &of_members).await;
        // Another's chat, one that never was, and what is no id are one page.
        let [.., another, missing_one, no_id] = told.as_slice() else { panic!("three pages") };
        assert_eq!((another, missing_one.0), (missing_one, StatusCode::NOT_FOUND));
        assert_eq!(no_id.0, StatusCode::NOT_FOUND);
        for piece in ["chat", "shared"] {
            assert_eq!(another.1.matches(&format!("/pkg/{piece}.wasm")).count(), 1, "{}", another.1);
        }
        forms(&ada, &of_members).await;
        // Apart from the others: that a member asked for these is told on the settings page.
        forms(&bob, &paths(&["/people", "/audit"])).await;
        forms(&ada, &paths(&["/people"])).await;
    }
}
