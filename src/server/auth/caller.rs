//! Whoever is signed in and calls, and what they sign in with.

use crate::{
    domain::{AppError, CurrentUser, Role, SignInId, Timestamp},
    i18n::Language,
    server::{audit::RequestMeta, fault::Fault, store::Tx},
};

/// Somebody who is signed in, and asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub user: CurrentUser,
    /// By which sign-in.
    pub sign_in: SignInId,
    /// When they last proved who they are.
    pub authenticated_at: Timestamp,
    /// Seconds without use after which the sign-in ends.
    pub idle_seconds: i64,
    /// The language that they read.
    pub language: Language,
}

/// What a person signs in with, and from where.
#[derive(Debug)]
pub struct Credentials {
    /// The address as typed.
    pub email: String,
    /// The password as typed.
    pub password: String,
    /// Whether to stay signed in after the browser is closed.
    pub remember: bool,
    /// Where from.
    pub meta: RequestMeta,
}

impl Caller {
    /// Refuses a member.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn require_administrator(&self) -> Result<(), AppError> {
        if self.user.role == Role::Administrator { Ok(()) } else { Err(AppError::Forbidden) }
    }
}

/// Refuses, in the transaction of an act that leaves another way in, a caller whose sign-in has ended while the act was under
/// way. What would end it waits until the transaction ends. Call it first.
pub(super) async fn require_signed_in(tx: &mut Tx, caller: &Caller, now: Timestamp) -> Result<(), Fault> {
    tx.lock_credentials(caller.user.id).await?;
    match tx.find_signed_in(caller.sign_in, now).await? {
        Some(_) => Ok(()),
        None => Err(AppError::Unauthenticated.into()),
    }
}
