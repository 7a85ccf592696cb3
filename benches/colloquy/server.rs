//! The built program as a child process, with a temporary data folder.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{Result, http::Connection};

/// The longest time for a start.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// The longest time for a graceful shutdown; the program's own limit is 15 s.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// The program, its configuration and its data folder.
pub struct Installation {
    program: PathBuf,
    upstream: String,
    mails: bool,
    folder: TempDir,
}

/// A running server. It is killed if it is dropped without [`Server::stop`].
pub struct Server {
    child: Child,
    log: PathBuf,
    /// The address it listens on.
    pub address: SocketAddr,
    /// The time from its start to its first answered request.
    pub started_in: Duration,
}

impl Installation {
    /// A new installation without data. `upstream` is the base URL of its only provider.
    pub fn new(program: &Path, upstream: String) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("colloquy-bench-").tempdir()?;
        fs::create_dir(folder.path().join("data"))?;
        Ok(Self { program: program.to_owned(), upstream, mails: false, folder })
    }

    /// The same with mail configured, but without a mail server.
    pub fn with_mails(self) -> Self {
        Self { mails: true, ..self }
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Starts the program and requests the sign-in page until it answers.
    pub async fn start(&self) -> Result<Server> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let log = self.folder.path().join("server.log");
        let mut command = self.command(address);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
        let begun = Instant::now();
        let child = command.spawn().map_err(|error| format!("{} does not start: {error}", self.program.display()))?;
        let mut server = Server { child, log, address, started_in: Duration::ZERO };
        server.wait_for_answer(begun).await?;
        server.started_in = begun.elapsed();
        let ready = Connection::open(address).await?.get("/health/ready", "").await?;
        ready.expect(200)?;
        Ok(server)
    }

    fn command(&self, address: SocketAddr) -> Command {
        let mut command = Command::new(&self.program);
        // Without the environment and the configuration file of the developer.
        command.env_clear().current_dir(self.folder.path());
        for name in ["PATH", "LEPTOS_SITE_ROOT"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("COLLOQUY_LISTEN", address.to_string())
            .env("COLLOQUY_DATA", self.data())
            .env("COLLOQUY_SIGN_UP", "open")
            .env("COLLOQUY_TRUSTED_PROXIES", "127.0.0.1")
            .env("COLLOQUY_DEFAULT_MODEL", "scripted/echo")
            .env("COLLOQUY_PROVIDERS__SCRIPTED__BASE_URL", &self.upstream)
            // A few accounts open all the streams.
            .env("COLLOQUY_ANSWERS_PER_PERSON", "32")
            .env("COLLOQUY_PROVIDERS__SCRIPTED__MODELS", "echo")
            .env("COLLOQUY_TITLES", "first-words");
        if self.mails {
            command.env("COLLOQUY_MAIL_SMTP_URL", "smtp://127.0.0.1:9").env("COLLOQUY_MAIL_FROM", "chat@example.org");
        }
        command
    }
}

impl Server {
    async fn wait_for_answer(&mut self, begun: Instant) -> Result<()> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("the program ended ({status}): {}", self.log_tail()).into());
            }
            if let Ok(mut connection) = Connection::open(self.address).await {
                let answer = connection.get("/sign-in", "").await?;
                // Without any account it redirects to the sign-up page.
                return if answer.status == 302 { Ok(()) } else { answer.expect(200) };
            }
            if begun.elapsed() > START_TIMEOUT {
                return Err(format!("the program does not listen after {START_TIMEOUT:?}: {}", self.log_tail()).into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Its resident memory in bytes, without that of child processes.
    pub fn resident_bytes(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS in /proc")?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
        Ok(kilobytes * 1_024)
    }

    /// Stops it by SIGTERM, as an operator does.
    pub async fn stop(mut self) -> Result<()> {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        if !sent.success() {
            return Err("SIGTERM could not be sent".into());
        }
        let begun = Instant::now();
        while begun.elapsed() < STOP_TIMEOUT {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(format!("the program still runs {STOP_TIMEOUT:?} after SIGTERM: {}", self.log_tail()).into())
    }

    fn log_tail(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail if the process has already ended, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
