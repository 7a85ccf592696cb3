//! The `colloquy` program: loads the configuration, starts the log, serves and shuts down.

use std::{
    error::Error,
    io::{self, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::{Parser, Subcommand};
use colloquy::server::{
    allocator,
    cli::{self, AuditCommand, JobsCommand, UserCommand},
    clock::Clock,
    config::{self, Config, Loaded},
    http::{self, Limits, Listener, Readiness},
    llm::local::{WorkerArgs, worker},
    secrets::Secrets,
    state::AppState,
    store::Store,
    telemetry,
};
use tokio::net::TcpSocket;

/// A private, self-hosted, multi-user AI chat in one program.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// Configuration file; colloquy.toml in the working directory unless given
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server (the default)
    Serve,
    /// Check the configuration: print all errors, or all values in effect with their origin
    Check {
        /// Also connect to each provider, list its models and check the model files
        #[arg(long)]
        connect: bool,
    },
    /// Manage the keys that encrypt secrets in the database
    Secrets {
        #[command(subcommand)]
        command: SecretsCommand,
    },
    /// Manage accounts, also while a server runs
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Print the audit log, newest first, as JSON Lines
    Audit(AuditCommand),
    /// List background jobs, retry a failed one, or give it up
    Jobs(JobsCommand),
    /// Run one model file for a server, over standard input and output
    #[command(hide = true)]
    ModelWorker(WorkerArgs),
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum SecretsCommand {
    /// Create a new key and re-encrypt all secrets with it; running servers continue
    Rotate,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => load(arguments.config.as_deref()).and_then(|loaded| serve(loaded.config)),
        Command::Check { connect } => {
            load(arguments.config.as_deref()).and_then(|loaded| print_settings(&loaded, connect))
        }
        Command::Secrets { command: SecretsCommand::Rotate } => {
            load(arguments.config.as_deref()).and_then(|loaded| rotate_keys(&loaded.config))
        }
        Command::User { command } => load(arguments.config.as_deref())
            .and_then(|loaded| cli::run(&command, &loaded.config, &mut io::stdout().lock())),
        Command::Audit(command) => load(arguments.config.as_deref())
            .and_then(|loaded| cli::show_audit(command, &loaded.config, &mut io::stdout().lock())),
        Command::Jobs(command) => load(arguments.config.as_deref())
            .and_then(|loaded| cli::run_jobs(&command, &loaded.config, &mut io::stdout().lock())),
        Command::ModelWorker(arguments) => return worker::run(arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If stderr cannot be written either, there is nothing left to do.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn load(file: Option<&Path>) -> Result<Loaded, Box<dyn Error>> {
    Ok(config::load(file, std::env::vars_os())?)
}

fn print_settings(loaded: &Loaded, connect: bool) -> Result<(), Box<dyn Error>> {
    let width = loaded.settings.iter().map(|setting| setting.key.len()).max().unwrap_or_default();
    let mut out = io::stdout().lock();
    for setting in &loaded.settings {
        writeln!(out, "{:width$} = {}  ({})", setting.key, setting.value, setting.origin)?;
    }
    writeln!(out, "The configuration has no errors.")?;
    for hint in &loaded.hints {
        writeln!(out, "  {hint}")?;
    }
    if connect { cli::check_models(&loaded.config, &mut out) } else { Ok(()) }
}

fn rotate_keys(config: &Config) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let rotation = runtime.block_on(async {
        let clock = Clock::default();
        let store = Store::open(&config.data, config.database_url.as_ref()).await?;
        let configured = config.secrets_key.as_ref().and_then(config::key_bytes);
        let rotation = Secrets::rotate(&config.data, configured, &store, &clock).await?;
        store.close().await;
        Ok::<_, Box<dyn Error>>(rotation)
    })?;
    writeln!(io::stdout(), "{rotation}")?;
    Ok(())
}

fn serve(config: Config) -> Result<(), Box<dyn Error>> {
    telemetry::start(&config.log);
    allocator::configure();
    // Pages that wait for several resources block threads, so a machine with few cores needs more threads than cores.
    let threads = std::thread::available_parallelism().map_or(4, |count| count.get().max(4));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    let served = runtime.block_on(run(config));
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

/// The maximum number of connections that wait to be accepted.
const BACKLOG: u32 = 1_024;

/// Binds an address without listening on it yet.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn run(config: Config) -> Result<(), Box<dyn Error>> {
    let listen = config.listen;
    let limits = Limits { connections: config.connections, ..Limits::default() };
    let cannot_listen =
        |error: io::Error| format!("Cannot listen on {listen}: {error}. Choose another address with `listen`.");
    // The address is bound first, so that an address in use is reported immediately; connections are accepted once they
    // can be served.
    let socket = bind(listen).map_err(cannot_listen)?;
    let listen = socket.local_addr()?;
    let leptos_options = http::leptos_options(listen)?;
    let stopping = http::stop_on_signals()?;
    let config = Config { listen, ..config };
    let state = AppState::open(config, Clock::default(), leptos_options, stopping.clone()).await?;
    if !state.site.is_complete() {
        tracing::warn!(root = %state.leptos_options.site_root, "page scripts are missing; pages are served without them");
    }
    let checked = state.clone();
    let ready: Readiness = Arc::new(move || {
        let state = checked.clone();
        Box::pin(async move { state.is_ready().await })
    });
    let router = http::router(state.clone(), ready, colloquy::app::shell);
    let listener = socket.listen(BACKLOG).map_err(cannot_listen)?;
    tracing::info!(%listen, version = env!("CARGO_PKG_VERSION"), "serving");
    let listener = Listener::with_address_limit(listener, &state.config.trusted_proxies, limits.connections);
    http::serve(listener, router, stopping, limits).await?;
    state.close().await;
    tracing::info!("stopped");
    Ok(())
}
