//! The operator's commands. They do not need a running server, but work next to one.

mod audit;
mod connect;
mod jobs;

pub use audit::{AuditCommand, show_audit};
pub use connect::check_models;
pub use jobs::{JobsAction, JobsCommand, run_jobs};

use std::{
    error::Error,
    fs,
    io::{self, Write},
    os::unix::fs::DirBuilderExt,
};

use clap::Subcommand;
use time::{OffsetDateTime, macros::format_description};

use crate::{
    domain::{AccountStatus, AppError, PasswordReset, PersonChange, PersonSummary, Role, Timestamp, UserId},
    i18n::Language,
    server::{
        audit::RequestMeta,
        auth::{Accounts, Factors},
        clock::Clock,
        config::{self, Config},
        fault::Fault,
        keys::Keys,
        people::{Actor, Administration},
        privacy::Privacy,
        secrets::Secrets,
        state::StartError,
        store::Store,
    },
};

/// The actions on accounts.
#[derive(Debug, Clone, Subcommand)]
pub enum UserCommand {
    /// List accounts by name
    List {
        /// Only accounts whose name or address contains this text
        #[arg(long, value_name = "TEXT", default_value = "")]
        search: String,
    },
    /// Create an account and print a link with which its owner sets a password
    Create {
        /// The email address
        email: String,
        /// The user's name
        #[arg(long)]
        name: String,
        /// The role: member or administrator; the first account is always an administrator
        #[arg(long, default_value = "member", value_parser = parse_role)]
        role: Role,
    },
    /// Print a link with which the owner of an account sets a new password
    ResetLink {
        /// The email address
        email: String,
    },
    /// Deactivate an account and sign it out everywhere
    Disable {
        /// The email address
        email: String,
    },
    /// Reactivate a deactivated account
    Enable {
        /// The email address
        email: String,
    },
    /// Deactivate an account, and delete it with all its data after 24 hours
    Delete {
        /// The email address
        email: String,
    },
    /// Cancel the deletion of an account
    Keep {
        /// The email address
        email: String,
    },
    /// Change the role of a user and sign them out everywhere
    Role {
        /// The email address
        email: String,
        /// member or administrator
        #[arg(value_parser = parse_role)]
        role: Role,
    },
}

fn parse_role(text: &str) -> Result<Role, String> {
    let found = [Role::Member, Role::Administrator].into_iter().find(|role| role.as_str() == text);
    found.ok_or_else(|| "write `member` or `administrator`".to_owned())
}

/// Executes a command and writes its result.
///
/// # Errors
/// One sentence for the operator.
pub fn run(command: &UserCommand, config: &Config, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (store, people) = open(matches!(command, UserCommand::Create { .. }), config).await?;
        let done = execute(command, &people, out).await;
        store.close().await;
        done
    })
}

/// Opens an existing installation.
async fn open_existing(config: &Config) -> Result<(Store, Administration), Box<dyn Error>> {
    open(false, config).await
}

/// Opens the store and the services for accounts, as the server does.
async fn open(creates: bool, config: &Config) -> Result<(Store, Administration), Box<dyn Error>> {
    let no_account = || format!("There are no accounts yet (data folder {}).", config.data.display());
    if !creates && config.database_url.is_none() && !config.data.join("colloquy.db").exists() {
        return Err(no_account().into());
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&config.data)
        .map_err(|error| StartError::Folder(config.data.display().to_string(), error))?;
    let clock = Clock::default();
    let store = Store::open(&config.data, config.database_url.as_ref()).await.map_err(StartError::from)?;
    let is_new = !store.read().await?.is_installed().await?;
    if is_new && !creates {
        return Err(no_account().into());
    }
    // The keys must exist before the first account, otherwise the server would report them as lost.
    Keys::open(&config.data, is_new)?;
    let configured = config.secrets_key.as_ref().and_then(config::key_bytes);
    let secrets = Secrets::open(&config.data, configured, &store, &clock).await?;
    let factors = Factors::new(store.clone(), clock.clone(), secrets, config);
    let accounts = Accounts::new(store.clone(), clock.clone(), factors, config);
    let privacy = Privacy::new(store.clone(), clock.clone(), accounts.clone(), config);
    Ok((store.clone(), Administration::new(store, clock, accounts, privacy, config)))
}

async fn execute(command: &UserCommand, people: &Administration, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let meta = RequestMeta::command_line();
    let actor = Actor::operator(&meta);
    let (email, change, sentence) = match command {
        UserCommand::List { search } => return list(people, &actor, search, out).await,
        UserCommand::Create { email, name, role } => {
            let made = people.create_account(&meta, email, name, *role).await;
            let (person, link) = made.map_err(to_cli_error)?;
            writeln!(out, "Created an account for {} ({}).", person.email, person.role.as_str())?;
            return show_link(&link, out);
        }
        UserCommand::ResetLink { email } => {
            let user = find(people, email).await?;
            return match people.start_reset(&actor, user).await.map_err(to_cli_error)? {
                PasswordReset::Link(link) => show_link(&link, out),
                PasswordReset::Mailed => Ok(writeln!(out, "A reset link was sent to {email}.")?),
            };
        }
        UserCommand::Disable { email } => (email, PersonChange::Disable, "is deactivated and signed out everywhere"),
        UserCommand::Enable { email } => (email, PersonChange::Enable, "is active again"),
        UserCommand::Delete { email } => (
            email,
            PersonChange::DeleteAccount,
            "is deactivated and will be deleted in 24 hours, if a server is running then; `user keep` cancels this",
        ),
        UserCommand::Keep { email } => (email, PersonChange::KeepAccount, "will not be deleted"),
        UserCommand::Role { email, role: Role::Administrator } => {
            (email, PersonChange::MakeAdministrator, "is now an administrator")
        }
        UserCommand::Role { email, role: Role::Member } => (email, PersonChange::MakeMember, "is now a member"),
    };
    let user = find(people, email).await?;
    people.change_person(&actor, user, change, true).await.map_err(to_cli_error)?;
    writeln!(out, "{email} {sentence}.")?;
    Ok(())
}

async fn find(people: &Administration, email: &str) -> Result<UserId, Box<dyn Error>> {
    match people.find_person_by_email(email).await {
        Err(Fault::App(AppError::NotFound)) => Err(format!("There's no account with the email {email:?}.").into()),
        found => Ok(found.map_err(to_cli_error)?.id),
    }
}

fn show_link(link: &str, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    writeln!(out, "Open or share this link to set a password. It's valid for 15 minutes and works once:\n{link}")?;
    Ok(())
}

async fn list(
    people: &Administration,
    actor: &Actor<'_>,
    search: &str,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let mut rows = vec![["EMAIL", "NAME", "ROLE", "STATE", "LAST SEEN"].map(str::to_owned)];
    let mut cursor = None;
    loop {
        let page = people.list_people(actor, search, cursor.as_deref()).await.map_err(to_cli_error)?;
        rows.extend(page.people.into_iter().map(row));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(table(&rows, out)?)
}

/// Writes rows as a table with aligned columns.
fn table<const N: usize>(rows: &[[String; N]], out: &mut impl Write) -> io::Result<()> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; N] = std::array::from_fn(width);
    for row in rows {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

fn row(person: PersonSummary) -> [String; 5] {
    let state = match person.status {
        AccountStatus::Active => "active",
        AccountStatus::NeverSeen => "never signed in",
        AccountStatus::Unverified => "email not confirmed",
        AccountStatus::Disabled => "deactivated",
    };
    let seen = person.last_seen_at.map(format_time).unwrap_or_default();
    [person.email, person.name, person.role.as_str().to_owned(), state.to_owned(), seen]
}

/// Formats a time, for example `2026-11-21 08:30 UTC`.
fn format_time(at: Timestamp) -> String {
    let form = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    let seconds = at.millis().div_euclid(1_000);
    OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|moment| moment.format(form).ok()).unwrap_or_default()
}

/// The error message for the operator, who may see internal details.
fn to_cli_error(fault: Fault) -> Box<dyn Error> {
    match fault {
        Fault::App(error) => error.text_in(Language::default().texts()).into(),
        Fault::Internal(error) => format!("Can't use the database: {error}").into(),
    }
}
