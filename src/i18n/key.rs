//! Keys of texts.

/// The key of a text, as the FNV-1a hash of its name: four bytes in the WASM file instead of the name. A test verifies
/// that no two keys of the catalogue have the same hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u32);

const OFFSET: u32 = 0x811c_9dc5;
const PRIME: u32 = 0x0100_0193;

impl Key {
    /// The key with this name, such as `chat.send`. Use [`key!`](crate::key) instead, so that the tests find the key.
    pub const fn named(name: &str) -> Self {
        Self(OFFSET).with(name)
    }

    /// The key with this name plus `suffix`.
    pub const fn with(self, suffix: &str) -> Self {
        let (bytes, mut hash, mut at) = (suffix.as_bytes(), self.0, 0);
        while at < bytes.len() {
            hash = (hash ^ bytes[at] as u32).wrapping_mul(PRIME);
            at += 1;
        }
        Self(hash)
    }

    /// The hash of the name.
    pub const fn hash(self) -> u32 {
        self.0
    }

    /// The key with this hash.
    pub const fn from_hash(hash: u32) -> Self {
        Self(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_hashed_by_fnv_1a() {
        // Test vectors of the authors of FNV.
        assert_eq!(Key::named("").hash(), 0x811c_9dc5);
        assert_eq!(Key::named("a").hash(), 0xe40c_292c);
        assert_eq!(Key::named("foobar").hash(), 0xbf9c_f968);
        assert_eq!(Key::named("foo").with("bar"), Key::named("foobar"));
    }
}
