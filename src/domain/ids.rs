//! Ids: UUIDs with a separate type for each kind of object, so that they cannot be mixed up.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

/// The error for a text that is not an id in canonical form (lower case, with hyphens).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid id")]
pub struct InvalidId;

fn parse(text: &str) -> Result<Uuid, InvalidId> {
    let id = Uuid::try_parse(text).map_err(|_| InvalidId)?;
    // Only the canonical form is accepted: no braces, upper case or URN forms.
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
            /// Wraps a UUID.
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The wrapped UUID.
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
    /// A user account.
    UserId
);
id!(
    /// A sign-in of a user in one browser.
    SignInId
);
id!(
    /// A sign-in that waits for the second factor.
    PendingSignInId
);
id!(
    /// A second factor of a user.
    FactorId
);
id!(
    /// A WebAuthn ceremony: one registration or use of a passkey, from challenge to response.
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
    /// An export of a user's data.
    ExportId
);
id!(
    /// A run, which generates an answer.
    RunId
);
id!(
    /// The idempotency key of a message, chosen by the client, so that a message that is sent twice is stored once.
    ClientId
);

impl ClientId {
    /// Generates a random id in the client.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// Derives the id of a message from this id of its draft and the text: sending the same draft with the same text
    /// results in the same id, another text in another id.
    #[must_use]
    pub fn of_message(self, text: &str) -> Self {
        // 128-bit FNV-1a: small code, and sufficient to distinguish the texts of one user.
        const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
        let bytes = self.0.as_bytes().iter().chain(text.as_bytes());
        let hash = bytes.fold(BASIS, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME));
        // Sets the bits of a UUID of version 8, which is never nil.
        Self(Uuid::from_u128(hash & !(0xf << 76 | 0x3 << 62) | 0x8 << 76 | 0x2 << 62))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_is_derived_from_the_draft_and_the_text() {
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
