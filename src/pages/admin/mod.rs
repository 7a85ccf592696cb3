//! The pages for administrators.

mod audit;
mod jobs;
mod models;
mod people;
mod person;

pub use audit::AuditPage;
pub use jobs::JobsPage;
pub use models::ModelsPage;
pub use people::PeoplePage;
pub use person::PersonPage;
