//! Who is asking: accounts, passwords, second factors, identity providers, sign-ins and sessions.

mod account;
mod admission;
mod common;
mod deferred;
mod devices;
mod email;
mod entry;
mod factors;
mod links;
mod oidc;
mod password;
mod password_change;
mod proof;
mod recovery;
mod rule;
mod safeguards;
mod session;
mod session_cache;
mod sign_up;

pub use account::{Accounts, Caller, Credentials};
pub(crate) use admission::Admission;
pub use deferred::Reading;
pub use factors::{Factors, Unenrolled, path_after};
pub(crate) use links::Token;
pub use oidc::{Away, Back, Errand, FLOW_SECONDS, Identities};
pub use password::Passwords;
pub use session::SessionBackend;
pub use sign_up::NewAccount;
