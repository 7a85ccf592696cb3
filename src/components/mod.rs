//! Pieces of view: data comes in by props, intent goes out by callbacks. They never call the server.

mod answer;
pub mod browser;
mod chat_groups;
mod composer;
mod copy_link;
mod drawer;
mod field;
mod icon;
mod menu;
mod message;
mod model_picker;
mod notice;
mod page_title;
mod sidebar;
mod time;
mod toast;
mod topbar;
mod transcript;

pub use answer::*;
pub use chat_groups::*;
pub use composer::*;
pub use copy_link::*;
pub use drawer::*;
pub use field::*;
pub use icon::*;
pub use menu::*;
pub use message::*;
pub use model_picker::*;
pub use notice::*;
pub use page_title::*;
pub use sidebar::*;
pub use time::*;
pub use toast::*;
pub use topbar::*;
pub use transcript::*;
