//! What the browser calls: each function checks its access policy, calls one service and returns.
//!
//! A page asks once for all that it shows: on the server a second question after the first answer may come when the
//! framework has already given the request's context away, because it renders some pages twice.

/// Gives a server function its access policy, beside the function: `endpoint!(SignOut, Anyone);` for `sign_out`.
macro_rules! endpoint {
    ($function:ident, $access:ident) => {
        #[cfg(feature = "ssr")]
        impl crate::server::access::HasAccess for $function {
            const ACCESS: crate::server::access::Access = crate::server::access::Access::$access;
        }

        #[cfg(feature = "ssr")]
        inventory::submit! { crate::server::access::Endpoint::new::<$function>() }
    };
}

pub mod account;
pub mod audit;
pub mod chats;
pub mod deletion;
pub mod export;
pub mod factors;
pub mod frame;
pub mod identities;
pub mod invitations;
pub mod jobs;
pub mod legal;
pub mod messages;
pub mod people;
pub mod recovery;
pub mod security;

#[cfg(feature = "ssr")]
mod context;
