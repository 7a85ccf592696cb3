//! Percent-decoding (`%xx`) of paths and forms.

use std::borrow::Cow;

/// Decodes every `%xx`; `None` if the result is not UTF-8. A `%` without two hex digits is kept as it is.
pub(super) fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let digit = |index: usize| tail.get(index).and_then(|digit| char::from(*digit).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or(0));
                rest = &tail[2..];
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_digits_are_resolved_and_the_rest_stays() {
        for (text, decoded) in [
            ("/a b", Some("/a b")),
            ("%41%c3%A9", Some("Aé")),
            ("100%", Some("100%")),
            ("%z1%4", Some("%z1%4")),
            ("%2541", Some("%41")),
            ("%ff", None),
            ("%c3(", None),
            ("%ed%a0%80", None),
        ] {
            assert_eq!(decode(text).as_deref(), decoded, "{text}");
        }
    }
}
