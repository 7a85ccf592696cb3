//! Audit events.

use crate::domain::{AuditAction, Outcome, UserId};

/// An audit event: who did what, on what, with which outcome.
#[derive(Debug)]
pub struct AuditEvent<'a> {
    /// The user who acted; `None` if unknown, or for the command line.
    pub actor: Option<UserId>,
    /// The user whose account is concerned, if any.
    pub subject: Option<UserId>,
    /// The action.
    pub action: AuditAction,
    /// The outcome.
    pub outcome: Outcome,
    /// The object: a name or an id. Never message text or a secret.
    pub detail: &'a str,
}

/// The audit event to record if an action is refused.
#[derive(Debug, Clone, Copy)]
pub struct RefusedEvent<'a> {
    /// The user whose account is concerned, if known.
    pub subject: Option<UserId>,
    /// The action.
    pub action: AuditAction,
    /// The object, as in [`AuditEvent`].
    pub detail: &'a str,
}

/// A number of chats, as the detail of an audit event.
pub fn chat_count_detail(chats: u32) -> String {
    if chats == 1 { "1 chat".to_owned() } else { format!("{chats} chats") }
}
