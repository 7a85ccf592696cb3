//! `/privacy` and `/terms`

mod links;
mod page;

pub use links::LegalLinks;
pub use page::{PrivacyPage, TermsPage};
