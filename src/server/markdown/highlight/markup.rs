//! HTML, XML and similar markup.

use super::{Token, TokenSink, code::Scanner as Code, languages::Language};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Open {
    /// Between tags.
    #[default]
    Nothing,
    Comment,
    /// Inside a tag, between attributes.
    Tag,
    /// Inside the value of an attribute.
    Value(char),
    /// Inside `script` or `style`.
    Embedded,
}

/// Scans a block of markup.
#[derive(Debug, Clone, Default)]
pub(super) struct Scanner {
    open: Open,
    /// If the last start tag was of an element that contains code: the scanner for it, and the closing tag.
    embedded: Option<(Code, &'static str)>,
}

impl Scanner {
    pub(super) fn scan_line(&mut self, line: &str, sink: &mut TokenSink<'_>) {
        let mut rest = line;
        while !rest.is_empty() {
            let taken = match self.open {
                Open::Nothing => self.scan_between(rest, sink),
                Open::Comment => {
                    let end = rest.find("-->").map(|at| at + 3);
                    self.open = if end.is_some() { Open::Nothing } else { Open::Comment };
                    push(sink, Token::Comment, rest, end.unwrap_or(rest.len()))
                }
                Open::Tag => self.scan_tag(rest, sink),
                Open::Value(quote) => self.scan_value(rest, 0, quote, sink),
                Open::Embedded => self.scan_embedded(rest, sink),
            };
            rest = &rest[taken..];
        }
    }

    fn scan_between(&mut self, rest: &str, sink: &mut TokenSink<'_>) -> usize {
        if rest.starts_with("<!--") {
            self.open = Open::Comment;
            return push(sink, Token::Comment, rest, 4);
        }
        if let Some(after) = rest
            .strip_prefix('<')
            .filter(|after| after.starts_with(|c: char| c.is_alphabetic() || matches!(c, '/' | '!' | '?')))
        {
            let name = after
                .find(|c: char| !c.is_alphanumeric() && !matches!(c, '/' | '!' | '?' | '-' | ':' | '_' | '.'))
                .map_or(rest.len(), |end| end + 1);
            self.open = Open::Tag;
            self.embedded = find_embedded(&rest[1..name]);
            return push(sink, Token::Keyword, rest, name);
        }
        if rest.starts_with('&')
            && let Some(end) = rest.find(';').filter(|end| (2..12).contains(end))
        {
            return push(sink, Token::Literal, rest, end + 1);
        }
        let skip = rest.chars().next().map_or(1, char::len_utf8);
        let end = rest[skip..].find(['<', '&']).map_or(rest.len(), |end| end + skip);
        push(sink, Token::Plain, rest, end)
    }

    fn scan_tag(&mut self, rest: &str, sink: &mut TokenSink<'_>) -> usize {
        let first = rest.chars().next().unwrap_or(' ');
        match first {
            '>' => {
                self.open = if self.embedded.is_some() { Open::Embedded } else { Open::Nothing };
                push(sink, Token::Keyword, rest, 1)
            }
            '/' | '?' => {
                self.embedded = None;
                push(sink, Token::Keyword, rest, 1)
            }
            '"' | '\'' => self.scan_value(rest, 1, first, sink),
            c if c.is_whitespace() || c == '=' => push(sink, Token::Plain, rest, c.len_utf8()),
            c => {
                let end =
                    rest[c.len_utf8()..].find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/' | '"' | '\''));
                push(sink, Token::Name, rest, end.map_or(rest.len(), |end| end + c.len_utf8()))
            }
        }
    }

    fn scan_value(&mut self, rest: &str, from: usize, quote: char, sink: &mut TokenSink<'_>) -> usize {
        let end = rest[from..].find(quote).map(|end| from + end + 1);
        self.open = if end.is_some() { Open::Tag } else { Open::Value(quote) };
        push(sink, Token::String, rest, end.unwrap_or(rest.len()))
    }

    fn scan_embedded(&mut self, rest: &str, sink: &mut TokenSink<'_>) -> usize {
        let Some((code, close)) = &mut self.embedded else {
            self.open = Open::Nothing;
            return 0;
        };
        let end = rest.find(*close).unwrap_or(rest.len());
        code.scan_line(&rest[..end], sink);
        if end < rest.len() {
            self.open = Open::Nothing;
            self.embedded = None;
        }
        end
    }
}

fn find_embedded(name: &str) -> Option<(Code, &'static str)> {
    let (language, close) = match name {
        "script" => ("javascript", "</script"),
        "style" => ("css", "</style"),
        _ => return None,
    };
    Language::find(language).map(|language| (Code::new(language), close))
}

fn push(sink: &mut TokenSink<'_>, token: Token, rest: &str, end: usize) -> usize {
    sink.push(token, &rest[..end]);
    end
}
