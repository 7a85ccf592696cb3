//! `/jobs`

mod page;
mod row;

pub use page::JobsPage;
