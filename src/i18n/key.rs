//! What a text is found by.

/// The key of a text, as its FNV-1a hash: four bytes in the browser's part of the program in place of a name. No two keys of
/// the catalogue have the same (a test holds that).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u32);

const OFFSET: u32 = 0x811c_9dc5;
const PRIME: u32 = 0x0100_0193;

impl Key {
    /// The key with this name, such as `chat.send`. Use [`key!`](crate::key), so that the tests find it.
    pub const fn named(name: &str) -> Self {
        Self(OFFSET).with(name)
    }

    /// The key whose name goes on with this.
    pub const fn with(self, more: &str) -> Self {
        let (bytes, mut hash, mut at) = (more.as_bytes(), self.0, 0);
        while at < bytes.len() {
            hash = (hash ^ bytes[at] as u32).wrapping_mul(PRIME);
            at += 1;
        }
        Self(hash)
    }

    /// The number that stands for the name.
    pub const fn hash(self) -> u32 {
        self.0
    }

    /// The key with this number.
    pub const fn from_hash(hash: u32) -> Self {
        Self(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_hashed_by_fnv_1a() {
        // The vectors of the algorithm's authors.
        assert_eq!(Key::named("").hash(), 0x811c_9dc5);
        assert_eq!(Key::named("a").hash(), 0xe40c_292c);
        assert_eq!(Key::named("foobar").hash(), 0xbf9c_f968);
        assert_eq!(Key::named("foo").with("bar"), Key::named("foobar"));
    }
}
