//! Building blocks for pages of several areas: forms, sections, lists.

mod day_list;
mod form_action;
mod form_error;
mod input;
mod list;
mod password;
mod reauth;
mod section;
mod status;

pub use day_list::DayList;
pub use form_action::{
    action_done, action_error, action_status, done_status, form_action, on_success, provide_form_values, url_error,
};
pub use form_error::{field_error, focus_error, form_error};
pub use input::{clear_input, focus_soon, input_value, keep_input_value};
pub use list::{PageLinks, Pager, RowList, RowListOrEmpty};
pub use password::{NewPasswordField, password_rating};
pub use reauth::{FormErrorOrReauth, ReauthGate, ReauthLink, ReauthNotice};
pub use section::{EditSection, RowSection, Section};
pub use status::{AutoSave, StatusMessage, SubmitButton};
