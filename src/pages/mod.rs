//! The pages, by area. Each URL has one file, which loads the data and renders the components.

mod admin;
mod auth;
pub mod bundles;
mod chat;
mod legal;
mod sessions;
mod settings;
mod shell;
mod toolkit;

pub use toolkit::provide_form_values;
