//! PgBouncer between Colloquy and PostgreSQL.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
};

use colloquy::server::store::{Store, StoreError};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

use crate::support::{
    app::{Backend, TestApp},
    wait::wait_until,
};

/// A running PgBouncer. It is killed on drop.
struct PgBouncer {
    address: SocketAddr,
    process: Child,
    _folder: TempDir,
}

impl PgBouncer {
    /// Starts one in front of the server at this URL, with further settings.
    async fn start(url: &sqlx::postgres::PgConnectOptions, settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // A port that is free now; another process is unlikely to bind it in the meantime.
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
        let mut file = format!(
            "[databases]\n* = host={} port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {}\nunix_socket_dir =\n\
             auth_type = trust\nauth_file = {}\ndefault_pool_size = 40\nmin_pool_size = 0\nadmin_users = nobody\n{settings}\n",
            url.get_host(),
            url.get_port(),
            address.port(),
            folder.path().join("users").display()
        );
        // PgBouncer refuses to run as root.
        if fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
            file.push_str("user = postgres\n");
        }
        let path = folder.path().join("pgbouncer.ini");
        fs::write(&path, file).expect("a file");
        fs::write(folder.path().join("users"), "\"colloquy\" \"\"\n").expect("a file");
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions");
        set(folder.path(), 0o755);
        set(&path, 0o644);
        set(&folder.path().join("users"), 0o644);
        let search = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("pgbouncer");
        command.arg("-q").arg(&path).env("PATH", search).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("PgBouncer is installed: run scripts/setup test");
        let pooler = Self { address, process, _folder: folder };
        wait_until("PgBouncer listens", async || tokio::net::TcpStream::connect(address).await.is_ok()).await;
        pooler
    }

    /// The URL of a database behind it.
    fn url(&self, database: &str) -> SecretString {
        format!("postgres://colloquy@{}/{database}", self.address).into()
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An installation on PostgreSQL, the connection options of its database, and the database's name.
async fn on_postgres() -> (TestApp, sqlx::postgres::PgConnectOptions, String) {
    let app = TestApp::start(Backend::PostgresAndRedis).await;
    let url = app.config.database_url.as_ref().expect("a database").expose_secret();
    let options: sqlx::postgres::PgConnectOptions = url.parse().expect("a URL");
    let name = options.get_database().expect("a name").to_owned();
    (app, options, name)
}

/// Creates another database on the same server.
async fn create_database(server: &sqlx::postgres::PgConnectOptions, app: &TestApp) -> String {
    let name = format!("pooled_{}", app.state.clock.new_id().simple());
    let mut connection = PgConnection::connect_with(server).await.expect("a connection");
    sqlx::query(&format!("create database {name}")).execute(&mut connection).await.expect("a database");
    name
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pooler_in_session_mode_works_like_postgresql() {
    let (direct, server, _) = on_postgres().await;
    for settings in ["", "ignore_startup_parameters = extra_float_digits,options"] {
        let pooler = PgBouncer::start(&server, &format!("pool_mode = session\n{settings}")).await;
        let url = pooler.url(&create_database(&server, &direct).await);
        let app = TestApp::start_with(Backend::Sqlite, |config| config.database_url = Some(url)).await;
        app.administrator().await;
        let tries = (0..8).map(|_| app.signed_in("ada@example.org"));
        assert_eq!(futures::future::join_all(tries).await.len(), 8);
        app.state.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pooler_in_transaction_mode_works_or_stops_the_start_with_advice() {
    let (direct, server, name) = on_postgres().await;
    let folder = tempfile::tempdir().expect("a folder");
    for settings in [
        "pool_mode = transaction",
        "pool_mode = transaction\nserver_round_robin = 1",
        "pool_mode = transaction\nignore_startup_parameters = extra_float_digits,options",
    ] {
        // Newer versions keep prepared statements by default; older ones do not know the setting.
        let settings =
            format!("{settings}{}", if supports_prepared_statements() { "\nmax_prepared_statements = 0" } else { "" });
        let pooler = PgBouncer::start(&server, &settings).await;
        // Also if an earlier attempt has left prepared statements behind.
        for _ in 0..3 {
            let refused = Store::open(folder.path(), Some(&pooler.url(&name))).await;
            let Err(StoreError::Schema(reason)) = refused else { panic!("{settings}: {refused:?}") };
            assert!(reason.contains("max_prepared_statements") && reason.contains("pool_mode = session"), "{reason}");
        }
    }
    if supports_prepared_statements() {
        let pooler = PgBouncer::start(&server, "pool_mode = transaction\nmax_prepared_statements = 200").await;
        let url = pooler.url(&create_database(&server, &direct).await);
        let app = TestApp::start_with(Backend::Sqlite, |config| config.database_url = Some(url)).await;
        app.administrator().await;
        let tries = (0..8).map(|_| app.signed_in("ada@example.org"));
        assert_eq!(futures::future::join_all(tries).await.len(), 8);
        app.state.close().await;
    }
    let pooler = PgBouncer::start(&server, "pool_mode = session\nmax_db_connections = 1").await;
    let Err(StoreError::Schema(reason)) = Store::open(folder.path(), Some(&pooler.url(&name))).await else {
        panic!("one connection is too few")
    };
    assert!(reason.contains("default_pool_size"), "{reason}");
}

/// Whether the installed PgBouncer supports prepared statements in transaction pooling: 1.21 and newer.
fn supports_prepared_statements() -> bool {
    let search = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
    let said = Command::new("pgbouncer").arg("--version").env("PATH", search).output().expect("PgBouncer is installed");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let mut numbers = said.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(1), Some(21))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn b02_concurrent_starts_migrate_one_after_another() {
    let (direct, server, _) = on_postgres().await;
    let name = create_database(&server, &direct).await;
    let url = SecretString::from(format!("postgres://colloquy@{}:{}/{name}", server.get_host(), server.get_port()));
    let folder = tempfile::tempdir().expect("a folder");
    let opened = (0..4).map(|_| Store::open(folder.path(), Some(&url)));
    for store in futures::future::join_all(opened).await {
        store.expect("it is open").close().await;
    }
}
