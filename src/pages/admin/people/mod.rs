//! `/people`

mod invitations;
mod list;
mod mails;
mod page;
mod query;
mod receipts;
mod search;

pub use list::person_badges;
pub use page::PeoplePage;
