//! Decodes text from tokens, which may end inside a character.

/// Assembles UTF-8 characters from bytes.
#[derive(Debug, Default)]
pub struct Utf8Decoder {
    pending: Vec<u8>,
}

impl Utf8Decoder {
    /// Takes bytes and returns the complete text. Replaces invalid bytes with U+FFFD.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        let mut text = String::with_capacity(self.pending.len());
        let mut incomplete = 0;
        let mut chunks = self.pending.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            if chunks.peek().is_none() && is_incomplete_char(invalid) {
                incomplete = invalid.len();
            } else if !invalid.is_empty() {
                text.push('\u{FFFD}');
            }
        }
        self.pending.drain(..self.pending.len() - incomplete);
        text
    }

    /// The rest at the end: empty, or U+FFFD for an incomplete character.
    pub fn finish(&mut self) -> &'static str {
        if std::mem::take(&mut self.pending).is_empty() { "" } else { "\u{FFFD}" }
    }
}

/// Whether these bytes are the beginning of a character.
fn is_incomplete_char(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c10_characters_are_whole_however_the_bytes_are_split() {
        let text = "né 汉字 👩‍🚀 end";
        for size in 1..=text.len() {
            let mut decoder = Utf8Decoder::default();
            let joined: String = text.as_bytes().chunks(size).map(|bytes| decoder.push(bytes)).collect();
            assert_eq!((joined.as_str(), decoder.finish()), (text, ""), "by {size}");
        }
    }

    #[test]
    fn invalid_bytes_are_replaced() {
        let mut decoder = Utf8Decoder::default();
        assert_eq!(decoder.push(b"a\xFFb\xE6"), "a\u{FFFD}b");
        assert_eq!(decoder.push(b"c"), "\u{FFFD}c");
        assert_eq!(decoder.push(b"\xF0\x9F"), "");
        assert_eq!(decoder.finish(), "\u{FFFD}");
    }
}
