//! Repairs invalid JSON that some programs write.

/// Replaces what the parser rejects: non-finite numbers (such as `NaN`) and unpaired surrogates. `None` if there is
/// neither.
pub fn repair_json(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut in_string) = (text, false);
    while let Some(c) = rest.chars().next() {
        let bare = ["NaN", "-Infinity", "Infinity"].into_iter().find(|word| !in_string && rest.starts_with(word));
        if let Some(word) = bare {
            out.push_str("null");
            rest = &rest[word.len()..];
        } else if in_string && c == '\\' {
            let length = rest.char_indices().nth(2).map_or(rest.len(), |(at, _)| at);
            let (escape, unit) = (&rest[..length], escaped_code_unit(rest));
            match unit {
                Some(0xD800..=0xDBFF) if matches!(escaped_code_unit(&rest[6..]), Some(0xDC00..=0xDFFF)) => {
                    out.push_str(&rest[..12]);
                    rest = &rest[12..];
                }
                Some(0xD800..=0xDFFF) => {
                    out.push('\u{FFFD}');
                    rest = &rest[6..];
                }
                _ => {
                    out.push_str(escape);
                    rest = &rest[length..];
                }
            }
        } else {
            in_string ^= c == '"';
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    (out != text).then_some(out)
}

/// The code unit of an escape such as `\uD83D` at the start of `text`.
fn escaped_code_unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_invalid_json_is_changed() {
        for (text, expected) in [
            (r#"{"a":[NaN,-Infinity,Infinity]}"#, Some(r#"{"a":[null,null,null]}"#)),
            (r#""\ud83d""#, Some("\"\u{FFFD}\"")),
            (r#""\ude80x""#, Some("\"\u{FFFD}x\"")),
            (r#""\ud83d\ude80 \u00e9 NaN \"Infinity\\""#, None),
            (r#"{"a":"NaN"}"#, None),
            ("\"\\", None),
            ("\"\\u12", None),
        ] {
            assert_eq!(repair_json(text).as_deref(), expected, "{text}");
        }
    }
}
