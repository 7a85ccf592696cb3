//! The scanner for programming languages.

use super::{
    Token, TokenSink,
    languages::{Language, StringLiteral},
};

/// What is open at the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Nothing,
    /// A block comment, with its nesting depth.
    Comment {
        pair: usize,
        depth: u16,
    },
    /// A string that may span lines. Holds the index of its rule.
    String(usize),
    /// A Rust raw string with this many `#`.
    Raw(u16),
}

/// Scans a code block.
#[derive(Debug, Clone)]
pub(super) struct Scanner {
    language: &'static Language,
    open: Open,
    /// Whether the last token was a value. A `/` is then a division and not a regular expression.
    after_value: bool,
}

impl Scanner {
    pub(super) fn new(language: &'static Language) -> Self {
        Self { language, open: Open::Nothing, after_value: false }
    }

    pub(super) fn scan_line(&mut self, line: &str, sink: &mut TokenSink<'_>) {
        let mut rest = line;
        let mut at_start = true;
        while !rest.is_empty() {
            let taken = match self.open {
                Open::Nothing => self.scan_token(rest, at_start, sink),
                Open::Comment { pair, depth } => self.scan_comment(rest, pair, depth, sink),
                Open::String(rule) => self.scan_string(rest, rule, 0, sink),
                Open::Raw(hashes) => self.scan_raw(rest, hashes, 0, sink),
            };
            at_start = at_start && rest[..taken].trim().is_empty();
            rest = &rest[taken..];
        }
    }

    /// Scans one token at the start of `rest`. Returns its length, at least one character.
    fn scan_token(&mut self, rest: &str, at_start: bool, sink: &mut TokenSink<'_>) -> usize {
        let language = self.language;
        let first = rest.chars().next().unwrap_or(' ');
        if first.is_whitespace() {
            let end = rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len());
            sink.push(Token::Plain, &rest[..end]);
            return end;
        }
        if language.line_comments.iter().any(|mark| rest.starts_with(mark)) {
            sink.push(Token::Comment, rest);
            return rest.len();
        }
        if let Some(pair) = language.block_comments.iter().position(|(open, _)| rest.starts_with(open)) {
            let open = language.block_comments[pair].0.len();
            sink.push(Token::Comment, &rest[..open]);
            self.open = Open::Comment { pair, depth: 1 };
            return open;
        }
        if let Some(taken) = self.scan_special(rest, first, at_start, sink) {
            return taken;
        }
        if let Some(rule) = language.strings.iter().position(|string| rest.starts_with(string.open)) {
            return self.scan_string(rest, rule, language.strings[rule].open.len(), sink);
        }
        if first.is_ascii_digit() {
            self.after_value = true;
            return push(sink, Token::Number, rest, number_end(rest));
        }
        if language.is_word_start(first) {
            return self.scan_word(rest, sink);
        }
        self.after_value = matches!(first, ')' | ']' | '}');
        push(sink, Token::Plain, rest, first.len_utf8())
    }

    fn scan_word(&mut self, rest: &str, sink: &mut TokenSink<'_>) -> usize {
        let language = self.language;
        let end = rest.find(|c| !language.is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        // `f"…"`, `br'…'`: the prefix belongs to the string.
        if language.prefixed_strings
            && end <= 3
            && after.starts_with(['"', '\''])
            && word.bytes().all(|b| b"rRbBfFuULct8".contains(&b))
        {
            if language.has_raw_strings() && word.ends_with('r') {
                return self.raw_start(rest, end, sink).unwrap_or_else(|| push(sink, Token::Plain, rest, end));
            }
            sink.push(Token::String, word);
            return end;
        }
        if language.has_raw_strings()
            && matches!(word, "r" | "br")
            && after.starts_with('#')
            && let Some(taken) = self.raw_start(rest, end, sink)
        {
            return taken;
        }
        let token = language.classify(word, after);
        self.after_value = token != Token::Keyword;
        sink.push(token, word);
        end
    }

    /// Syntax of only some languages: sigils, attributes, preprocessor lines, regular expressions, lifetimes.
    fn scan_special(&mut self, rest: &str, first: char, at_start: bool, sink: &mut TokenSink<'_>) -> Option<usize> {
        let language = self.language;
        let word_end = |from: usize| rest[from..].find(|c| !language.is_word(c)).map_or(rest.len(), |end| from + end);
        let taken = match first {
            '#' if language.preprocessor && at_start => (Token::Meta, word_end(1)),
            '#' if language.attributes && (rest.starts_with("#[") || rest.starts_with("#![")) => {
                (Token::Meta, lookahead(rest).find(']').map_or(2, |end| end + 1))
            }
            '@' if language.decorators && word_end(1) > 1 => (Token::Meta, word_end(1)),
            '$' if language.variables && rest.starts_with("${") => {
                (Token::Name, lookahead(rest).find('}').map_or(2, |end| end + 1))
            }
            '$' | '%' if language.variables && word_end(1) > 1 => (Token::Name, word_end(1)),
            ':' if language.symbols && !rest.starts_with("::") && word_end(1) > 1 && !self.after_value => {
                (Token::Literal, word_end(1))
            }
            '\'' if language.lifetimes => match lifetime_or_char(rest) {
                (token, end) if end > 0 => (token, end),
                _ => return None,
            },
            '/' if language.regexes && !self.after_value => (Token::String, regex_end(rest)?),
            _ => return None,
        };
        self.after_value = true;
        Some(push(sink, taken.0, rest, taken.1))
    }

    fn scan_comment(&mut self, rest: &str, pair: usize, depth: u16, sink: &mut TokenSink<'_>) -> usize {
        let (open, close) = self.language.block_comments[pair];
        let end = rest.find(close);
        let inner = self
            .language
            .nested_comments
            .then(|| rest.find(open))
            .flatten()
            .filter(|inner| end.is_none_or(|end| *inner < end));
        let (taken, depth) = match (inner, end) {
            (Some(inner), _) => (inner + open.len(), depth.saturating_add(1)),
            (None, Some(end)) => (end + close.len(), depth - 1),
            (None, None) => (rest.len(), depth),
        };
        self.open = if depth == 0 { Open::Nothing } else { Open::Comment { pair, depth } };
        push(sink, Token::Comment, rest, taken)
    }

    /// Scans a string from `from` (after its opening mark) to its end or the end of the line.
    fn scan_string(&mut self, rest: &str, rule: usize, from: usize, sink: &mut TokenSink<'_>) -> usize {
        let string: &StringLiteral = &self.language.strings[rule];
        let end = string_end(rest, from, string);
        self.open = if end.is_none() && string.multiline { Open::String(rule) } else { Open::Nothing };
        self.after_value = true;
        let end = end.unwrap_or(rest.len());
        let is_key = self.language.string_keys && rest[end..].trim_start().starts_with(':');
        push(sink, if is_key { Token::Name } else { Token::String }, rest, end)
    }

    fn raw_start(&mut self, rest: &str, prefix: usize, sink: &mut TokenSink<'_>) -> Option<usize> {
        let hashes = rest[prefix..].bytes().take_while(|byte| *byte == b'#').count();
        let from = prefix + hashes + 1;
        (rest[prefix + hashes..].starts_with('"')).then_some(())?;
        Some(self.scan_raw(rest, u16::try_from(hashes).ok()?, from, sink))
    }

    fn scan_raw(&mut self, rest: &str, hashes: u16, from: usize, sink: &mut TokenSink<'_>) -> usize {
        let close = format!("\"{}", "#".repeat(usize::from(hashes)));
        let end = rest[from..].find(&close).map(|end| from + end + close.len());
        self.open = if end.is_none() { Open::Raw(hashes) } else { Open::Nothing };
        self.after_value = true;
        push(sink, Token::String, rest, end.unwrap_or(rest.len()))
    }
}

fn push(sink: &mut TokenSink<'_>, token: Token, rest: &str, end: usize) -> usize {
    sink.push(token, &rest[..end]);
    end
}

/// The end of a string, after its closing mark.
fn string_end(rest: &str, from: usize, string: &StringLiteral) -> Option<usize> {
    let mut is_escaped = false;
    for (at, c) in rest[from..].char_indices() {
        if is_escaped {
            is_escaped = false;
        } else if string.escapes && c == '\\' {
            is_escaped = true;
        } else if rest[from + at..].starts_with(string.close) {
            return Some(from + at + string.close.len());
        }
    }
    None
}

fn number_end(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut end = 1;
    while let Some(&byte) = bytes.get(end) {
        let sign = matches!(byte, b'+' | b'-') && matches!(bytes[end - 1], b'e' | b'E') && !rest.starts_with("0x");
        let dot = byte == b'.' && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
        if !(byte.is_ascii_alphanumeric() || byte == b'_' || sign || dot) {
            break;
        }
        end += 1;
    }
    end
}

/// `'a'` is a character, `'a` a lifetime.
fn lifetime_or_char(rest: &str) -> (Token, usize) {
    let mut chars = rest[1..].char_indices();
    let Some((_, first)) = chars.next() else { return (Token::Plain, 1) };
    if first == '\\' {
        let end = rest.bytes().skip(3).take(12).position(|byte| byte == b'\'');
        return end.map_or((Token::Plain, 1), |end| (Token::String, end + 4));
    }
    if let Some((at, '\'')) = chars.next() {
        return (Token::String, at + 2);
    }
    let end = rest[1..].find(|c: char| !c.is_alphanumeric() && c != '_').map_or(rest.len(), |end| end + 1);
    if end > 1 { (Token::Literal, end) } else { (Token::Plain, 1) }
}

/// The next 200 bytes or so: the limit of the search for a closing mark.
fn lookahead(rest: &str) -> &str {
    &rest[..rest.floor_char_boundary(200)]
}

/// The end of a regular expression literal, with its flags. `None` if it does not end soon on this line.
fn regex_end(rest: &str) -> Option<usize> {
    let (mut is_escaped, mut in_class) = (false, false);
    for (at, c) in lookahead(rest).char_indices().skip(1) {
        match c {
            '\n' => return None,
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '/' if !in_class && at > 1 => {
                let flags = rest[at + 1..].find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len() - at - 1);
                return Some(at + 1 + flags);
            }
            _ => {}
        }
    }
    None
}
