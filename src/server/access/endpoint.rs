//! Server functions as endpoints: path, access policy and argument names.

use std::{collections::HashMap, sync::LazyLock};

use serde::de::DeserializeOwned;
use serde_aux::serde_introspection::serde_introspect;
use server_fn::ServerFn;

use super::Access;

/// The argument names of a server function.
type ArgumentNames = &'static [&'static str];

/// A server function as an endpoint.
#[derive(Debug)]
pub struct Endpoint {
    /// The URL path.
    pub path: &'static str,
    /// The access policy.
    pub access: Access,
    arguments: fn() -> ArgumentNames,
}

inventory::collect!(Endpoint);

impl Endpoint {
    /// The endpoint of a server function.
    pub const fn new<T: HasAccess + DeserializeOwned>() -> Self {
        Self { path: T::PATH, access: T::ACCESS, arguments: serde_introspect::<T> }
    }

    /// The endpoint at this path; `None` if there is no such server function.
    pub fn at(path: &str) -> Option<&'static Self> {
        static BY_PATH: LazyLock<HashMap<&str, &Endpoint>> =
            LazyLock::new(|| inventory::iter::<Endpoint>().map(|endpoint| (endpoint.path, endpoint)).collect());
        BY_PATH.get(path).copied()
    }

    /// The argument names. A request with any other argument is refused.
    pub fn arguments(&self) -> ArgumentNames {
        (self.arguments)()
    }
}

/// A server function with an access policy.
pub trait HasAccess: ServerFn {
    /// The access policy.
    const ACCESS: Access;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_25_endpoints_list_their_argument_names() {
        let arguments = |path: &str| Endpoint::at(path).map(Endpoint::arguments);
        assert_eq!(arguments("/api/sign_in"), Some(&["email", "password", "remember", "next"][..]));
        assert_eq!(arguments("/api/sign_out"), Some(&[][..]));
        assert_eq!(arguments("/api/nothing"), None);
    }
}
