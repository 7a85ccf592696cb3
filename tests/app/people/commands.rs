//! The operator's `user` commands.

use std::{path::Path, process::Command};

use colloquy::{
    domain::{JobKind, Role},
    server::cli::{self, UserCommand},
};

use super::{audit_entries, current_user};
use crate::support::{
    app::{PASSWORD, TestApp, each_db},
    program::Program,
};

/// Runs a command on the data of a running server, like another process.
async fn run(app: &TestApp, command: UserCommand) -> Result<String, String> {
    let config = app.config.clone();
    let done = tokio::task::spawn_blocking(move || {
        let mut out = Vec::new();
        cli::run(&command, &config, &mut out).map(|()| out).map_err(|error| error.to_string())
    });
    Ok(String::from_utf8(done.await.expect("no panic")?).expect("text"))
}

fn link_in(text: &str) -> String {
    let line = text.lines().find(|line| line.contains("/reset-password?token=")).expect("a link");
    line.split_once('=').expect("a token").1.to_owned()
}

each_db! {
    async fn the_operator_manages_accounts_of_a_running_server(app: TestApp) {
        let refused = run(&app, UserCommand::List { search: String::new() }).await.expect_err("no accounts");
        assert!(refused.starts_with("There are no accounts yet"), "{refused}");
        app.administrator().await;
        let email = || "bob@example.org".to_owned();
        let create = || UserCommand::Create { email: email(), name: "Bob".into(), role: Role::Member };
        let made = run(&app, create()).await.expect("an account");
        assert!(made.starts_with("Created an account for bob@example.org (member).\n"), "{made}");
        assert_eq!(run(&app, create()).await, Err("There's already an account with this email.".into()));
        let mut bob = app.anonymous();
        let none = bob.post_form("/api/sign_in", &[("email", &email()), ("password", PASSWORD)]).await;
        assert_eq!(none.status, 422, "there is no password yet");
        let chosen = bob.post_form("/api/reset_password", &[("token", &link_in(&made)), ("password", PASSWORD)]).await;
        assert_eq!(chosen.status, 200, "{}", chosen.text());
        let mut bob = app.signed_in(&email()).await;

        let listed = run(&app, UserCommand::List { search: String::new() }).await.expect("a list");
        let lines: Vec<&str> = listed.lines().collect();
        assert_eq!(lines.len(), 3, "{listed}");
        assert!(lines[0].starts_with("EMAIL") && lines[1].starts_with("ada@example.org  Ada   administrator  active"), "{listed}");
        let found = run(&app, UserCommand::List { search: "BOB".into() }).await.expect("a list");
        assert!(found.contains("bob@example.org") && !found.contains("ada@"), "{found}");

        run(&app, UserCommand::Disable { email: email() }).await.expect("it is disabled");
        assert_eq!(current_user(&mut bob).await, None);
        let dead = run(&app, UserCommand::ResetLink { email: email() }).await;
        assert_eq!(dead, Err("This account is deactivated. Reactivate it first.".into()));
        run(&app, UserCommand::Enable { email: "BOB@example.org".into() }).await.expect("it is enabled");
        let link = link_in(&run(&app, UserCommand::ResetLink { email: email() }).await.expect("a link"));
        let new = "copper-lantern-orbit-77";
        assert_eq!(bob.post_form("/api/reset_password", &[("token", &link), ("password", new)]).await.status, 200);
        run(&app, UserCommand::Role { email: email(), role: Role::Administrator }).await.expect("an administrator");
        run(&app, UserCommand::Role { email: "ada@example.org".into(), role: Role::Member }).await.expect("a member");
        let last = run(&app, UserCommand::Disable { email: email() }).await.expect_err("l03: the last one");
        assert!(last.starts_with("You need at least one active administrator"), "{last}");
        let unknown = run(&app, UserCommand::Enable { email: "x@example.org".into() }).await;
        assert_eq!(unknown, Err("There's no account with the email \"x@example.org\".".into()));
        let wrong = run(&app, UserCommand::Disable { email: "x".into() }).await.expect_err("no address");
        assert!(wrong.starts_with("Enter an email address"), "{wrong}");

        assert_eq!(audit_entries(&app, "disable_account").await, ["nobody > bob@example.org "]);
        assert_eq!(audit_entries(&app, "change_role").await, ["nobody > bob@example.org administrator", "nobody > ada@example.org member"]);
        assert_eq!(audit_entries(&app, "sign_up").await, ["ada@example.org > ada@example.org ", "nobody > bob@example.org "]);
        let from = app.column("select distinct user_agent from audit where actor_id is null and outcome = 'done'").await;
        assert_eq!(from, ["command line"]);
    }
}

each_db! {
    async fn the_operator_schedules_and_cancels_the_deletion_of_an_account(app: TestApp) {
        let app = app.with_open_sign_up().await;
        app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        let delete = || UserCommand::Delete { email: "bob@example.org".into() };
        let keep = || UserCommand::Keep { email: "bob@example.org".into() };
        let none = run(&app, keep()).await.expect_err("no deletion");
        assert!(none.starts_with("This account isn't scheduled for deletion"), "{none}");
        run(&app, delete()).await.expect("it is to be deleted");
        assert_eq!(current_user(&mut bob).await, None);
        run(&app, keep()).await.expect("it is kept");
        let mut bob = app.signed_in("bob@example.org").await;
        run(&app, delete()).await.expect("it is to be deleted");
        assert_eq!(current_user(&mut bob).await, None);
        let last = run(&app, UserCommand::Delete { email: "ada@example.org".into() }).await.expect_err("l03: the last one");
        assert!(last.starts_with("You need at least one active administrator"), "{last}");
        app.state.clock.advance(86_401);
        app.run_due_jobs(JobKind::DeleteAccount).await;
        assert_eq!(app.column("select email from users").await, ["ada@example.org"]);
        assert_eq!(app.column("select outcome from audit where action = 'delete_account'").await, ["done"]);
    }
}

fn program(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
    command.env_clear().current_dir(folder).args(arguments);
    let output = command.output().expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_program_creates_the_first_account_and_manages_it_while_a_server_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, _, error) = program(folder.path(), &["user", "list"]);
    assert_eq!((code, error.lines().count()), (Some(1), 1), "{error}");
    assert!(!folder.path().join("data").exists(), "listing creates nothing");
    let create = ["user", "create", "ada@example.org", "--name", "Ada"];
    let (code, made, error) = program(folder.path(), &create);
    assert_eq!(code, Some(0), "{error}");
    assert!(made.starts_with("Created an account for ada@example.org (administrator)."), "the first one is: {made}");
    let (code, _, error) = program(folder.path(), &create);
    assert_eq!((code, error.as_str()), (Some(1), "There's already an account with this email.\n"));

    let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
    let variables = [("COLLOQUY_LISTEN", "127.0.0.1:0"), ("COLLOQUY_LOG_FORMAT", "json")];
    command.env_clear().envs(variables).current_dir(folder.path());
    let running = Program::start(command);
    let (code, listed, error) = program(folder.path(), &["user", "list", "--search", "ada"]);
    assert_eq!(code, Some(0), "{error}");
    assert!(listed.contains("ada@example.org  Ada   administrator  never signed in"), "{listed}");
    let (code, link, error) = program(folder.path(), &["user", "reset-link", "ada@example.org"]);
    assert!(code == Some(0) && link.contains("http://127.0.0.1:3000/reset-password?token="), "{link}{error}");
    let (code, _, error) = program(folder.path(), &["user", "disable", "ada@example.org"]);
    assert_eq!((code, error.lines().count()), (Some(1), 1), "{error}");
    let (code, _, error) = program(folder.path(), &["user", "role", "nobody@example.org", "administrator"]);
    assert_eq!((code, error.as_str()), (Some(1), "There's no account with the email \"nobody@example.org\".\n"));
    running.signal("-TERM");
    assert_eq!(running.wait_for_exit().0, Some(0));
}
