//! Who is asking: accounts, passwords, sign-ins.

mod account;
mod address;
mod oidc;
mod password;
mod rule;
mod session;
mod throttle;

pub use account::{Accounts, Caller, Credentials, NewAccount};
pub use address::ClientAddress;
pub use oidc::{Away, Back, FLOW_SECONDS, Identities};
pub use password::Passwords;
pub use session::{SessionBackend, cookie_name, flow_cookie_name, layer as session_layer};
