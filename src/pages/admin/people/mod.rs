//! `/people`

mod invitations;
mod list;
mod mails;
mod page;
mod query;
mod receipts;
mod search;

pub use page::PeoplePage;
