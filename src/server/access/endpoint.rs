//! Server functions as endpoints: path, access policy and argument names.

use std::{collections::HashMap, sync::LazyLock};

use serde::{
    Deserializer,
    de::{DeserializeOwned, Error, Visitor, value},
    forward_to_deserialize_any,
};
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
        Self { path: T::PATH, access: T::ACCESS, arguments: arguments::<T> }
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

/// Finds the field names of an argument struct by deserializing it from a probe that records the names it is asked for.
fn arguments<T: DeserializeOwned>() -> ArgumentNames {
    let mut names: ArgumentNames = &[];
    // Always fails, after the names are recorded.
    let _ = T::deserialize(FieldNameProbe(&mut names));
    names
}

/// A deserializer that only records the field names of a struct.
struct FieldNameProbe<'a>(&'a mut ArgumentNames);

impl<'de> Deserializer<'de> for FieldNameProbe<'_> {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(Self::Error::custom("no data"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &str,
        fields: ArgumentNames,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
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
