//! Who is asking: accounts, passwords, sign-ins.

mod account;
mod address;
mod audit;
mod common;
mod devices;
mod email;
mod export;
mod factors;
mod invitations;
mod links;
mod locale;
mod notices;
mod oidc;
mod origin;
mod password;
mod people;
mod picture;
mod profile;
mod proof;
mod recovery;
mod rule;
mod session;
mod session_cache;
mod throttle;

pub use account::{Accounts, Caller, Credentials, NewAccount};
pub use address::ClientAddress;
pub use audit::AuditExport;
pub use export::Exports;
pub use factors::{Factors, Unenrolled, path_after};
pub use invitations::InvitationRequest;
pub use locale::Chosen;
pub use oidc::{Away, Back, Errand, FLOW_SECONDS, Identities};
pub use origin::{Act, Origin};
pub use password::Passwords;
pub use people::{By, Deleted};
pub use session::{SessionBackend, cookie_name, flow_cookie_name, layer as session_layer};
