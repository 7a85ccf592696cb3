//! `/settings` and `/settings/confirm`

mod activity;
mod address;
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
mod reauth;
mod retention;
mod state;
mod two_step;

pub use page::SettingsPage;
pub use reauth::ReauthPage;
