//! Snapshots of all pages, as each kind of user gets them without scripts. They are outlines, in `snapshots`; ids and
//! times are replaced by placeholders. `INSTA_UPDATE=always` writes them anew.

use colloquy::{
    domain::UserId,
    server::config::{Config, SecondFactorRequirement},
};

use crate::{
    credentials::id_of,
    support::{
        app::{Backend, TestApp},
        client::Client,
        outline::outline,
        smtp::Smtp,
        wait::wait_until,
    },
};

/// Values that differ between two runs.
const PLACEHOLDERS: [(&str, &str); 10] = [
    (r"[0-9a-f]{8}(?:-|%2D)[0-9a-f]{4}(?:-|%2D)[0-9a-f]{4}(?:-|%2D)[0-9a-f]{4}(?:-|%2D)[0-9a-f]{12}", "[id]"),
    (r"\b\d{16,}\b", "[micros]"),
    (r"\b\d{4}-\d{2}-\d{2}T[0-9:.]+Z", "[timestamp]"),
    (r"\b\d{4}-\d{2}-\d{2}\b", "[date]"),
    (
        r"\b\d{1,2} (?:January|February|March|April|May|June|July|August|September|October|November|December)(?: \d{4})?",
        "[date]",
    ),
    (r"\b\d{1,2}:\d{2}\b", "[time]"),
    (r"\bjust now\b|\b\d+ minutes? ago\b", "[moment]"),
    (r"\bRuns in (?:less than a minute|\d+ \w+)", "Runs in [duration]"),
    (r#""(?:Today|Yesterday)""#, "\"[day]\""),
    (r"\bGood (?:morning|afternoon|evening)\b", "[greeting]"),
];

/// An installation of Ada, the administrator, and Bob, a member, and their ids. Both have a chat.
struct Installation {
    app: TestApp,
    ada: Client,
    bob: Client,
    bob_id: UserId,
    chats: [String; 2],
    _smtp: Smtp,
}

impl Installation {
    async fn start(change: impl FnOnce(&mut Config)) -> Self {
        let smtp = Smtp::start().await;
        let mail = smtp.config();
        let app = TestApp::start_with(Backend::Sqlite, |config| {
            config.sign_up_open = true;
            config.mail = Some(mail);
            change(config);
        })
        .await;
        let ada = app.administrator().await;
        let bob = app.person("bob@example.org", "Bob").await;
        let bob_id = id_of(&app, "bob@example.org").await;
        Self { app, ada, bob, bob_id, chats: Default::default(), _smtp: smtp }
    }

    /// Has both ask a question, and waits for the answers.
    async fn with_chats(mut self) -> Self {
        for (person, chat) in [&mut self.ada, &mut self.bob].into_iter().zip(&mut self.chats) {
            let sent = person.send_message(None, "What is **bold**?").await;
            person.wait_for_answer(sent.chat).await;
            *chat = format!("/chats/{}", sent.chat);
        }
        self
    }

    /// Waits until no scheduled job runs, and gives their next runs an order.
    async fn with_idle_jobs(self) -> Self {
        let app = &self.app;
        wait_until("all schedules wait", async || {
            let states = app.column("select state from jobs").await;
            states.len() >= 3 && states.iter().all(|state| state == "waiting")
        })
        .await;
        let later = app.state.clock.now().plus_seconds(3_600).micros();
        app.execute(&format!("update jobs set run_at = {later} + 1000000 * length(kind)")).await;
        self
    }

    /// The pages by the names of their snapshots. `chat` is the path of a chat.
    fn pages(&self, chat: &str) -> Vec<(&'static str, String)> {
        let person = format!("/people/{}", self.bob_id);
        let chat = if chat.is_empty() { "/chats/0190e2a4-0000-7000-8000-000000000000" } else { chat };
        let pages = [
            ("sign-in", "/sign-in"),
            ("sign-up", "/sign-up"),
            ("forgot-password", "/forgot-password"),
            ("check-inbox", "/check-inbox"),
            ("privacy", "/privacy"),
            ("terms", "/terms"),
            ("not-found", "/there-is-no-such-page"),
            ("new-chat", "/"),
            ("chat", chat),
            ("sessions", "/sessions"),
            ("settings", "/settings"),
            ("settings-appearance", "/settings/appearance"),
            ("settings-security", "/settings/security"),
            ("settings-data", "/settings/data"),
            ("confirm", "/settings/confirm"),
            ("people", "/people"),
            ("person", &person),
            ("audit", "/audit"),
            ("jobs", "/jobs"),
        ];
        pages.map(|(name, path)| (name, path.to_owned())).into()
    }
}

/// Compares all pages with the snapshots of this kind of user. Redirects are in one snapshot, and the legal texts, which
/// are the same for everyone, only in those of anonymous users.
async fn assert_pages(user: &str, client: &mut Client, pages: &[(&'static str, String)]) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (pattern, placeholder) in PLACEHOLDERS {
        settings.add_filter(pattern, placeholder);
    }
    let mut responses = String::new();
    for (name, path) in pages {
        let answer = client.get(path).await;
        responses.push_str(&format!("{path} {} {}", answer.status.as_u16(), answer.header("location")));
        responses.truncate(responses.trim_end().len());
        responses.push('\n');
        let is_legal = matches!(*name, "privacy" | "terms");
        if answer.status.is_redirection() || (is_legal && user != "anonymous") {
            continue;
        }
        settings.bind(|| insta::assert_snapshot!(format!("{user}-{name}"), outline(&answer.text())));
    }
    settings.bind(|| insta::assert_snapshot!(format!("{user}-responses"), responses));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_of_anonymous_users() {
    let house = Installation::start(|_| {}).await;
    assert_pages("anonymous", &mut house.app.anonymous(), &house.pages("")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_of_members() {
    let house = Installation::start(|_| {}).await.with_chats().await;
    assert_pages("member", &mut house.bob.clone(), &house.pages(&house.chats[1])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_of_administrators() {
    let house = Installation::start(|_| {}).await.with_chats().await.with_idle_jobs().await;
    assert_pages("administrator", &mut house.ada.clone(), &house.pages(&house.chats[0])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_before_enrolment() {
    let house = Installation::start(|config| config.require_second_factor = SecondFactorRequirement::Everyone).await;
    assert_pages("before-enrolment", &mut house.bob.clone(), &house.pages("")).await;
}

#[test]
fn outlines_contain_what_readers_get() {
    let page = "<html><head><title>A  page</title><script>1</script></head><body><div><h1>Hello <b>you</b></h1>
        <form method=post action=/x><label for=n>Name</label><input id=n name=n required class=big>
        <button>Go <svg><title>no</title></svg></button></form><p>One</p>two</div></body></html>";
    let expected = "title \"A page\"
h1 \"Hello you\"
form method=\"post\" action=\"/x\"
  input name=\"n\" label=\"Name\" required
  button \"Go\"
p \"One\"
\"two\"
";
    assert_eq!(outline(page), expected);
}
