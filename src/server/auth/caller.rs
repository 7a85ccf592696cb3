//! The authenticated caller, and the credentials of a sign-in.

use crate::{
    domain::{AppError, CurrentUser, Role, SignInId, Timestamp},
    i18n::Language,
    server::{audit::RequestMeta, fault::Fault, store::Tx},
};

/// The authenticated user who makes the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The user.
    pub user: CurrentUser,
    /// The sign-in that the session belongs to.
    pub sign_in: SignInId,
    /// When the user last authenticated or re-authenticated.
    pub authenticated_at: Timestamp,
    /// The idle timeout of the sign-in, in seconds.
    pub idle_seconds: i64,
    /// The language of the user's pages.
    pub language: Language,
    /// Whether the user must add a second factor before anything else.
    pub must_enrol: bool,
}

/// The credentials of a password sign-in, and where they come from.
#[derive(Debug)]
pub struct Credentials {
    /// The email address as typed.
    pub email: String,
    /// The password as typed.
    pub password: String,
    /// Whether the user stays signed in after the browser is closed ("remember me").
    pub remember: bool,
    /// Where the request comes from.
    pub meta: RequestMeta,
}

impl Caller {
    /// Requires the administrator role.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn require_administrator(&self) -> Result<(), AppError> {
        if self.user.role == Role::Administrator { Ok(()) } else { Err(AppError::Forbidden) }
    }
}

/// Fails if the caller's sign-in was revoked in the meantime. Call it first in every transaction that adds credentials
/// or links: it locks the credentials, so a concurrent revocation waits until the transaction ends.
pub(super) async fn require_signed_in(tx: &mut Tx, caller: &Caller, now: Timestamp) -> Result<(), Fault> {
    tx.owned_by(caller.user.id).lock_credentials().await?;
    match tx.find_signed_in(caller.sign_in, now).await? {
        Some(_) => Ok(()),
        None => Err(AppError::Unauthenticated.into()),
    }
}
