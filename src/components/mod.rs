//! Reusable view components. They get data as props and report user actions through callbacks; they never call the
//! server.

mod answer;
mod answer_actions;
mod avatar;
pub mod browser;
mod chat_action;
mod chat_groups;
mod chat_menu;
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
mod thinking;
mod time;
mod toast;
mod topbar;
mod transcript;

pub use answer::*;
pub use answer_actions::*;
pub use avatar::*;
pub use chat_action::*;
pub use chat_groups::*;
pub use chat_menu::*;
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
pub use thinking::*;
pub use time::*;
pub use toast::*;
pub use topbar::*;
pub use transcript::*;
