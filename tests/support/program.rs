//! The built program as a child process.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use secrecy::ExposeSecret;

use super::{app::TestApp, wait::MAX_WAIT};

/// The command that runs the built program on the data of a test application, which must have been stopped.
pub fn program_on(app: &TestApp) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .current_dir(app.config.data.parent().expect("a folder around the data"))
        .env("COLLOQUY_LISTEN", "127.0.0.1:0")
        .env("COLLOQUY_LOG_FORMAT", "json")
        .env("COLLOQUY_DATA", &app.config.data)
        .env("COLLOQUY_DEFAULT_MODEL", "scripted/echo")
        .env("COLLOQUY_PROVIDERS__SCRIPTED__BASE_URL", app.upstream.base_url())
        .env("COLLOQUY_PROVIDERS__SCRIPTED__MODELS", "echo")
        .env("COLLOQUY_TITLES", "first-words");
    if let Some(url) = &app.config.database_url {
        command.env("DATABASE_URL", url.expose_secret());
    }
    if let Some(url) = &app.config.redis_url {
        command.env("REDIS_URL", url.expose_secret());
    }
    command
}

/// A running server. It is killed on drop.
pub struct Program {
    child: Child,
    /// Host and port it listens on.
    pub address: String,
    log: Option<JoinHandle<std::io::Result<String>>>,
}

impl Program {
    /// Starts the program and waits until it serves. It must listen on loopback and log JSON.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the program runs");
        let mut log = BufReader::new(child.stderr.take().expect("its log"));
        let mut log_text = String::new();
        let address = loop {
            let begin = log_text.len();
            assert_ne!(log.read_line(&mut log_text).expect("text"), 0, "the program ended: {log_text}");
            let event: serde_json::Value = serde_json::from_str(&log_text[begin..]).expect("the log is JSON");
            if let Some(listen) = event["listen"].as_str() {
                break listen.to_owned();
            }
        };
        // The rest of the log must be read, or the full pipe would block the program.
        let log = std::thread::spawn(move || {
            let mut text = String::new();
            log.read_to_string(&mut text).map(|_| text)
        });
        Self { child, address, log: Some(log) }
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Waits for the program to exit. Returns its exit code, and its log since it began to serve.
    pub fn wait_for_exit(mut self) -> (Option<i32>, String) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("our child") {
                break status;
            }
            assert!(begun.elapsed() < MAX_WAIT, "the program does not end");
            std::thread::sleep(Duration::from_millis(20));
        };
        let log = self.log.take().expect("read once").join().expect("no panic").expect("text");
        (status.code(), log)
    }

    /// Kills the program with SIGKILL and waits for its end.
    pub fn kill(mut self) {
        self.child.kill().expect("our child");
        self.child.wait().expect("our child");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail if the process has already ended, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
