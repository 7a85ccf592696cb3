use leptos::prelude::*;

use crate::domain::{CurrentUser, Timestamp};

/// The signed-in user.
#[derive(Clone, Copy)]
pub struct CurrentPerson {
    /// Their id, name, address and role.
    pub user: RwSignal<CurrentUser>,
    /// The version of their picture; 0 if there is none.
    pub picture: RwSignal<i64>,
    /// Whether they must add a second factor (MFA enrolment) before anything else.
    pub must_enrol: RwSignal<bool>,
    /// Whether they are an administrator who should verify their address.
    pub address_unverified: bool,
    /// When their account will be deleted; `None` if no deletion is pending.
    pub deletion: RwSignal<Option<Timestamp>>,
}

impl CurrentPerson {
    /// Gets the user from the context.
    pub fn expect() -> Self {
        expect_context()
    }
}
