//! Databases that earlier versions have left.

use colloquy::domain::{JobKind, JobState};
use uuid::Uuid;

use crate::support::app::{Kept, TestApp};

/// An id of a row, by a number.
fn id(number: u128) -> Uuid {
    Uuid::from_u128(number << 64 | 0x8000_0000_0000_0000)
}

fn literal(kept: Kept, id: Uuid) -> String {
    if kept == Kept::Sqlite { format!("x'{}'", id.simple()) } else { format!("'{id}'") }
}

/// What waited in the background before there were jobs.
async fn jobs_take_over(kept: Kept) {
    let [ada, bob, waits, failing, given_up, sent, open, ready] =
        [1, 2, 3, 4, 5, 6, 7, 8].map(|n| literal(kept, id(n)));
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
    let app = TestApp::start_on_earlier(kept, 23, &statements).await;
    let mut tx = app.state.store.read().await.expect("a unit");
    let mut found = async |kind, number| tx.find_job(kind, id(number)).await.expect("a row");

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
    app.state.jobs.drain(JobKind::BuildExport).await.expect("a download");
    assert_eq!(app.column("select state from exports order by id").await, ["ready", "ready"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_waited_before_there_were_jobs_is_done_on_sqlite() {
    jobs_take_over(Kept::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_waited_before_there_were_jobs_is_done_on_postgres() {
    jobs_take_over(Kept::PostgresAndRedis).await;
}
