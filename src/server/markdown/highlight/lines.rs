//! Line-based formats: keys and values, patches.

use super::{Token, TokenSink, languages::LanguageKind};

pub(super) fn scan_line(kind: LanguageKind, line: &str, sink: &mut TokenSink<'_>) {
    match kind {
        LanguageKind::Diff => scan_patch(line, sink),
        LanguageKind::Yaml => scan_keyed(line, ": ", sink),
        LanguageKind::Keyed => scan_keyed(line, "=", sink),
        LanguageKind::Code | LanguageKind::Markup => sink.push(Token::Plain, line),
    }
}

fn scan_patch(line: &str, sink: &mut TokenSink<'_>) {
    let token = match line.as_bytes().first() {
        _ if line.starts_with("+++")
            || line.starts_with("---")
            || line.starts_with("diff ")
            || line.starts_with("index ") =>
        {
            Token::Meta
        }
        Some(b'@') => Token::Function,
        Some(b'+' | b'>') => Token::Inserted,
        Some(b'-' | b'<') => Token::Deleted,
        _ => Token::Plain,
    };
    sink.push(token, line);
}

fn scan_keyed(line: &str, mark: &str, sink: &mut TokenSink<'_>) {
    let begin = line.len() - line.trim_start().len();
    let (indent, mut rest) = line.split_at(begin);
    sink.push(Token::Plain, indent);
    while let Some(item) = rest.strip_prefix("- ") {
        sink.push(Token::Plain, &rest[..2]);
        rest = item;
    }
    if rest.starts_with(['#', ';']) {
        return sink.push(Token::Comment, rest);
    }
    if rest.starts_with('[') && mark == "=" {
        return sink.push(Token::Type, rest);
    }
    if let Some(at) = key_end(rest, mark) {
        sink.push(Token::Name, &rest[..at]);
        rest = &rest[at..];
    }
    scan_value(rest, sink);
}

/// Where the key ends: at the separator.
fn key_end(rest: &str, mark: &str) -> Option<usize> {
    let line = rest.trim_end();
    let at = match line.find(mark) {
        Some(at) => at,
        None if mark == ": " && line.ends_with(':') => line.len() - 1,
        None => return None,
    };
    (at > 0 && !line[..at].contains('#')).then_some(at)
}

fn scan_value(mut rest: &str, sink: &mut TokenSink<'_>) {
    while let Some(first) = rest.chars().next() {
        let (token, end) = match first {
            '"' | '\'' => (Token::String, rest[1..].find(first).map_or(rest.len(), |end| end + 2)),
            '#' => (Token::Comment, rest.len()),
            '&' | '*' | '!' => (Token::Meta, word_end(rest, 1)),
            c if c.is_ascii_digit() || c.is_alphabetic() => {
                // A word extends to the next space or separator, so that `a#b` and `1.2.3` stay whole.
                let end = rest.find([' ', '\t', '\n', '\r', ',', ']', '}', '[', '{']).unwrap_or(rest.len());
                (classify(&rest[..end]), end)
            }
            c => (Token::Plain, c.len_utf8()),
        };
        sink.push(token, &rest[..end]);
        rest = &rest[end..];
    }
}

fn word_end(rest: &str, from: usize) -> usize {
    rest[from..].find(|c: char| !c.is_alphanumeric() && c != '_').map_or(rest.len(), |end| from + end)
}

fn classify(word: &str) -> Token {
    if word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'e' | b'E' | b'-' | b'+')) {
        Token::Number
    } else if matches!(word, "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "True" | "False") {
        Token::Literal
    } else {
        Token::Plain
    }
}
