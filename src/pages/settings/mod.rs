//! `/settings` and the pages below it.

mod activity;
mod address;
mod appearance;
mod deletion;
mod devices;
mod export;
mod factor_times;
mod layout;
mod locale;
mod name;
mod page;
mod passkeys;
mod password;
mod picture;
mod providers;
mod reauth;
mod remove_factor;
mod retention;
mod state;
mod two_step;

pub use appearance::AppearancePage;
pub use page::{DataPage, ProfilePage, SecurityPage};
pub use reauth::ReauthPage;
