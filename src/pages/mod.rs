//! The pages, by area. In each area one file per URL says what it loads and which components it places.

mod admin;
mod auth;
pub mod bundles;
mod chat;
mod legal;
mod sessions;
mod settings;
mod shell;
mod toolkit;

pub use shell::NotFoundPage;
pub use toolkit::provide_typed;
