//! What the server knows of each server function: where it is, who may call it, and what it takes.

use std::{collections::HashMap, sync::LazyLock};

use serde::{
    Deserializer,
    de::{DeserializeOwned, Error, Visitor, value},
    forward_to_deserialize_any,
};
use server_fn::ServerFn;

use super::Access;

/// The names of the arguments of a server function.
type Names = &'static [&'static str];

/// A server function as an endpoint.
#[derive(Debug)]
pub struct Endpoint {
    /// Its path.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    arguments: fn() -> Names,
}

inventory::collect!(Endpoint);

impl Endpoint {
    /// The endpoint of a server function.
    pub const fn new<T: HasAccess + DeserializeOwned>() -> Self {
        Self { path: T::PATH, access: T::ACCESS, arguments: arguments::<T> }
    }

    /// The endpoint at this path; `None` where no server function is.
    pub fn at(path: &str) -> Option<&'static Self> {
        static BY_PATH: LazyLock<HashMap<&str, &Endpoint>> =
            LazyLock::new(|| inventory::iter::<Endpoint>().map(|endpoint| (endpoint.path, endpoint)).collect());
        BY_PATH.get(path).copied()
    }

    /// The names of what it takes. Anything else in a request is refused.
    pub fn arguments(&self) -> Names {
        (self.arguments)()
    }
}

/// A server function with an access policy.
pub trait HasAccess: ServerFn {
    /// Who may call it.
    const ACCESS: Access;
}

/// The arguments are asked of the function's own type: it is told to read itself from nothing, and says what it looks for.
fn arguments<T: DeserializeOwned>() -> Names {
    let mut asked: Names = &[];
    // It always fails, and has then said what it looks for.
    let _ = T::deserialize(Listener(&mut asked));
    asked
}

/// Listens to what a type looks for.
struct Listener<'a>(&'a mut Names);

impl<'de> Deserializer<'de> for Listener<'_> {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(Self::Error::custom("nothing is there"))
    }

    fn deserialize_struct<V: Visitor<'de>>(self, _: &str, fields: Names, visitor: V) -> Result<V::Value, Self::Error> {
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
    fn row_25_functions_say_what_they_take() {
        let arguments = |path: &str| Endpoint::at(path).map(Endpoint::arguments);
        assert_eq!(arguments("/api/sign_in"), Some(&["email", "password", "remember", "next"][..]));
        assert_eq!(arguments("/api/sign_out"), Some(&[][..]));
        assert_eq!(arguments("/api/nothing"), None);
    }
}
