//! One module per URL: what it loads, which components it places.

mod audit;
mod cookies;
mod deletion;
mod fault;
mod forms;
mod frame;
pub mod groups;
mod jobs;
mod legal;
mod loaded;
mod new_chat;
mod password;
mod sign_in;
mod sign_up;
mod signed_out;

mod address_links;
mod forgotten;
mod sign_in_code;
mod ways;

mod chat;
mod people;
mod sessions;
mod settings;

pub use audit::AuditPage;
pub use chat::ChatPage;
pub use fault::NotFoundPage;
pub use frame::FramePage;
pub use jobs::JobsPage;
pub use legal::{PrivacyPage, TermsPage};
pub use new_chat::NewChatPage;
pub use people::{PeoplePage, PersonPage};
pub use sessions::SessionsPage;
pub use settings::{ConfirmPage, SettingsPage};
pub use sign_in::SignInPage;
pub use sign_up::SignUpPage;

pub use address_links::{ConfirmAddressPage, VerifyAddressPage};
pub use forgotten::{ForgotPasswordPage, ResetPasswordPage};
pub use forms::provide_typed;
pub use sign_in_code::SignInCodePage;
