//! Access policies: who may call an endpoint, and whether recent authentication is required.

mod endpoint;

use axum::http::Extensions;

pub use endpoint::{Endpoint, HasAccess};

use super::{audit::RequestMeta, auth::Caller, fault::Fault, state::AppState};
use crate::domain::AppError;

/// Who may call an endpoint. Each endpoint has one policy; the access check and the isolation tests use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Everyone, without a sign-in.
    Anyone,
    /// Signed-in users, including those who must still add a second factor.
    BeforeEnrolment,
    /// Like `BeforeEnrolment`, within 10 minutes of authentication.
    RecentlyAuthenticatedBeforeEnrolment,
    /// Signed-in users.
    Person,
    /// Like `Person`, within 10 minutes of authentication.
    RecentlyAuthenticated,
    /// Administrators. Requests of others are audited.
    Administrator,
    /// Like `Administrator`, within 10 minutes of authentication.
    RecentlyAuthenticatedAdministrator,
}

impl Access {
    /// Whether a sign-in is required.
    pub const fn needs_sign_in(self) -> bool {
        !matches!(self, Self::Anyone)
    }

    /// Whether users who must still add a second factor may call it.
    pub const fn is_open_before_enrolment(self) -> bool {
        matches!(self, Self::Anyone | Self::BeforeEnrolment | Self::RecentlyAuthenticatedBeforeEnrolment)
    }

    /// Whether the administrator role is required.
    pub const fn is_for_administrators(self) -> bool {
        matches!(self, Self::Administrator | Self::RecentlyAuthenticatedAdministrator)
    }

    /// Whether authentication within the last 10 minutes is required.
    pub const fn needs_recent_authentication(self) -> bool {
        matches!(
            self,
            Self::RecentlyAuthenticated
                | Self::RecentlyAuthenticatedBeforeEnrolment
                | Self::RecentlyAuthenticatedAdministrator
        )
    }

    /// Checks a request against this policy. The middleware has stored the [`Caller`] in `extensions`; `path` is the
    /// audit detail for a member who calls an endpoint for administrators.
    ///
    /// # Errors
    /// `MfaEnrolmentRequired`, `Unauthenticated`, `Forbidden`, `ReauthRequired`.
    pub async fn check(
        self,
        state: &AppState,
        extensions: &Extensions,
        path: &str,
        meta: &RequestMeta,
    ) -> Result<(), Fault> {
        let caller = extensions.get::<Caller>();
        if caller.is_some_and(|caller| caller.must_enrol) && !self.is_open_before_enrolment() {
            return Err(AppError::MfaEnrolmentRequired.into());
        }
        if !self.needs_sign_in() {
            return Ok(());
        }
        let caller = caller.ok_or(AppError::Unauthenticated)?;
        if self.is_for_administrators() {
            state.people.require_administrator(caller, path, meta).await?;
        }
        if self.needs_recent_authentication() {
            state.accounts.require_recent_authentication(caller)?;
        }
        Ok(())
    }
}
