//! `/models`

mod page;
mod snippet;

pub use page::ModelsPage;
