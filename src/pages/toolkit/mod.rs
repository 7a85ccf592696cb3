//! What pages of several areas are made of: forms, sections, lists.

mod confirm;
mod form_action;
mod form_error;
mod input;
mod list;
mod password;
mod section;
mod status;

pub use confirm::{ConfirmFirst, ConfirmGate, ConfirmLink, FormErrorOrConfirm};
pub use form_action::{
    action_done, action_error, action_status, done_status, form_action, on_success, provide_typed, url_error,
};
pub use form_error::{field_error, focus_error, form_error};
pub use input::input_value;
pub use list::{PageLinks, Pager, RowList, RowsOrNone};
pub use password::{PasswordStrength, password_rating};
pub use section::Section;
pub use status::{StatusMessage, SubmitButton};
