//! `/settings` and `/settings/confirm`

mod activity;
mod address;
mod confirm;
mod deletion;
mod devices;
mod export;
mod factor_times;
mod locale;
mod name;
mod page;
mod passkeys;
mod password;
mod picture;
mod providers;
mod retention;
mod state;
mod two_step;

pub use confirm::ConfirmPage;
pub use page::SettingsPage;
