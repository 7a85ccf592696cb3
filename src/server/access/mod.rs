//! Access policies: who may call an endpoint, and what they must have proved.

mod endpoint;

use axum::http::Extensions;

pub use endpoint::{Endpoint, HasAccess};

use super::{
    audit::RequestMeta,
    auth::{Caller, Unenrolled},
    fault::Fault,
    state::AppState,
};
use crate::domain::AppError;

/// Who may call an endpoint. Each endpoint has one; it drives the check, and the tests of isolation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Everybody.
    Anyone,
    /// Whoever is signed in, also while a second factor is required of them that they have not added yet.
    Unenrolled,
    /// The same, within 10 minutes of proving who they are.
    RecentlyAuthenticatedUnenrolled,
    /// Whoever is signed in.
    Person,
    /// The same, within 10 minutes of proving who they are.
    RecentlyAuthenticated,
    /// Administrators. The audit records who else tries.
    Administrator,
    /// The same, within 10 minutes of proving who they are.
    RecentlyAuthenticatedAdministrator,
}

impl Access {
    /// Whether a stranger is refused.
    pub const fn needs_sign_in(self) -> bool {
        !matches!(self, Self::Anyone)
    }

    /// Whether somebody may call it who must add a second factor before anything else.
    pub const fn is_open_before_enrolment(self) -> bool {
        matches!(self, Self::Anyone | Self::Unenrolled | Self::RecentlyAuthenticatedUnenrolled)
    }

    /// Whether a member is refused.
    pub const fn is_for_administrators(self) -> bool {
        matches!(self, Self::Administrator | Self::RecentlyAuthenticatedAdministrator)
    }

    /// Whether the caller must have proved who they are within 10 minutes.
    pub const fn needs_recent_authentication(self) -> bool {
        matches!(
            self,
            Self::RecentlyAuthenticated
                | Self::RecentlyAuthenticatedUnenrolled
                | Self::RecentlyAuthenticatedAdministrator
        )
    }

    /// Refuses a request that this policy does not let through. The layers have left in `extensions` who calls; `path` is
    /// what the audit says of a member who tries what only administrators may.
    ///
    /// # Errors
    /// `Unenrolled`, `Unauthenticated`, `Forbidden`, `Stale`.
    pub async fn check(
        self,
        state: &AppState,
        extensions: &Extensions,
        path: &str,
        meta: &RequestMeta,
    ) -> Result<(), Fault> {
        if extensions.get::<Unenrolled>().is_some() && !self.is_open_before_enrolment() {
            return Err(AppError::Unenrolled.into());
        }
        if !self.needs_sign_in() {
            return Ok(());
        }
        let caller = extensions.get::<Caller>().ok_or(AppError::Unauthenticated)?;
        if self.is_for_administrators() {
            state.people.require_administrator(caller, path, meta).await?;
        }
        if self.needs_recent_authentication() {
            state.accounts.require_fresh(caller)?;
        }
        Ok(())
    }
}
