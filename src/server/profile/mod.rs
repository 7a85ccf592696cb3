//! User profiles: name, picture, language and time zone.

mod locale;
mod name;
mod picture;

pub use locale::{Preferences, ReaderTimeZone};

use crate::server::{clock::Clock, store::Store};

/// The profiles of all users.
#[derive(Debug, Clone)]
pub struct Profiles {
    store: Store,
    clock: Clock,
}

impl Profiles {
    /// Creates the service for this store.
    pub const fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }
}
