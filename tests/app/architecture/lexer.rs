//! A minimal lexer that finds the names in a source file.

/// The words and punctuation of a source file, without comments and literals. `::` is one token.
pub fn tokens(source: &str) -> Vec<String> {
    let mut found = tokens_and_strings(source);
    found.retain(|token| !token.starts_with('"'));
    found
}

/// Like [`tokens`], with the string literals in double quotes as they are written, but without prefixes and hashes.
pub fn tokens_and_strings(source: &str) -> Vec<String> {
    let chars: Vec<char> = source.chars().collect();
    let (mut found, mut at) = (Vec::new(), 0);
    while at < chars.len() {
        let begun = at;
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('/')) => at = find(&chars, at, |rest| rest[0] == '\n'),
            ('/', Some('*')) => at = after_comment(&chars, at),
            ('"', _) => {
                at = after_string(&chars, at);
                found.push(chars[begun..at.min(chars.len())].iter().collect());
            }
            ('\'', _) => at = after_quote(&chars, at),
            ('r', Some('"' | '#')) if is_raw_string(&chars, at) => {
                at = after_raw_string(&chars, at);
                let literal: String = chars[begun + 1..at.min(chars.len())].iter().collect();
                found.push(literal.trim_matches('#').to_owned());
            }
            (':', Some(':')) => {
                found.push("::".to_owned());
                at += 2;
            }
            (c, _) if is_word(c) => {
                at = find(&chars, at, |rest| !is_word(rest[0]));
                // The prefix of a literal is part of it: b"…", br#"…"#, b'…'.
                let is_prefix =
                    matches!(chars.get(at), Some('"')) || chars.get(at) == Some(&'\'') && chars[begun] == 'b';
                if !is_prefix {
                    found.push(chars[begun..at].iter().collect());
                }
            }
            (c, _) => {
                if !c.is_whitespace() {
                    found.push(c.to_string());
                }
                at += 1;
            }
        }
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The first position from `at` on that matches, or the end.
fn find(chars: &[char], at: usize, fits: impl Fn(&[char]) -> bool) -> usize {
    (at..chars.len()).find(|&at| fits(&chars[at..])).unwrap_or(chars.len())
}

fn after_comment(chars: &[char], at: usize) -> usize {
    let (mut depth, mut at) = (1, at + 2);
    while depth > 0 && at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    at
}

fn after_string(chars: &[char], at: usize) -> usize {
    let mut at = at + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

fn is_raw_string(chars: &[char], at: usize) -> bool {
    let quote = find(chars, at + 1, |rest| rest[0] != '#');
    chars.get(quote) == Some(&'"')
}

fn after_raw_string(chars: &[char], at: usize) -> usize {
    let quote = find(chars, at + 1, |rest| rest[0] != '#');
    let hashes = quote - at - 1;
    let ends = |rest: &[char]| rest[0] == '"' && rest[1..].iter().take_while(|c| **c == '#').count() >= hashes;
    find(chars, quote + 1, ends) + 1 + hashes
}

/// The position after a character literal, or after the quote of a lifetime.
fn after_quote(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => find(chars, at + 3, |rest| rest[0] == '\'') + 1,
        (_, Some('\'')) => at + 3,
        _ => at + 1,
    }
}

#[test]
fn comments_and_literals_are_not_tokens() {
    let source = r##"a::b /* c /* d */ e */ // f
        "g\"h" r#"i"j"# b"k" b'l' '"' '\'' '\u{7f}' x<'y>"##;
    assert_eq!(tokens(source), ["a", "::", "b", "x", "<", "y", ">"]);
    let strings: Vec<_> = tokens_and_strings(source).into_iter().filter(|token| token.starts_with('"')).collect();
    assert_eq!(strings, [r#""g\"h""#, r#""i"j""#, r#""k""#]);
}
