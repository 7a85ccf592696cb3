//! A Redis server that belongs to one test, which can stop, pause and flush it.

#![allow(dead_code, reason = "tests and benchmarks each use only a part")]

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

/// A Redis server. It is killed on drop.
pub struct Redis {
    child: Option<Child>,
    port: u16,
    folder: TempDir,
}

impl Redis {
    /// Starts a server on a free loopback port.
    pub fn start() -> Self {
        let mut redis = Self::stopped();
        redis.launch(&[]);
        redis
    }

    /// A server with a free port, not started yet.
    pub fn stopped() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("its number").port();
        Self { child: None, port, folder: tempfile::tempdir().expect("a folder") }
    }

    /// Starts the server, without data.
    pub fn launch(&mut self, options: &[&str]) {
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(self.folder.path())
            .args(options)
            .stdout(Stdio::null())
            .spawn();
        self.child = Some(child.expect("redis-server is installed"));
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("Redis did not start");
    }

    /// Kills the server.
    pub fn stop(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().expect("our child");
        child.wait().expect("our child");
    }

    /// Sends the server a signal.
    pub fn signal(&self, name: &str) {
        let id = self.child.as_ref().expect("it runs").id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().expect("kill runs").success());
    }

    /// The URL to configure.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Sends a command and returns the reply.
    pub fn command(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a time");
        let mut request = format!("*{}\r\n", parts.len()).into_bytes();
        for part in parts {
            request.extend(format!("${}\r\n", part.len()).bytes());
            request.extend(*part);
            request.extend(b"\r\n");
        }
        stream.write_all(&request).expect("it takes questions");
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n") {
            stream.read_exact(&mut byte).expect("an answer");
            head.push(byte[0]);
        }
        let Some(length) = head.strip_prefix(b"$") else { return head };
        let length: i64 = String::from_utf8_lossy(length).trim().parse().expect("a length");
        let mut body = vec![0; usize::try_from(length).unwrap_or_default()];
        stream.read_exact(&mut body).expect("the whole answer");
        body
    }

    /// The number of processed commands by name, without those of connecting and of these tests.
    pub fn command_counts(&self) -> std::collections::BTreeMap<String, u64> {
        let text = String::from_utf8(self.command(&[b"INFO", b"commandstats"])).expect("text");
        let lines = text.lines().filter_map(|line| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
        });
        let own = |name: &str| {
            !name.starts_with("client")
                && !["info", "hello", "ping", "quit", "config|resetstat", "flushall"].contains(&name)
        };
        lines.filter(|(name, _): &(String, u64)| own(name)).collect()
    }

    /// Resets the command command_counts.
    pub fn reset_command_counts(&self) {
        self.command(&[b"CONFIG", b"RESETSTAT"]);
    }

    /// The number of keys.
    pub fn keys(&self) -> i64 {
        let answer = self.command(&[b"DBSIZE"]);
        String::from_utf8_lossy(&answer).trim_start_matches(':').trim().parse().expect("a number")
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Both fail if the process has already ended, which is fine.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
