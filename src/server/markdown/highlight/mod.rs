//! Syntax highlighting in one pass: each byte is read a bounded number of times, and the only state is an open comment
//! or string, so that a growing answer can be highlighted line by line.
//!
//! The languages are defined by tables (`languages/`). Programming languages share one scanner (`code.rs`); markup,
//! key-value formats and patches have their own. A grammar engine would be more precise but too expensive here: with
//! syntect and its default grammars, each language that had been used once kept 5 to 65 MB of compiled expressions and
//! took 40 to 470 ms to compile them, and the time per line was unbounded.

mod code;
mod languages;
mod lines;
mod markup;

use super::escape::{TextContext, push_text};
pub(super) use languages::Language;
use languages::LanguageKind;

/// A kind of token. Each has a colour in `style/code.css`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Plain,
    Keyword,
    Type,
    Function,
    String,
    Number,
    Comment,
    Literal,
    Name,
    Meta,
    Inserted,
    Deleted,
}

impl Token {
    const fn class(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Keyword => Some("t-k"),
            Self::Type => Some("t-t"),
            Self::Function => Some("t-f"),
            Self::String => Some("t-s"),
            Self::Number => Some("t-n"),
            Self::Comment => Some("t-c"),
            Self::Literal => Some("t-l"),
            Self::Name => Some("t-v"),
            Self::Meta => Some("t-m"),
            Self::Inserted => Some("t-i"),
            Self::Deleted => Some("t-d"),
        }
    }
}

/// Writes the tokens of a line. Merges adjacent tokens of the same kind.
struct TokenSink<'a> {
    out: &'a mut String,
    open: Token,
}

impl TokenSink<'_> {
    fn push(&mut self, token: Token, text: &str) {
        if text.is_empty() {
            return;
        }
        if token != self.open {
            self.close();
            if let Some(class) = token.class() {
                self.out.push_str("<span class=\"");
                self.out.push_str(class);
                self.out.push_str("\">");
            }
            self.open = token;
        }
        push_text(self.out, text, TextContext::Code);
    }

    fn close(&mut self) {
        if self.open.class().is_some() {
            self.out.push_str("</span>");
        }
        self.open = Token::Plain;
    }
}

/// The maximum length of a line that is highlighted, in bytes. Bounds the lookahead within a line.
const MAX_LINE_BYTES: usize = 1_000;

/// Highlights one code block, line by line.
#[derive(Debug, Clone)]
pub(super) struct Highlighter {
    state: State,
}

#[derive(Debug, Clone)]
enum State {
    Code(code::Scanner),
    Markup(Box<markup::Scanner>),
    Lines(LanguageKind),
    Plain,
}

impl Highlighter {
    /// A highlighter at the start of a block. Without a language, the code is not highlighted.
    pub(super) fn new(language: Option<&'static Language>) -> Self {
        let state = match language.map(|language| (language, language.kind)) {
            None => State::Plain,
            Some((language, LanguageKind::Code)) => State::Code(code::Scanner::new(language)),
            Some((_, LanguageKind::Markup)) => State::Markup(Box::default()),
            Some((_, kind)) => State::Lines(kind),
        };
        Self { state }
    }

    /// Appends one line with its line ending, or the incomplete last line. Each line closes its own elements.
    pub(super) fn push_line(&mut self, out: &mut String, line: &str) {
        let mut sink = TokenSink { out, open: Token::Plain };
        match &mut self.state {
            _ if line.len() > MAX_LINE_BYTES => sink.push(Token::Plain, line),
            State::Code(scanner) => scanner.scan_line(line, &mut sink),
            State::Markup(scanner) => scanner.scan_line(line, &mut sink),
            State::Lines(kind) => lines::scan_line(*kind, line, &mut sink),
            State::Plain => sink.push(Token::Plain, line),
        }
        sink.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(language: &str, code: &str) -> String {
        let mut out = String::new();
        let mut highlighter = Highlighter::new(Some(Language::find(language).expect("a known language")));
        for line in code.split_inclusive('\n') {
            highlighter.push_line(&mut out, line);
        }
        // Short marks instead of elements keep the snapshots readable.
        let mut marked = out.replace("</span>", "]");
        for class in "ktfsnclvmid".chars() {
            marked = marked.replace(&format!("<span class=\"t-{class}\">"), &format!("{class}["));
        }
        marked
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
    }

    #[test]
    fn rust() {
        insta::assert_snapshot!(colour(
            "rs",
            "/* a /* nested */\n still */ #[derive(Debug)]\npub fn add<'a>(x: &'a str, c: char) -> Option<u8> {\n    let y = 0x1F_u8 + 1.5e-3; // sum\n    println!(\"{x} \\\" {}\", 'c');\n    r#\"raw \" text\"#; None\n}\n"
        ));
    }

    #[test]
    fn python() {
        insta::assert_snapshot!(colour(
            "python",
            "@cache\ndef f(x: int) -> str:\n    \"\"\"Two\n    lines\"\"\"\n    return f'{x}' if x is None else 'a' # c\n\nclass Point(Base): pass\n"
        ));
    }

    #[test]
    fn javascript_and_its_expressions() {
        insta::assert_snapshot!(colour(
            "tsx",
            "const a = async (x: number) => { await fetch(`u\n${x}`); return x / 2 / 3 };\nlet r = /[/\\]]+/g.test(\"a\"); // done\n"
        ));
    }

    #[test]
    fn shells_and_queries() {
        insta::assert_snapshot!(colour(
            "bash",
            "for f in *.txt; do echo \"$f ${x}\" | grep -v 'a' && exit 1; done # c\n"
        ));
        insta::assert_snapshot!(colour("sql", "SELECT count(*) FROM t -- c\nWHERE a = 'it''s' AND b >= 1.5;\n"));
    }

    #[test]
    fn markup_with_script_and_style() {
        insta::assert_snapshot!(colour(
            "html",
            "<!-- a\nb --><p class=\"x\" hidden>1 &lt; 2</p>\n<script>let a = '</b>';</script>\n<style>a { color: red; }</style>\n"
        ));
    }

    #[test]
    fn formats_of_keys_and_lines() {
        insta::assert_snapshot!(colour("json", "{\"a\": [1, -2.5e3, true, null, \"x\"]}\n"));
        insta::assert_snapshot!(colour("yaml", "# c\na:\n  - b: \"x\" # d\n    url: http://x\n  - true\n"));
        insta::assert_snapshot!(colour("toml", "[table]\nkey = \"v\" # c\nn = 1\n"));
        insta::assert_snapshot!(colour("diff", "--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n same\n"));
        insta::assert_snapshot!(colour(
            "css",
            "@media (min-width: 10px) { a:hover, .b { color: #fff; margin: 1.5rem } } /* c */\n"
        ));
    }

    #[test]
    fn every_language_preserves_every_byte() {
        let code = "/* \"a' `b` <!-- # -- // --> ''' \"\"\" $x @y :z #[w] \\\n\\ r#\" 'é漢 \u{202E} 1.2.3 0x' </script> <a b='c' d=\"e\n[x]\nk: v = w ; */ \t\r\n\n<script>'</script>";
        for language in languages::all() {
            let mut out = String::new();
            let mut highlighter = Highlighter::new(Some(language));
            for line in code.split_inclusive('\n') {
                highlighter.push_line(&mut out, line);
            }
            let text = super::super::tests::text_content(&out);
            assert_eq!(text, code, "{:?}", language.names);
        }
    }
}
