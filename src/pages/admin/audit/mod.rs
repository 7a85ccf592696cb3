//! `/audit`

mod export;
mod filter;
mod page;
mod row;

pub use page::AuditPage;
