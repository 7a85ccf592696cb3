//! The pages for signed-out visitors.

mod address_links;
mod ask_address;
mod back_to_sign_in;
mod check_inbox;
mod column;
mod flash_message;
mod forgot_password;
mod incomplete_link;
mod link_page;
mod next;
mod passkey;
mod remember;
mod reset_password;
mod sign_in;
mod sign_in_code;
mod sign_in_methods;
mod sign_up;

pub use address_links::{ConfirmAddressPage, VerifyAddressPage};
pub use check_inbox::CheckInboxPage;
pub use forgot_password::ForgotPasswordPage;
pub use reset_password::ResetPasswordPage;
pub use sign_in::SignInPage;
pub use sign_in_code::SignInCodePage;
pub use sign_up::SignUpPage;
