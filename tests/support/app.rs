//! The whole application in a test: the real router with all its layers, a fresh database and a scripted model.

use std::{path::Path, sync::Arc, time::Duration};

use axum::Router;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use colloquy::{
    domain::{CurrentUser, JobKind, Role, SignInId, StartedRun, UserId},
    i18n::Language,
    server::{
        auth::Caller,
        clock::Clock,
        config::{Config, ProviderConfig, ProviderKind, Titles},
        http,
        jobs::Drained,
        state::AppState,
        store::{LinkPurpose, NewLink, Store},
    },
};
use leptos::prelude::LeptosOptions;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use sqlx::{Connection, Executor, PgConnection, migrate::Migrator};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{client::Client, upstream::Upstream};

/// The database and session store of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// One SQLite file, which also stores the sessions.
    Sqlite,
    /// A PostgreSQL database of the test's own, with sessions in Redis.
    PostgresAndRedis,
}

/// A running application.
pub struct TestApp {
    /// The application's state.
    pub state: AppState,
    /// The scripted model server, configured as the provider `scripted`.
    pub upstream: Upstream,
    /// The configuration it was started with.
    pub config: Config,
    router: Router,
    folder: Arc<TempDir>,
}

const SPLIT_MANIFEST: &str = r#"{"auth":["auth","shared"],"chat":["chat","shared"],"admin":["admin","shared"]}"#;

/// Runs a test on each database. A missing database server fails the test.
macro_rules! each_db {
    ($(#[$meta:meta])* async fn $name:ident($app:ident: TestApp) $body:block) => {
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "some tests use nothing of their file")]
            use super::*;

            async fn test($app: $crate::support::app::TestApp) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn sqlite() {
                let app = $crate::support::app::TestApp::start($crate::support::app::Backend::Sqlite).await;
                test(app).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn postgres() {
                let app = $crate::support::app::TestApp::start($crate::support::app::Backend::PostgresAndRedis).await;
                test(app).await;
            }
        }
    };
}
pub(crate) use each_db;

fn required(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run the tests with `make test`, which starts the servers they need")
    })
}

impl TestApp {
    /// Starts with the default configuration.
    pub async fn start(backend: Backend) -> Self {
        Self::start_with(backend, |_| {}).await
    }

    /// Starts with a changed configuration.
    pub async fn start_with(backend: Backend, change: impl FnOnce(&mut Config)) -> Self {
        let (mut config, upstream, folder) = Self::prepare(backend).await;
        if backend == Backend::PostgresAndRedis {
            config.database_url = Some(migrated_database().await.into());
        }
        change(&mut config);
        Self::open(config, upstream, folder, Clock::default()).await
    }

    /// Starts on a database of an earlier version: applies the migrations before `version`, then runs these statements.
    pub async fn start_on_earlier(backend: Backend, version: i64, statements: &[String]) -> Self {
        let (mut config, upstream, folder) = Self::prepare(backend).await;
        if backend == Backend::PostgresAndRedis {
            config.database_url = Some(database_from("template0").await.into());
        }
        std::fs::create_dir_all(&config.data).expect("a data folder");
        let earlier = |migrator: Migrator| {
            let migrations = migrator.iter().filter(|migration| migration.version < version).cloned().collect();
            Migrator { migrations, ..Migrator::DEFAULT }
        };
        if let Some(url) = &config.database_url {
            let mut connection = PgConnection::connect(url.expose_secret()).await.expect("the test's database");
            let migrator = earlier(sqlx::migrate!("migrations/postgres"));
            migrator.run(&mut connection).await.expect("the earlier schema");
            for statement in statements {
                connection.execute(statement.as_str()).await.expect(statement);
            }
        } else {
            let url = format!("sqlite://{}?mode=rwc", config.data.join("colloquy.db").display());
            let mut connection = sqlx::SqliteConnection::connect(&url).await.expect("a file");
            let migrator = earlier(sqlx::migrate!("migrations/sqlite"));
            migrator.run(&mut connection).await.expect("the earlier schema");
            for statement in statements {
                connection.execute(statement.as_str()).await.expect(statement);
            }
        }
        Self::open(config, upstream, folder, Clock::default()).await
    }

    /// A configuration, still without a PostgreSQL database, and a scripted model server.
    async fn prepare(backend: Backend) -> (Config, Upstream, Arc<TempDir>) {
        let folder = Arc::new(tempfile::tempdir().expect("a temporary folder"));
        let upstream = Upstream::start().await;
        let mut config = Config { data: folder.path().join("data"), ..Config::default() };
        config.local.models = folder.path().join("models");
        // Otherwise each chat would cause one more request to the scripted model.
        config.titles = Titles::FirstWords;
        config.providers.push(ProviderConfig {
            name: "scripted".to_owned(),
            kind: ProviderKind::OpenAi,
            base_url: upstream.base_url(),
            key: None,
            models: vec!["echo".to_owned(), "other".to_owned()],
            context: None,
            system_role: true,
        });
        if backend == Backend::PostgresAndRedis {
            config.redis_url = Some(required("TEST_REDIS_URL").into());
        }
        (config, upstream, folder)
    }

    async fn open(config: Config, upstream: Upstream, folder: Arc<TempDir>, clock: Clock) -> Self {
        let site = folder.path().join("site");
        // The format that the browser build writes: the files that contain each part of the pages.
        std::fs::create_dir_all(site.join("pkg")).expect("a folder");
        std::fs::write(site.join("pkg/__wasm_split_manifest.json"), SPLIT_MANIFEST).expect("a file");
        let site = site.display().to_string();
        let options = LeptosOptions::builder().output_name("colloquy").site_root(site).build();
        let state = AppState::open(config.clone(), clock, options, CancellationToken::new()).await.expect("a state");
        let checked = state.clone();
        let ready: http::Readiness = Arc::new(move || {
            let state = checked.clone();
            Box::pin(async move { state.is_ready().await })
        });
        let router = http::router(state.clone(), ready, colloquy::app::shell);
        Self { state, upstream, config, router, folder }
    }

    /// A second instance on the same data, like another process: with its own hub and its own worker.
    pub async fn second_instance(&self) -> Self {
        self.second_instance_with(self.state.clock.clone()).await
    }

    /// The same, with a clock of its own.
    pub async fn second_instance_with(&self, clock: Clock) -> Self {
        let upstream = Upstream::start().await;
        Self::open(self.config.clone(), upstream, self.folder.clone(), clock).await
    }

    /// Another installation on the same kind of database, with open sign-up.
    pub async fn with_open_sign_up(&self) -> Self {
        Self::start_with(self.backend(), |config| config.sign_up_open = true).await
    }

    /// The database and session store of this application.
    pub fn backend(&self) -> Backend {
        if self.config.database_url.is_some() { Backend::PostgresAndRedis } else { Backend::Sqlite }
    }

    /// Reads a text column directly from the database, bypassing the application.
    pub async fn column(&self, statement: &str) -> Vec<String> {
        let Some(url) = &self.config.database_url else {
            let url = format!("sqlite://{}?mode=ro", self.config.data.join("colloquy.db").display());
            let mut connection = sqlx::SqliteConnection::connect(&url).await.expect("the file");
            return sqlx::query_scalar(statement).fetch_all(&mut connection).await.expect("a column");
        };
        let mut connection = PgConnection::connect(url.expose_secret()).await.expect("the test's database");
        sqlx::query_scalar(statement).fetch_all(&mut connection).await.expect("a column")
    }

    /// The text of an answer in the database, even if the answer is not on the current branch.
    pub async fn answer_text(&self, sent: &StartedRun) -> String {
        let id = match self.backend() {
            Backend::Sqlite => format!("x'{}'", sent.answer.to_string().replace('-', "")),
            Backend::PostgresAndRedis => format!("'{}'", sent.answer),
        };
        let sql = format!("select text from message_parts where message_id = {id} and kind = 'text'");
        self.column(&sql).await.pop().unwrap_or_default()
    }

    /// Changes the database directly, bypassing the application. Returns the number of affected rows.
    pub async fn execute(&self, statement: &str) -> u64 {
        let Some(url) = &self.config.database_url else {
            let url = format!("sqlite://{}", self.config.data.join("colloquy.db").display());
            let mut connection = sqlx::SqliteConnection::connect(&url).await.expect("the file");
            // Same setting as the application's, so that the test itself leaves no deleted data in the file.
            connection.execute("pragma secure_delete = on").await.expect("a setting");
            return connection.execute(statement).await.expect("a statement").rows_affected();
        };
        let mut connection = PgConnection::connect(url.expose_secret()).await.expect("the test's database");
        connection.execute(statement).await.expect("a statement").rows_affected()
    }

    /// Makes `event` (such as `before delete on chats`) fail for every row that matches `condition` (on `old` or
    /// `new`), until [`TestApp::repair`] is called.
    pub async fn break_rows(&self, event: &str, condition: &str) {
        if self.backend() == Backend::Sqlite {
            let fail = "begin select raise(abort, 'broken on purpose'); end";
            self.execute(&format!("create trigger broken {event} when {condition} {fail}")).await;
        } else {
            let fail = "begin raise exception 'broken on purpose'; end";
            self.execute(&format!(
                "create or replace function broken() returns trigger language plpgsql as $$ {fail} $$"
            ))
            .await;
            let run = "execute function broken()";
            self.execute(&format!("create trigger broken {event} for each row when ({condition}) {run}")).await;
        }
    }

    /// Undoes [`TestApp::break_rows`] on this table.
    pub async fn repair(&self, table: &str) {
        let on = if self.backend() == Backend::Sqlite { String::new() } else { format!("on {table}") };
        self.execute(&format!("drop trigger broken {on}")).await;
    }

    /// An id as an SQL literal.
    pub fn literal(&self, id: uuid::Uuid) -> String {
        if self.backend() == Backend::Sqlite { format!("x'{}'", id.simple()) } else { format!("'{id}'") }
    }

    /// Runs the due jobs of a kind, including failed jobs that are waiting for their next attempt.
    pub async fn run_due_jobs(&self, kind: JobKind) -> Drained {
        let failed = "state = 'waiting' and last_error is not null";
        self.execute(&format!("update jobs set run_at = 0 where kind = '{}' and {failed}", kind.as_str())).await;
        self.state.jobs.drain(kind).await.expect("jobs")
    }

    /// A client without cookies.
    pub fn anonymous(&self) -> Client {
        Client::new(self.router.clone())
    }

    /// Creates the first account, which is the administrator's, and signs it in.
    pub async fn administrator(&self) -> Client {
        self.person("ada@example.org", "Ada").await
    }

    /// Creates an account and signs it in. After the first account, sign-up must be open. If mail is configured, an
    /// invitation is used, because invited users need not verify their address.
    pub async fn person(&self, email: &str, name: &str) -> Client {
        let mut client = self.anonymous();
        let token = if self.config.mail.is_some() { self.invitation().await } else { String::new() };
        let form = [("email", email), ("name", name), ("password", PASSWORD), ("invitation", &token)];
        let answer = client.post_form("/api/sign_up", &form).await;
        assert_eq!(answer.status, 200, "sign-up: {}", answer.text());
        client
    }

    /// The token of an invitation for one person with any address, inserted without a creator.
    async fn invitation(&self) -> String {
        self.invitation_for(None).await
    }

    /// The same, for one address only if given.
    pub async fn invitation_for(&self, email: Option<&str>) -> String {
        let (id, now) = (self.state.clock.new_id(), self.state.clock.now());
        let token = URL_SAFE_NO_PAD.encode(Sha256::digest(id));
        let mut tx = self.state.store.write().await.expect("a unit");
        let link = NewLink {
            id,
            token_hash: &Sha256::digest(&token).into(),
            purpose: LinkPurpose::Invitation,
            user: None,
            email,
            role: Some(Role::Member),
            uses: 1,
            created_at: now,
            expires_at: now.plus_seconds(60),
            created_by: None,
        };
        tx.insert_link(&link).await.expect("an invitation");
        tx.commit().await.expect("a commit");
        token
    }

    /// Creates an account with an invitation of the administrator, for when sign-up is closed, and signs it in.
    pub async fn invited_person(&self, email: &str, name: &str) -> Client {
        let mut ada = self.signed_in("ada@example.org").await;
        let form = [("email", ""), ("role", "member"), ("uses", "1"), ("days", "1")];
        let made = ada.post_form("/api/create_invitation", &form).await;
        assert_eq!(made.status, 200, "{}", made.text());
        let link = made.json::<colloquy::domain::NewInvitation>().link;
        let token = link.split("invitation=").nth(1).expect("a token").to_owned();
        let mut client = self.anonymous();
        let form = [("email", email), ("name", name), ("password", PASSWORD), ("invitation", &token)];
        let answer = client.post_form("/api/sign_up", &form).await;
        assert_eq!(answer.status, 200, "sign-up: {}", answer.text());
        client
    }

    /// An administrator's caller, as read at the start of a request.
    pub fn administrator_caller(&self, id: UserId, name: &str) -> Caller {
        let (name, email) = (name.to_owned(), format!("{name}@example.org"));
        Caller {
            user: CurrentUser { id, name, email, role: Role::Administrator },
            sign_in: SignInId::from_uuid(self.state.clock.new_id()),
            authenticated_at: self.state.clock.now(),
            idle_seconds: 1_800,
            language: Language::default(),
            must_enrol: false,
        }
    }

    /// Signs in to an existing account.
    pub async fn signed_in(&self, email: &str) -> Client {
        let mut client = self.anonymous();
        let answer = client.post_form("/api/sign_in", &[("email", email), ("password", PASSWORD)]).await;
        assert_eq!(answer.status, 200, "sign-in: {}", answer.text());
        client
    }

    /// The number of PostgreSQL connections that are idle in a transaction. 0 on SQLite, where a leaked transaction
    /// would block the only writer anyway.
    pub async fn open_transactions(&self) -> i64 {
        let Some(url) = &self.config.database_url else { return 0 };
        let mut connection = PgConnection::connect(url.expose_secret()).await.expect("the test's database");
        sqlx::query_scalar(
            "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'",
        )
        .fetch_one(&mut connection)
        .await
        .expect("a count")
    }

    /// Shuts down as the program does, and waits for the runs and the background tasks.
    pub async fn stop(&self) {
        self.state.stopping.cancel();
        let ended = self.state.supervisor.finish(self.state.chats.wait_for_runs());
        tokio::time::timeout(Duration::from_secs(10), ended).await.expect("the tasks have ended");
    }
}

/// A password that the password policy accepts.
pub const PASSWORD: &str = "plum-harbor-sextant-41";

/// A connection to the PostgreSQL server on which each test has a database of its own, and the server's URL without a
/// database name.
async fn postgres_server() -> (PgConnection, String) {
    let server = required("TEST_DATABASE_URL");
    let connection = PgConnection::connect(&server).await.expect("TEST_DATABASE_URL is the URL of a PostgreSQL server");
    let base = server.rsplit_once('/').map_or(server.as_str(), |(base, _)| base);
    (connection, base.to_owned())
}

/// Creates a database as a copy of another one, and returns its URL.
async fn database_from(template: &str) -> String {
    let (mut server, base) = postgres_server().await;
    let name = format!("test_{}", uuid::Uuid::new_v4().simple());
    server.execute(format!("create database {name} template {template}").as_str()).await.expect("a database");
    format!("{base}/{name}")
}

/// Creates a database with the current schema, and returns its URL. It is a copy of a template database, which takes a
/// tenth of the time that running the migrations takes; the first test that needs the template creates it.
async fn migrated_database() -> String {
    let (mut server, base) = postgres_server().await;
    // Each test is a process of its own, so the lock has to be in the server.
    server.execute("select pg_advisory_lock(77)").await.expect("a lock");
    let exists = "select exists (select 1 from pg_database where datname = 'migrated')";
    if !sqlx::query_scalar::<_, bool>(exists).fetch_one(&mut server).await.expect("a truth") {
        server.execute("drop database if exists migrating").await.expect("nothing left of an earlier attempt");
        server.execute("create database migrating template template0").await.expect("a database");
        let url = format!("{base}/migrating");
        // Dropped at the end of the statement: a closed pool may keep a connection that was just returned.
        Store::open(Path::new(""), Some(&url.into())).await.expect("a schema").close().await;
        server.execute("alter database migrating rename to migrated").await.expect("a name");
    }
    server.execute("select pg_advisory_unlock(77)").await.expect("the lock");
    database_from("migrated").await
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.state.stopping.cancel();
        // The database is deleted with its temporary cluster; dropping it here would need a runtime.
    }
}
