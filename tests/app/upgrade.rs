//! Upgrades of databases of earlier versions.

use colloquy::{
    domain::{ChatId, JobKind, JobState, MessageId, UserId},
    server::store::PartKind,
};
use uuid::Uuid;

use crate::support::app::{Backend, TestApp};

/// The id of a row, from a number.
fn id(number: u128) -> Uuid {
    Uuid::from_u128(number << 64 | 0x8000_0000_0000_0000)
}

fn literal(backend: Backend, id: Uuid) -> String {
    if backend == Backend::Sqlite { format!("x'{}'", id.simple()) } else { format!("'{id}'") }
}

/// Pending background work of a version without the job queue gets jobs.
async fn pending_work_gets_jobs(backend: Backend) {
    let [ada, bob, waits, failing, given_up, sent, open, ready] =
        [1, 2, 3, 4, 5, 6, 7, 8].map(|n| literal(backend, id(n)));
    let far = 9_000_000_000_000_000_i64;
    let user = |id: &str, name: &str, due: &str| {
        format!(
            "insert into users (id, email, email_key, name, name_key, password_hash, role, created_at, deletion_asked_at, deletion_at)
             values ({id}, '{name}@example.org', '{name}@example.org', '{name}', '{name}', '', 'member', 1, {due})"
        )
    };
    let mail = |id: &str, created_at: i64, rest: &str| {
        format!(
            "insert into mails (id, recipient, subject, text, html, created_at, attempts, next_attempt_at, sent_at, last_error)
             values ({id}, 'bob@example.org', 's', 't', 'h', {created_at}, {rest})"
        )
    };
    let export = |id: &str, owner: &str, state: &str| {
        format!(
            "insert into exports (id, user_id, state, created_at, expires_at) values ({id}, {owner}, '{state}', 6, {far})"
        )
    };
    let statements = [
        user(&ada, "ada", &format!("7, {far}")),
        user(&bob, "bob", "null, null"),
        mail(&waits, 5, "0, 5, null, null"),
        mail(&failing, 5, &format!("2, {far}, null, '451 later'")),
        mail(&given_up, far, "3, null, null, '550 nobody'"),
        mail(&sent, 5, "1, null, 9, null"),
        export(&open, &ada, "working"),
        export(&ready, &bob, "ready"),
        format!("insert into factor_removals (user_id, created_at, due_at) values ({bob}, 8, {far})"),
    ];
    let app = TestApp::start_on_earlier(backend, 23, &statements).await;
    let mut tx = app.state.store.read().await.expect("a unit");
    let mut found = async |kind, number| tx.admin().find_job(kind, id(number)).await.expect("a row");

    let job = found(JobKind::SendMail, 3).await.expect("the mail that waits");
    assert_eq!((job.state, job.attempts, job.run_at.micros()), (JobState::Waiting, 0, 5));
    let job = found(JobKind::SendMail, 4).await.expect("the mail that failed");
    assert_eq!((job.state, job.attempts, job.last_error.as_deref()), (JobState::Waiting, 2, Some("451 later")));
    let job = found(JobKind::SendMail, 5).await.expect("the mail that was given up");
    assert_eq!((job.state, job.about.as_deref()), (JobState::Failed, Some("bob@example.org")));
    assert_eq!(found(JobKind::SendMail, 6).await, None, "it was sent");
    let job = found(JobKind::DeleteAccount, 1).await.expect("Ada's account");
    assert_eq!(
        (job.state, job.run_at.micros(), job.about.as_deref()),
        (JobState::Waiting, far, Some("ada@example.org"))
    );
    assert_eq!(found(JobKind::DeleteAccount, 2).await, None);
    let job = found(JobKind::RemoveFactors, 2).await.expect("Bob's factors");
    assert_eq!(job.run_at.micros(), far);
    assert_eq!(found(JobKind::BuildExport, 8).await, None, "it is ready");
    drop(tx);

    // Work that an instance of the earlier version adds during the upgrade gets its job at the next start.
    assert_eq!(app.execute("delete from jobs where kind in ('delete_account', 'remove_factors')").await, 2);
    let mut tx = app.state.store.write().await.expect("a unit");
    assert_eq!(tx.engine().enqueue_missing(app.state.clock.now()).await.expect("jobs"), 2);
    assert_eq!(tx.engine().enqueue_missing(app.state.clock.now()).await.expect("jobs"), 0);
    for (kind, number) in [(JobKind::DeleteAccount, 1), (JobKind::RemoveFactors, 2)] {
        let job = tx.admin().find_job(kind, id(number)).await.expect("a row").expect("a job");
        assert_eq!(job.run_at.micros(), far);
    }
    tx.commit().await.expect("a commit");
    app.state.jobs.drain(JobKind::BuildExport).await.expect("a download");
    assert_eq!(app.column("select state from exports order by id").await, ["ready", "ready"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pending_work_of_earlier_versions_is_done_on_sqlite() {
    pending_work_gets_jobs(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pending_work_of_earlier_versions_is_done_on_postgres() {
    pending_work_gets_jobs(Backend::PostgresAndRedis).await;
}

const MESSAGES: usize = 5_000;

/// Chats of a version in which messages had positions: a small one with an answer that was retried twice, and 20 with
/// 5,000 messages each.
fn chats_by_position(backend: Backend) -> Vec<String> {
    let sql = |number| literal(backend, id(number));
    let owner = sql(1);
    let user = format!(
        "insert into users (id, email, email_key, name, name_key, password_hash, role, created_at)
         values ({owner}, 'ada@example.org', 'ada@example.org', 'Ada', 'ada', '', 'member', 1)"
    );
    let chat = |number, title: &str, next: usize| {
        format!(
            "insert into chats (id, owner_id, title, title_key, model, last_words, created_at, active_at, next_position,
                                pinned, archived)
             values ({}, {owner}, '{title}', '{title}', 'm', '', 1, 1, {next}, false, false)",
            sql(number)
        )
    };
    let message = |number, position, author: &str, state: &str, superseded, text: &str, reasoning: &str| {
        format!(
            "insert into messages (id, chat_id, owner_id, position, author, state, text, reasoning, left_out, prompt_tokens,
                                   answer_tokens, superseded, created_at)
             values ({}, {}, {owner}, {position}, '{author}', '{state}', '{text}', '{reasoning}', 0, 3, 4, {superseded}, 1)",
            sql(number),
            sql(2)
        )
    };
    let mut statements = vec![
        user,
        chat(2, "small", 7),
        message(11, 1, "user", "complete", false, "q1", ""),
        message(12, 2, "assistant", "failed", true, "", ""),
        message(13, 3, "assistant", "complete", true, "a1 once", ""),
        message(14, 4, "assistant", "complete", false, "a1", "r1"),
        message(15, 5, "user", "complete", false, "q2", ""),
        message(16, 6, "assistant", "stopped", false, "a2", ""),
        format!(
            "insert into runs (id, chat_id, message_id, owner_id, state, epoch, stop_requested, continues, model, created_at)
             values ({}, {}, {}, {owner}, 'ended', 1, true, false, 'm', 1)",
            sql(21),
            sql(2),
            sql(16)
        ),
        chat(3, "empty", 1),
    ];
    statements.extend((100..120).map(|number| chat(number, "large", MESSAGES + 1)));
    let (numbers, fresh) = if backend == Backend::Sqlite {
        (
            format!(
                "(with recursive n(i) as (select 1 union all select i + 1 from n where i < {MESSAGES}) select i from n)"
            ),
            "randomblob(16)",
        )
    } else {
        (format!("(select i from generate_series(1, {MESSAGES}) as i)"), "gen_random_uuid()")
    };
    // Every tenth was superseded by a retry.
    statements.push(format!(
        "insert into messages (id, chat_id, owner_id, position, author, state, text, reasoning, left_out, prompt_tokens,
                               answer_tokens, superseded, created_at)
         select {fresh}, c.id, c.owner_id, n.i, 'user', 'complete', 'message ' || n.i, '', 0, 0, 0, n.i % 10 = 4, 1
         from chats c cross join {numbers} n where c.title = 'large'"
    ));
    statements
}

async fn positions_become_a_tree(backend: Backend) {
    let app = TestApp::start_on_earlier(backend, 24, &chats_by_position(backend)).await;
    let (ada, small) = (UserId::from_uuid(id(1)), ChatId::from_uuid(id(2)));
    let mut tx = app.state.store.read().await.expect("a unit");
    let rows = tx.owned_by(ada).list_tree(small, None, 100).await.expect("messages");
    let message = |number| MessageId::from_uuid(id(number));
    let tree: Vec<_> = rows.iter().map(|row| (row.id, row.parent_id, row.depth)).collect();
    assert_eq!(
        tree,
        [
            (message(11), None, 0),
            (message(12), Some(message(11)), 1),
            (message(13), Some(message(11)), 1),
            (message(14), Some(message(11)), 1),
            (message(15), Some(message(14)), 2),
            (message(16), Some(message(15)), 3),
        ]
    );
    let texts: Vec<_> = rows.iter().map(|row| row.text().into_owned()).collect();
    assert_eq!(texts, ["q1", "", "a1 once", "a1", "q2", "a2"]);
    assert_eq!((&*rows[3].reasoning(), rows[3].parts[0].kind, rows[0].parts.len()), ("r1", PartKind::Reasoning, 1));
    assert_eq!((rows[3].prompt_tokens, rows[3].answer_tokens, rows[5].state.as_str()), (3, 4, "stopped"));
    assert!(tx.owned_by(ada).find_last_run(message(16)).await.expect("a row").is_some());
    drop(tx);

    let chats = &app.state.chats;
    let shown = chats.open(ada, small, None).await.expect("the small chat").window.messages;
    assert_eq!(shown.iter().map(|one| one.id).collect::<Vec<_>>(), [11, 14, 15, 16].map(message));
    assert!(chats.open(ada, ChatId::from_uuid(id(3)), None).await.expect("the empty chat").window.messages.is_empty());
    for number in [100, 119] {
        let large = ChatId::from_uuid(id(number));
        let mut window = chats.open(ada, large, None).await.expect("a large chat").window;
        let mut depths = Vec::new();
        loop {
            depths.splice(0..0, window.messages.iter().map(|one| one.depth));
            let text = &window.messages[0].text;
            let place: usize = text.strip_prefix("message ").and_then(|n| n.parse().ok()).expect("a number");
            assert!(place % 10 != 4, "{text} was superseded");
            if !window.has_older {
                break;
            }
            window = chats.older_messages(ada, large, window.messages[0].id).await.expect("older messages");
        }
        assert!(depths.into_iter().eq(0..i64::try_from(MESSAGES * 9 / 10).expect("a number")));
    }
    let counts = "select count(*) from messages union all select count(*) from message_parts";
    let counts = counts.replace("count(*)", "cast(count(*) as text)");
    assert_eq!(app.column(&counts).await, ["100006", "100006"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn messages_by_position_become_a_tree_on_sqlite() {
    positions_become_a_tree(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn messages_by_position_become_a_tree_on_postgres() {
    positions_become_a_tree(Backend::PostgresAndRedis).await;
}
