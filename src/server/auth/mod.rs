//! Who is asking: accounts, passwords, sign-ins.

mod account;
mod address;
mod devices;
mod email;
mod factors;
mod invitations;
mod links;
mod oidc;
mod origin;
mod password;
mod profile;
mod recovery;
mod rule;
mod session;
mod throttle;

pub use account::{Accounts, Caller, Credentials, NewAccount};
pub use address::ClientAddress;
pub use factors::{Factors, Unenrolled, path_after};
pub use invitations::InvitationRequest;
pub use oidc::{Away, Back, FLOW_SECONDS, Identities};
pub use origin::Origin;
pub use password::Passwords;
pub use session::{SessionBackend, cookie_name, flow_cookie_name, layer as session_layer};
