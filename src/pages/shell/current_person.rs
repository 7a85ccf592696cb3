use leptos::prelude::*;

use crate::domain::{CurrentUser, Timestamp};

/// The person who is signed in.
#[derive(Clone, Copy)]
pub struct CurrentPerson {
    /// Who it is.
    pub user: RwSignal<CurrentUser>,
    /// The version of their picture; 0 where there is none.
    pub picture: RwSignal<i64>,
    /// Whether they must add a second factor before anything else.
    pub must_enrol: RwSignal<bool>,
    /// When their account is deleted, if that was asked for.
    pub deletion: RwSignal<Option<Timestamp>>,
}

impl CurrentPerson {
    /// The person of this page.
    pub fn expect() -> Self {
        expect_context()
    }
}
