//! `/people/{id}`

mod access;
mod change;
mod deletion;
mod factors;
mod page;
mod password;
mod role;
mod sign_ins;
mod state;

pub use page::PersonPage;
