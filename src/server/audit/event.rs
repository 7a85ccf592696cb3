//! What is recorded in the audit.

use crate::domain::{AuditAction, Outcome, UserId};

/// Who did what, on whom or what, with which outcome.
#[derive(Debug)]
pub struct AuditEvent<'a> {
    /// Who, where that is known; nobody at the command line.
    pub actor: Option<UserId>,
    /// Whose account it concerns, if anybody's.
    pub subject: Option<UserId>,
    /// What.
    pub action: AuditAction,
    /// How it ended.
    pub outcome: Outcome,
    /// On what: a name or an id, never a text of a message, never a secret.
    pub detail: &'a str,
}

/// What may come to be refused.
#[derive(Debug, Clone, Copy)]
pub struct Refusal<'a> {
    /// Whose account it concerns, where that is known.
    pub subject: Option<UserId>,
    /// What.
    pub action: AuditAction,
    /// On what, as in [`AuditEvent`].
    pub detail: &'a str,
}

/// How many chats something was done with, as the detail of an entry.
pub fn chat_count(chats: u32) -> String {
    if chats == 1 { "1 chat".to_owned() } else { format!("{chats} chats") }
}
