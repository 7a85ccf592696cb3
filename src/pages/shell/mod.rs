//! The frame around the pages of a signed-in user, and the contexts that it provides to them, one per concern.

mod chat_list;
mod connection_bar;
mod cookie;
mod current_person;
mod deletion_notice;
mod enrolment;
mod error_page;
mod factor_removal_notice;
mod frame;
mod guard;
mod language;
mod loaded;
mod message_form_id;
mod models;
mod navigation;
mod page;
mod page_bar;
mod page_resource;
mod reader_time;
mod search_dialog;
mod shortcuts;
mod sidebar_state;
mod sign_in_state;
mod signed_out_notice;
mod toast_area;
mod toasts;

pub use chat_list::ChatListState;
pub use current_person::CurrentPerson;
#[cfg(feature = "hydrate")]
pub use error_page::ErrorView;
pub use error_page::{NotFoundPage, StandalonePage, set_status};
pub use frame::FramePage;
pub use language::reload_if_language_changed;
pub use loaded::{Loaded, LoadedStandalone};
pub use message_form_id::MessageFormId;
pub use models::Models;
pub use page::Page;
pub use page_bar::PageBar;
pub use page_resource::page_resource;
pub use reader_time::ReaderTime;
pub use sign_in_state::SignInState;
