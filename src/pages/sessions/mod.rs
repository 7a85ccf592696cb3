//! `/sessions`

mod focus;
mod keyboard;
mod list;
mod list_state;
mod matches;
mod page;
mod query;
mod row;
mod search;
mod selection;
mod tabs;
mod undo_banner;

pub use page::SessionsPage;
