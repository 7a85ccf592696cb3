//! Formats whose lines stand for themselves: keys and values, patches.

use super::{Sink, Token, languages::Kind};

pub(super) fn line(kind: Kind, line: &str, sink: &mut Sink<'_>) {
    match kind {
        Kind::Diff => patch(line, sink),
        Kind::Yaml => keyed(line, ": ", sink),
        Kind::Keyed => keyed(line, "=", sink),
        Kind::Code | Kind::Markup => sink.push(Token::Plain, line),
    }
}

fn patch(line: &str, sink: &mut Sink<'_>) {
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

fn keyed(line: &str, mark: &str, sink: &mut Sink<'_>) {
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
    value(rest, sink);
}

/// Where the key ends: before the mark, in front of any value.
fn key_end(rest: &str, mark: &str) -> Option<usize> {
    let line = rest.trim_end();
    let at = match line.find(mark) {
        Some(at) => at,
        None if mark == ": " && line.ends_with(':') => line.len() - 1,
        None => return None,
    };
    (at > 0 && !line[..at].contains('#')).then_some(at)
}

fn value(mut rest: &str, sink: &mut Sink<'_>) {
    while let Some(first) = rest.chars().next() {
        let (token, end) = match first {
            '"' | '\'' => (Token::Text, rest[1..].find(first).map_or(rest.len(), |end| end + 2)),
            '#' => (Token::Comment, rest.len()),
            '&' | '*' | '!' => (Token::Meta, word(rest, 1)),
            c if c.is_ascii_digit() || c.is_alphabetic() => {
                // A word goes to the next blank or mark, so that `a#b` and `1.2.3` stay whole.
                let end = rest.find([' ', '\t', '\n', '\r', ',', ']', '}', '[', '{']).unwrap_or(rest.len());
                (classify(&rest[..end]), end)
            }
            c => (Token::Plain, c.len_utf8()),
        };
        sink.push(token, &rest[..end]);
        rest = &rest[end..];
    }
}

fn word(rest: &str, from: usize) -> usize {
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
