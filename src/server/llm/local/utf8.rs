//! Text from tokens, whose borders may lie inside a character.

/// Puts characters together from bytes.
#[derive(Debug, Default)]
pub struct Assembly {
    held: Vec<u8>,
}

impl Assembly {
    /// Takes bytes and returns the text that is complete; what can be no character becomes U+FFFD.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.held.extend_from_slice(bytes);
        let mut text = String::with_capacity(self.held.len());
        let mut open = 0;
        let mut chunks = self.held.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            if chunks.peek().is_none() && may_continue(invalid) {
                open = invalid.len();
            } else if !invalid.is_empty() {
                text.push('\u{FFFD}');
            }
        }
        self.held.drain(..self.held.len() - open);
        text
    }

    /// The rest at the end: nothing, or U+FFFD for a character that was never finished.
    pub fn finish(&mut self) -> &'static str {
        if std::mem::take(&mut self.held).is_empty() { "" } else { "\u{FFFD}" }
    }
}

/// Whether these bytes are the beginning of a character.
fn may_continue(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c10_characters_are_whole_however_the_bytes_are_cut() {
        let text = "né 汉字 👩‍🚀 end";
        for size in 1..=text.len() {
            let mut assembly = Assembly::default();
            let joined: String = text.as_bytes().chunks(size).map(|bytes| assembly.push(bytes)).collect();
            assert_eq!((joined.as_str(), assembly.finish()), (text, ""), "by {size}");
        }
    }

    #[test]
    fn what_is_no_character_is_replaced() {
        let mut assembly = Assembly::default();
        assert_eq!(assembly.push(b"a\xFFb\xE6"), "a\u{FFFD}b");
        assert_eq!(assembly.push(b"c"), "\u{FFFD}c");
        assert_eq!(assembly.push(b"\xF0\x9F"), "");
        assert_eq!(assembly.finish(), "\u{FFFD}");
    }
}
