//! Encrypted secrets in the database, and their keys.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

use colloquy::{
    domain::{SignInStep, TotpEnrolment},
    server::{
        config::{Config, key_bytes},
        secrets::{Rotation, SecretError, Secrets},
        state::{AppState, StartError},
    },
};
use secrecy::{ExposeSecret, SecretString};
use tokio_util::sync::CancellationToken;
use totp_rs::Totp;

use super::factors::{TotpApp, add_totp_app, current_user, factors, sign_in_step};
use crate::support::{
    app::{Backend, TestApp, each_db},
    client::Client,
};

/// The whole content of the database as text.
async fn dump(app: &TestApp) -> String {
    let Some(url) = &app.config.database_url else {
        let mut bytes = Vec::new();
        for ending in ["", "-wal"] {
            bytes.extend(
                fs::read(app.config.data.join(format!("colloquy.db{ending}"))).expect("a file of the database"),
            );
        }
        return String::from_utf8_lossy(&bytes).into_owned();
    };
    let pool = sqlx::PgPool::connect(url.expose_secret()).await.expect("the test's database");
    let tables: Vec<(String,)> = sqlx::query_as("select tablename::text from pg_tables where schemaname = 'public'")
        .fetch_all(&pool)
        .await
        .expect("tables");
    let mut text = String::new();
    for (table,) in tables {
        let rows = format!("select coalesce(string_agg(t::text, ' '), '') from \"{table}\" t");
        text += &sqlx::query_scalar::<_, String>(&rows).fetch_one(&pool).await.expect("rows");
    }
    pool.close().await;
    text
}

async fn start(app: &TestApp, config: Config) -> Result<AppState, StartError> {
    AppState::open(config, app.state.clock.clone(), app.state.leptos_options.clone(), CancellationToken::new()).await
}

async fn refused(app: &TestApp, config: Config) -> String {
    match start(app, config).await {
        Ok(_) => panic!("it started"),
        Err(error) => error.to_string(),
    }
}

fn key_file(app: &TestApp, id: &str) -> PathBuf {
    app.config.data.join(format!("keys/secrets/{id}.key"))
}

async fn rotate(app: &TestApp) -> Result<Rotation, SecretError> {
    let configured = app.config.secrets_key.as_ref().and_then(key_bytes);
    Secrets::rotate(&app.config.data, configured, &app.state.store, &app.state.clock).await
}

async fn can_sign_in(app: &TestApp, client: &mut Client, totp_app: &TotpApp) -> bool {
    assert!(matches!(sign_in_step(client).await, SignInStep::SecondFactor { .. }));
    client.post_form("/api/finish_sign_in", &[("code", &totp_app.next_code(app))]).await;
    current_user(client).await.is_some()
}

/// The ids of the keys that encrypted values in the database use.
async fn used_keys(app: &TestApp) -> Vec<String> {
    let dump = dump(app).await;
    let mut ids: Vec<String> = dump
        .match_indices("v1.")
        .filter_map(|(at, _)| dump[at + 3..].split_once('.').map(|(id, _)| id.to_owned()))
        .collect();
    ids.retain(|id| id.len() < 18 && !id.is_empty());
    ids.sort();
    ids.dedup();
    ids
}

each_db! {
    async fn k03_neither_the_database_nor_later_responses_contain_a_plain_secret(app: TestApp) {
        let mut ada = app.administrator().await;
        let begun = ada.post_form("/api/begin_totp", &[]).await;
        let enrolment: TotpEnrolment = begun.json();
        assert!(begun.header("cache-control").contains("no-store"));
        let totp = Totp::from_url(&enrolment.uri).expect("an address");
        let code = totp.generate(u64::try_from(app.state.clock.now().micros() / 1_000_000).expect("after 1970")).to_string();
        let confirmed = ada.post_form("/api/confirm_totp", &[("code", &code)]).await;
        let codes: Vec<String> = confirmed.json();

        let mut answers = vec![confirmed.text()];
        for path in ["list_factors", "load_frame", "begin_totp", "begin_passkey_registration"] {
            answers.push(ada.post_form(&format!("/api/{path}"), &[]).await.text());
        }
        for path in ["/", "/sessions"] {
            answers.push(ada.get(path).await.text());
        }
        let base32 = totp.secret().to_base32();
        let raw = totp.secret().as_bytes();
        let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
        let base64 = { use base64::Engine; base64::engine::general_purpose::STANDARD_NO_PAD.encode(raw) };
        let mut clear = vec![base32, enrolment.secret.clone(), hex, base64, String::from_utf8_lossy(raw).into_owned()];
        for (number, answer) in answers.iter().enumerate() {
            assert!(clear.iter().all(|secret| !answer.contains(secret)), "answer {number}: {answer}");
        }
        clear.extend(codes.iter().flat_map(|code| [code.clone(), code.replace('-', "")]));
        let dump = dump(&app).await;
        assert!(dump.contains("v1.1."), "sealed values are there");
        assert!(clear.iter().all(|secret| !dump.contains(secret)));
    }
}

each_db! {
    async fn k03_a_missing_or_wrong_key_stops_the_start_and_is_not_replaced(app: TestApp) {
        let mut ada = app.administrator().await;
        let (totp_app, _) = add_totp_app(&app, &mut ada).await;
        let file = key_file(&app, "1");
        assert_eq!(fs::metadata(&file).expect("the key").permissions().mode() & 0o777, 0o600);
        let right = fs::read(&file).expect("the key");
        fs::remove_file(&file).expect("our file");
        let lost = refused(&app, app.config.clone()).await;
        assert!(lost.contains("The key 1 is missing") && lost.contains("Restore") && lost.contains("1.key"), "{lost}");
        assert!(!file.exists(), "nothing was put into its place");

        fs::write(&file, (0..32).collect::<Vec<u8>>()).expect("our folder");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("our file");
        let wrong = refused(&app, app.config.clone()).await;
        assert!(wrong.contains("The key 1 is not the one") && wrong.contains("Restore"), "{wrong}");

        fs::write(&file, right).expect("our file");
        let again = app.second_instance().await;
        assert!(can_sign_in(&again, &mut again.anonymous(), &totp_app).await);
        again.stop().await;
    }
}

each_db! {
    async fn k03_a_server_with_other_keys_does_not_start_on_the_same_database(app: TestApp) {
        if app.config.database_url.is_none() {
            // A SQLite file is in the same data folder as its keys.
            return;
        }
        app.administrator().await;
        let elsewhere = tempfile::tempdir().expect("a folder");
        fs::create_dir(elsewhere.path().join("keys")).expect("our folder");
        fs::set_permissions(elsewhere.path().join("keys"), fs::Permissions::from_mode(0o700)).expect("our folder");
        fs::copy(app.config.data.join("keys/installation.key"), elsewhere.path().join("keys/installation.key")).expect("a copy");
        let error = refused(&app, Config { data: elsewhere.path().to_owned(), ..app.config.clone() }).await;
        assert!(error.contains("The key 1 is missing"), "{error}");
        assert!(!elsewhere.path().join("keys/secrets").exists());
    }
}

each_db! {
    async fn k03_sign_in_works_after_a_key_rotation(app: TestApp) {
        let mut ada = app.administrator().await;
        let (totp_app, _) = add_totp_app(&app, &mut ada).await;
        let done = rotate(&app).await.expect("a change of keys");
        assert_eq!((done.key.as_str(), done.configured), ("2", false));
        assert_eq!((done.sealed[0], &done.kept, &done.removed), (("factors.secret", 1), &vec!["1".to_owned()], &vec![]));
        assert!(key_file(&app, "1").exists(), "a server may still run with it");
        assert!(can_sign_in(&app, &mut app.anonymous(), &totp_app).await, "the running server finds the new key");
        let again = app.second_instance().await;
        assert!(can_sign_in(&again, &mut again.anonymous(), &totp_app).await);
        again.stop().await;

        let done = rotate(&app).await.expect("a change of keys");
        assert_eq!((done.key.as_str(), &done.kept, &done.removed), ("3", &vec!["2".to_owned()], &vec!["1".to_owned()]));
        assert!(!key_file(&app, "1").exists() && key_file(&app, "2").exists());
        let report = done.to_string();
        for part in ["The key 3 seals", "factors.secret: 1 sealed anew", "Removed, because nothing uses them any more: 1."] {
            assert!(report.contains(part), "{part} in {report}");
        }
        assert!(can_sign_in(&app, &mut app.anonymous(), &totp_app).await);
    }
}

each_db! {
    async fn k03_an_interrupted_key_rotation_is_completed_by_the_next(app: TestApp) {
        let mut ada = app.administrator().await;
        let (totp_app, _) = add_totp_app(&app, &mut ada).await;
        // The rotation creates the key, then cannot decrypt a value: nothing is changed.
        app.execute("update factors set secret = secret || 'A'").await;
        assert!(matches!(rotate(&app).await, Err(SecretError::Unreadable(_))));
        assert!(key_file(&app, "2").exists());
        app.execute("update factors set secret = substr(secret, 1, length(secret) - 1)").await;
        assert!(can_sign_in(&app, &mut app.anonymous(), &totp_app).await);
        let done = rotate(&app).await.expect("a change of keys");
        assert_eq!(done.key, "2", "the key that was made is taken");
        assert!(!key_file(&app, "3").exists());
        assert!(can_sign_in(&app, &mut app.anonymous(), &totp_app).await);
        // After several concurrent rotations, everything can still be decrypted.
        let changes = futures::future::join_all((0..4).map(|_| rotate(&app))).await;
        assert!(changes.iter().any(Result::is_ok), "{changes:?}");
        let again = app.second_instance().await;
        assert!(can_sign_in(&again, &mut again.anonymous(), &totp_app).await);
        again.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn k03_a_configured_key_encrypts_and_must_be_kept() {
    let key = || SecretString::from("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    let app = TestApp::start_with(Backend::Sqlite, |config| config.secrets_key = Some(key())).await;
    let mut ada = app.administrator().await;
    let (totp_app, _) = add_totp_app(&app, &mut ada).await;
    assert!(!app.config.data.join("keys/secrets").exists(), "no other key is made");
    let [id] = used_keys(&app).await.try_into().expect("one key");
    assert!(id.starts_with('c'), "{id}");
    let lost = refused(&app, Config { secrets_key: None, ..app.config.clone() }).await;
    assert!(lost.contains(&id) && lost.contains("`secrets_key`"), "{lost}");

    // Moving to a key file: the configured key is stored as a file, then the keys are rotated.
    fs::create_dir_all(app.config.data.join("keys/secrets")).expect("our folder");
    fs::set_permissions(app.config.data.join("keys/secrets"), fs::Permissions::from_mode(0o700)).expect("our folder");
    fs::write(key_file(&app, &id), key_bytes(&key()).expect("a key")).expect("our folder");
    fs::set_permissions(key_file(&app, &id), fs::Permissions::from_mode(0o600)).expect("our file");
    let done = Secrets::rotate(&app.config.data, None, &app.state.store, &app.state.clock).await.expect("a change");
    assert_eq!((done.key.as_str(), done.sealed[0].1), ("1", 1));
    let state = start(&app, Config { secrets_key: None, ..app.config.clone() }).await.expect("it starts");
    state.stopping.cancel();
    assert!(can_sign_in(&app, &mut app.anonymous(), &totp_app).await);
    assert_eq!(factors(&mut ada).await.factors.len(), 1);
}

#[test]
fn the_program_rotates_keys_and_reports_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let rotate = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command.env_clear().current_dir(folder.path()).args(["secrets", "rotate"]);
        fs::create_dir_all(folder.path().join("data")).expect("our folder");
        let output = command.output().expect("the program runs");
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    for wanted in ["The key 1 seals", "Kept until the next change, for servers that still run with them: 1.", "Removed"]
    {
        let (success, text) = rotate();
        assert!(success && text.contains(wanted), "{wanted}: {text}");
    }
    fs::remove_file(folder.path().join("data/keys/secrets/3.key")).expect("our file");
    let (success, text) = rotate();
    assert!(!success && text.contains("The key 3 is missing"), "{text}");
}
