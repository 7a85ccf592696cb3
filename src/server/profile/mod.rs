//! What people choose for themselves: name, picture, language and time zone.

mod locale;
mod name;
mod picture;

pub use locale::{Chosen, ReaderTimeZone};

use crate::server::{clock::Clock, store::Store};

/// The profiles of all people.
#[derive(Debug, Clone)]
pub struct Profiles {
    store: Store,
    clock: Clock,
}

impl Profiles {
    /// Profiles in this store.
    pub const fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }
}
