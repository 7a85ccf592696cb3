//! The server functions: each one checks its access policy, calls one service and returns the result.
//!
//! A page loads all its data with one call: Leptos renders some pages twice on the server, and the request context may
//! be gone when a second call starts after the first has completed.

/// Declares the access policy of a server function, next to the function: `endpoint!(SignOut, Anyone);` for `sign_out`.
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
pub mod appearance;
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
pub mod models;
pub mod people;
pub mod recovery;
pub mod security;

#[cfg(feature = "ssr")]
mod context;
