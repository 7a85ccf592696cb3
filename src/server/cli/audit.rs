//! The audit log on the command line, as JSON Lines.

use std::{error::Error, io::Write};

use clap::Args;

use super::{open_existing, to_cli_error};
use crate::{domain::AuditQuery, server::config::Config};

/// The filter of the audit log.
#[derive(Debug, Clone, Args)]
pub struct AuditCommand {
    /// Only entries on or after this day (UTC), such as 2026-11-21
    #[arg(long, value_name = "DAY", default_value = "")]
    since: String,
    /// Only entries up to this day (UTC)
    #[arg(long, value_name = "DAY", default_value = "")]
    until: String,
    /// The actor or the affected account: an email address or an ID
    #[arg(long, value_name = "PERSON", default_value = "")]
    person: String,
    /// The action, such as sign_in
    #[arg(long, value_name = "NAME", default_value = "")]
    action: String,
}

/// Writes the audit log, newest first.
///
/// # Errors
/// One sentence for the operator.
pub fn show_audit(command: AuditCommand, config: &Config, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let AuditCommand { since, until, person, action } = command;
    let query = AuditQuery { action, person, from: since, to: until, outcome: String::new() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (store, people) = open_existing(config).await?;
        let mut part = people.read_audit(&query).await.map_err(to_cli_error)?;
        while let Some(lines) = people.next_lines(&mut part).await.map_err(to_cli_error)? {
            out.write_all(lines.as_bytes())?;
        }
        store.close().await;
        Ok(())
    })
}
