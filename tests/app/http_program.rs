//! The built program: the command line, start and shutdown.

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::{Command, Output},
    time::Duration,
};

use crate::support::program::Program;

/// The program in an empty folder, with only these variables.
fn program(folder: &tempfile::TempDir, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
    command.env_clear().envs(variables.iter().copied()).current_dir(folder.path());
    command
}

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    program(&folder, variables).args(arguments).output().expect("the program runs")
}

#[test]
fn check_prints_all_configuration_errors_and_fails() {
    let output =
        run(&["check"], &[("COLLOQUY_LISTEN", "x"), ("COLLOQUY_LISTN", "y"), ("DATABASE_URL", "mysql://CaNaRy@h/d")]);
    let text = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.starts_with("The configuration has 3 faults:\n"), "{text}");
    for part in
        ["listen (from COLLOQUY_LISTEN): ", "Did you mean `COLLOQUY_LISTEN`?", "database_url (from DATABASE_URL): "]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("CaNaRy"), "{text}");
}

#[test]
fn check_prints_the_effective_values_and_their_sources() {
    let output = run(&["check"], &[("COLLOQUY_SESSIONS_IDLE", "2h"), ("REDIS_URL", "redis://:CaNaRy@h")]);
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{text}");
    let line = |key: &str| text.lines().find(|line| line.starts_with(key)).unwrap_or_default().to_owned();
    assert!(line("listen ").ends_with("= 127.0.0.1:3000  (default)"), "{text}");
    assert!(line("sessions.idle ").ends_with("= 2h  (COLLOQUY_SESSIONS_IDLE)"), "{text}");
    assert!(line("redis_url ").ends_with("= (set, not shown)  (REDIS_URL)"), "{text}");
    assert!(!text.contains("CaNaRy"), "{text}");
}

#[test]
fn the_program_has_help_and_does_not_start_with_configuration_errors() {
    let help = String::from_utf8(run(&["--help"], &[]).stdout).expect("text");
    assert!(help.contains("check") && help.contains("--config <FILE>"), "{help}");
    let version = String::from_utf8(run(&["--version"], &[]).stdout).expect("text");
    assert_eq!(version.trim(), concat!("colloquy ", env!("CARGO_PKG_VERSION")));
    for arguments in [&[][..], &["serve"], &["--config", "missing.toml"]] {
        let output = run(arguments, &[("COLLOQUY_LISTEN", "nowhere")]);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    }
}

const VARIABLES: [(&str, &str); 2] = [("COLLOQUY_LISTEN", "127.0.0.1:0"), ("COLLOQUY_LOG_FORMAT", "json")];

#[test]
fn m03_the_program_serves_and_exits_on_a_signal() {
    for name in ["-TERM", "-INT"] {
        let folder = tempfile::tempdir().expect("a folder");
        let running = Program::start(program(&folder, &VARIABLES));
        let mut socket = TcpStream::connect(&running.address).expect("it serves");
        write!(socket, "GET /health/live HTTP/1.1\r\nhost: {}\r\n\r\n", running.address).expect("it is open");
        let mut answer = [0; 15];
        socket.read_exact(&mut answer).expect("it answers");
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        // The connection stays open and idle.
        running.signal(name);
        let (code, log) = running.wait_for_exit();
        assert_eq!(code, Some(0), "{name}");
        assert!(!log.contains("did not finish in time"), "{name}: an idle connection is not waited for: {log}");
    }
}

#[test]
fn exhausted_file_descriptors_only_delay_connections() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "ulimit -n 96 && exec \"$0\"", env!("CARGO_BIN_EXE_colloquy")]);
    command.env_clear().envs(VARIABLES).current_dir(folder.path());
    let running = Program::start(command);
    let idle: Vec<_> = (0..150).map(|_| TcpStream::connect(&running.address).expect("the backlog takes it")).collect();
    std::thread::sleep(Duration::from_millis(300));
    drop(idle);
    let mut socket = TcpStream::connect(&running.address).expect("it listens");
    socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a socket");
    write!(socket, "GET /health/live HTTP/1.1\r\nhost: {}\r\n\r\n", running.address).expect("it is open");
    let mut answer = [0; 15];
    socket.read_exact(&mut answer).expect("it answers again");
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    running.signal("-TERM");
    let (code, log) = running.wait_for_exit();
    assert_eq!(code, Some(0));
    assert!(log.contains("cannot accept connections now"), "{log}");
    assert!(log.lines().count() < 50, "the pauses keep the log short: {log}");
}
