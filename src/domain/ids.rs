//! Ids are UUIDs, one type per kind of thing, so that they cannot be mixed up.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

/// Text that is not an id in the one accepted form (lower case, with hyphens).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid id")]
pub struct InvalidId;

fn parse(text: &str) -> Result<Uuid, InvalidId> {
    let id = Uuid::try_parse(text).map_err(|_| InvalidId)?;
    // One spelling per id: braces, upper case and URN forms are refused.
    if id.is_nil() || id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) != text {
        return Err(InvalidId);
    }
    Ok(id)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(transparent))]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID made elsewhere (the server's clock and randomness, a database row).
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The UUID itself.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse(text).map(Self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// A person with an account.
    UserId
);
id!(
    /// One sign-in of one browser.
    SignInId
);
id!(
    /// A sign-in that waits for the second factor.
    PendingSignInId
);
id!(
    /// A second factor of a person.
    FactorId
);
id!(
    /// One use of a passkey, from its challenge to its answer.
    CeremonyId
);
id!(
    /// An invitation.
    InvitationId
);
id!(
    /// A chat.
    ChatId
);
id!(
    /// A message of a chat.
    MessageId
);
id!(
    /// A download of a person's own data.
    ExportId
);
id!(
    /// One generation of an answer.
    RunId
);
id!(
    /// The id that the sender gives a message, so that sending twice is harmless.
    ClientId
);

impl ClientId {
    /// A new random id, for the sender's side.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The id of a message with this text, where this is the id of its draft: the same one whenever the same draft is sent
    /// with the same text, another one for another text.
    #[must_use]
    pub fn of_message(self, text: &str) -> Self {
        // FNV-1a with 128 bits: small, and enough to tell the texts of one person apart.
        const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
        let bytes = self.0.as_bytes().iter().chain(text.as_bytes());
        let hash = bytes.fold(BASIS, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME));
        // The bits of a UUID of version 8, which is never the nil one.
        Self(Uuid::from_u128(hash & !(0xf << 76 | 0x3 << 62) | 0x8 << 76 | 0x2 << 62))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_a_message_follows_from_the_draft_and_the_text() {
        let draft = ClientId::random();
        assert_eq!(draft.of_message("one"), draft.of_message("one"));
        for other in ["", "One", "one ", "two", "on", "eno"] {
            assert_ne!(draft.of_message("one"), draft.of_message(other), "{other}");
        }
        assert_ne!(draft.of_message("one"), ClientId::random().of_message("one"));
        let id = draft.of_message("one").to_string();
        assert_eq!(id.parse(), Ok(draft.of_message("one")));
        assert_eq!((&id[14..15], "89ab".contains(&id[19..20])), ("8", true), "{id}");
    }

    #[test]
    fn only_the_canonical_form_is_an_id() {
        let text = "0190e2a4-7b1c-7def-8123-456789abcdef";
        assert_eq!(text.parse::<ChatId>().map(|id| id.to_string()), Ok(text.into()));
        for bad in [
            "",
            "x",
            "0190E2A4-7B1C-7DEF-8123-456789ABCDEF",
            "{0190e2a4-7b1c-7def-8123-456789abcdef}",
            "urn:uuid:0190e2a4-7b1c-7def-8123-456789abcdef",
            "0190e2a47b1c7def8123456789abcdef",
            "00000000-0000-0000-0000-000000000000",
            "0190e2a4-7b1c-7def-8123-456789abcdef'",
        ] {
            assert_eq!(bad.parse::<ChatId>(), Err(InvalidId), "{bad}");
        }
    }
}
