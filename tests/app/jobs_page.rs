//! Jobs on the administrators' page and the command line.

use std::process::Command;

use colloquy::{
    domain::{Job, JobKind, JobState, Jobs},
    server::{
        cli::{self, JobsAction, JobsCommand},
        store::NewMail,
    },
};
use serde_json::json;
use uuid::Uuid;

use crate::support::{
    app::{TestApp, each_db},
    client::{Answer, Client},
};

const ERROR: &str = "550 nobody";
/// Content of a mail, which no page shows.
const CANARY: &str = "/reset-password?token=canary";

/// The state that a job is put into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SeedState {
    Running,
    /// Failed, and waiting for its next attempt.
    Waiting,
    Failed,
}

/// Inserts a job in this state. This is one transaction, so that no worker claims the job in between. The applications
/// of these tests send no mails.
async fn insert_job(app: &TestApp, kind: JobKind, how: SeedState) -> Uuid {
    let (id, now) = (app.state.clock.new_id(), app.state.clock.now());
    let mut tx = app.state.store.write().await.expect("a unit");
    if kind == JobKind::SendMail {
        let (recipient, subject) = ("nobody@example.org", "Hello");
        let mail = NewMail { id, recipient, subject, text: CANARY, html: CANARY, created_at: now };
        tx.insert_mail(&mail).await.expect("a mail");
    } else {
        tx.enqueue(kind, id, now, now).await.expect("a job");
    }
    let claimed = tx.engine().claim_job(kind, app.state.clock.new_id(), now, now.plus_seconds(60)).await;
    let job = claimed.expect("a claim").expect("the job");
    assert_eq!(job.subject_id, id);
    if how != SeedState::Running {
        let next = (how == SeedState::Waiting).then(|| now.plus_seconds(300));
        tx.engine().fail_job(&job, ERROR, next, now).await.expect("a note");
    }
    tx.commit().await.expect("a commit");
    id
}

async fn find(app: &TestApp, kind: JobKind, subject: Uuid) -> Option<Job> {
    app.state.store.read().await.expect("a unit").admin().find_job(kind, subject).await.expect("a row")
}

async fn change(client: &mut Client, kind: JobKind, subject: Uuid, action: &str) -> Answer {
    let subject = subject.to_string();
    client.post_form("/api/change_job", &[("kind", kind.as_str()), ("subject", &subject), ("action", action)]).await
}

each_db! {
    async fn only_administrators_see_failed_jobs(app: TestApp) {
        let app = app.with_open_sign_up().await;
        let mut ada = app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        let failed = insert_job(&app, JobKind::SendMail, SeedState::Failed).await;
        insert_job(&app, JobKind::SendMail, SeedState::Waiting).await;
        let jobs: Jobs = ada.post_json("/api/list_jobs", &json!({})).await.json();
        assert_eq!((jobs.failed, jobs.count(JobState::Failed), jobs.is_truncated()), (1, 1, false));
        let first = &jobs.jobs[0];
        assert_eq!((first.kind, first.subject, first.state), (JobKind::SendMail, failed, JobState::Failed));
        assert_eq!((first.about.as_deref(), first.last_error.as_deref()), (Some("nobody@example.org"), Some(ERROR)));

        let page = ada.get("/jobs").await;
        assert_eq!(page.status, 200);
        let page = page.text();
        for words in [ERROR, "nobody@example.org", "1 failed", "Next attempt", "Give up: Send an email, nobody@example.org"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        assert_eq!(page.matches("\"Try again: Send an email").count(), 1, "a permanently failed mail cannot be retried");
        assert!(!page.contains("canary"), "{page}");
        assert!(ada.get("/sessions").await.text().contains("\"/jobs\""));

        assert_eq!(bob.post_json("/api/list_jobs", &json!({})).await.status, 403);
        assert_eq!(change(&mut bob, JobKind::SendMail, failed, "give_up").await.status, 403);
        let page = bob.get("/jobs").await;
        assert!(page.status == 404 && !page.text().contains("nobody@example.org"), "{}", page.text());
        assert!(!bob.get("/sessions").await.text().contains("\"/jobs\""));
        let page = app.anonymous().get("/jobs").await;
        assert!(page.status == 302 && page.header("location").starts_with("/sign-in"), "{}", page.status);
        assert!(find(&app, JobKind::SendMail, failed).await.is_some());
    }
}

each_db! {
    async fn a_failed_job_can_be_retried(app: TestApp) {
        let mut ada = app.administrator().await;
        let export = insert_job(&app, JobKind::BuildExport, SeedState::Failed).await;
        let answer = change(&mut ada, JobKind::BuildExport, export, "try_again").await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "\"try_again\""));
        // The application's own worker may have run the job by now; it finds nothing to build.
        let state = find(&app, JobKind::BuildExport, export).await.map(|job| job.state);
        assert_ne!(state, Some(JobState::Failed));

        let mail = insert_job(&app, JobKind::SendMail, SeedState::Waiting).await;
        assert_eq!(change(&mut ada, JobKind::SendMail, mail, "try_again").await.status, 200);
        let job = find(&app, JobKind::SendMail, mail).await.expect("the job");
        assert!(job.state == JobState::Waiting && job.run_at <= app.state.clock.now(), "{job:?}");
        let acts = app.column("select detail from audit where action = 'retry_job' order by at, id").await;
        assert_eq!(acts, ["Prepare a data export", "Send an email"]);
    }
}

each_db! {
    async fn giving_up_a_mail_deletes_its_text(app: TestApp) {
        let mut ada = app.administrator().await;
        for how in [SeedState::Waiting, SeedState::Failed] {
            let mail = insert_job(&app, JobKind::SendMail, how).await;
            assert_eq!(change(&mut ada, JobKind::SendMail, mail, "give_up").await.status, 200, "{how:?}");
            assert_eq!(find(&app, JobKind::SendMail, mail).await, None, "{how:?}");
            assert_eq!(change(&mut ada, JobKind::SendMail, mail, "give_up").await.status, 404, "{how:?}");
        }
        assert_eq!(app.column("select text from mails").await, ["", ""]);
        assert_eq!(app.column("select detail from audit where action = 'give_up_job'").await, ["Send an email", "Send an email"]);
    }
}

each_db! {
    async fn invalid_actions_on_jobs_are_refused(app: TestApp) {
        let mut ada = app.administrator().await;
        let mut refused = Vec::new();
        for (kind, how, action) in [
            (JobKind::SendMail, SeedState::Running, "try_again"),
            (JobKind::SendMail, SeedState::Running, "give_up"),
            (JobKind::SendMail, SeedState::Failed, "try_again"),
            (JobKind::RemoveFactors, SeedState::Waiting, "give_up"),
        ] {
            let subject = insert_job(&app, kind, how).await;
            let before = find(&app, kind, subject).await;
            assert_eq!(change(&mut ada, kind, subject, action).await.status, 409, "{kind:?} {how:?} {action}");
            assert_eq!(find(&app, kind, subject).await, before, "{kind:?} {how:?} {action}");
            refused.push(subject.to_string());
        }
        let known = refused[0].as_str();
        for (kind, subject, action) in [
            ("", known, "try_again"),
            ("drop table", known, "try_again"),
            ("send_mail", "x", "try_again"),
            ("send_mail", known, "delete"),
            ("send_mail", known, ""),
        ] {
            let form = [("kind", kind), ("subject", subject), ("action", action)];
            assert_eq!(ada.post_form("/api/change_job", &form).await.status, 422, "{form:?}");
        }
        assert_eq!(app.column("select detail from audit where action in ('retry_job', 'give_up_job')").await, Vec::<String>::new());
    }
}

each_db! {
    async fn jobs_are_changed_without_scripts(app: TestApp) {
        let mut ada = app.administrator().await;
        let mail = insert_job(&app, JobKind::SendMail, SeedState::Waiting).await.to_string();
        for (action, place, words) in [
            ("try_again", "/jobs?done=again", "The job will run again as soon as possible."),
            ("give_up", "/jobs?done=given-up", "The job was given up."),
        ] {
            let form = [("kind", "send_mail"), ("subject", mail.as_str()), ("action", action)];
            let led = ada.submit("/api/change_job", &form).await;
            assert_eq!((led.status.as_u16(), led.header("location")), (302, place), "{}", led.text());
            assert!(ada.get(place).await.text().contains(words), "{words}");
        }
        let form = [("kind", "send_mail"), ("subject", mail.as_str()), ("action", "give_up")];
        let led = ada.submit("/api/change_job", &form).await;
        let place = led.header("location").to_owned();
        assert!(led.status == 302 && place.contains("__err="), "{place}");
        let query = place.split_once('?').expect("a query").1;
        assert!(ada.get(&format!("/jobs?{query}")).await.text().contains("Not found."));
    }
}

/// Runs a command on the data of a running server, like another process.
async fn run(app: &TestApp, failed: bool, action: Option<JobsAction>) -> Result<String, String> {
    let (config, command) = (app.config.clone(), JobsCommand { failed, action });
    let done = tokio::task::spawn_blocking(move || {
        let mut out = Vec::new();
        cli::run_jobs(&command, &config, &mut out).map(|()| out).map_err(|error| error.to_string())
    });
    Ok(String::from_utf8(done.await.expect("no panic")?).expect("text"))
}

each_db! {
    async fn the_operator_lists_and_changes_jobs_of_a_running_server(app: TestApp) {
        app.administrator().await;
        assert_eq!(run(&app, true, None).await, Ok("No failed jobs.\n".to_owned()));
        let failed = insert_job(&app, JobKind::SendMail, SeedState::Failed).await;
        let waiting = insert_job(&app, JobKind::SendMail, SeedState::Waiting).await;
        let listed = run(&app, true, None).await.expect("a list");
        let lines: Vec<&str> = listed.lines().collect();
        assert_eq!(lines.len(), 3, "{listed}");
        assert!(lines[0].starts_with("KIND") && lines[2].starts_with("1 failed, "), "{listed}");
        assert!(lines[1].starts_with(&format!("send_mail  {failed}  nobody@example.org  failed")), "{listed}");
        assert!(lines[1].ends_with(ERROR), "{listed}");
        let listed = run(&app, false, None).await.expect("a list");
        assert!(listed.contains(&failed.to_string()) && listed.contains(&waiting.to_string()), "{listed}");

        let kind = JobKind::SendMail;
        let again = |subject| Some(JobsAction::TryAgain { kind, subject });
        let give_up = |subject| Some(JobsAction::GiveUp { kind, subject });
        let refused = run(&app, false, again(failed)).await.expect_err("its text is not kept");
        assert!(refused.starts_with("The job is running, hasn't failed"), "{refused}");
        let done = run(&app, false, again(waiting)).await.expect("it is due");
        assert!(done.starts_with("The job is due now."), "{done}");
        assert_eq!(run(&app, false, give_up(waiting)).await, Ok("The job was given up.\n".to_owned()));
        assert_eq!(run(&app, false, give_up(waiting)).await, Err("There's no such job (any more).".to_owned()));
        assert_eq!(find(&app, kind, waiting).await, None);
        let from = app.column("select user_agent from audit where action = 'give_up_job' and actor_id is null").await;
        assert_eq!(from, ["command line"]);
    }
}

#[test]
fn the_jobs_command_has_help_and_checks_its_arguments() {
    let program = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        let output = command.env_clear().args(arguments).output().expect("the program runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, help, error) = program(&["jobs", "--help"]);
    assert_eq!(code, Some(0), "{error}");
    assert!(["--failed", "try-again", "give-up"].iter().all(|word| help.contains(word)), "{help}");
    let subject = Uuid::nil().to_string();
    let (code, _, error) = program(&["jobs", "give-up", "everything", &subject]);
    assert!(code == Some(2) && error.contains("use one of send_mail, build_export"), "{error}");
    let (code, _, error) = program(&["jobs", "try-again", "remove_chats", "none"]);
    assert!(code == Some(2) && error.contains("use it as listed by `colloquy jobs`"), "{error}");
}
