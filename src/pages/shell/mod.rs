//! What stands around the pages of a person who is signed in, and what the pages take from there: contexts of one
//! concern each.

mod chat_list;
mod cookie;
mod current_person;
mod deletion_notice;
mod enrolment;
mod factor_removal_notice;
mod fault;
mod frame;
mod guard;
mod language;
mod loaded;
mod message_form_id;
mod models;
mod page;
mod page_bar;
mod reader_time;
mod sidebar_state;
mod sign_in_state;
mod signed_out_notice;
mod toast_area;
mod toasts;

pub use chat_list::ChatList;
pub use current_person::CurrentPerson;
pub use fault::{Alone, NotFoundPage, set_status};
pub use frame::FramePage;
pub use language::keep_to_language;
pub use loaded::{Loaded, LoadedAlone};
pub use message_form_id::MessageFormId;
pub use models::Models;
pub use page::Page;
pub use page_bar::PageBar;
pub use reader_time::ReaderTime;
pub use sign_in_state::SignInState;
