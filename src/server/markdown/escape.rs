//! Escapes text for HTML. All text of an answer passes through one of these functions.
//!
//! Libraries such as `html-escape` escape markup, but leave characters that make text look different from what it is.

/// The context of the text. It decides which invisible characters are marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextContext {
    /// Prose: only characters that reorder the text after them.
    Prose,
    /// Code: all characters that make code look different from what it is.
    Code,
}

/// Appends text as HTML. The text content of the page equals the given text byte for byte, except for NUL, which HTML
/// cannot represent and which becomes U+FFFD. Deceptive characters are isolated and visibly marked.
pub(super) fn push_text(out: &mut String, text: &str, context: TextContext) {
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let replacement = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            b'\r' => "&#13;",
            0 => "\u{FFFD}",
            // Leading bytes of U+0600 to U+063F, U+2000 to U+2FFF, U+F000 to U+FFFF and U+C0000 to U+FFFFF.
            0xD8 | 0xE2 | 0xEF | 0xF3 => {
                let Some(c) = text[at..].chars().next().filter(|c| is_invisible(*c, context)) else { continue };
                out.push_str(&text[plain..at]);
                push_invisible(out, c);
                plain = at + c.len_utf8();
                continue;
            }
            _ => continue,
        };
        out.push_str(&text[plain..at]);
        out.push_str(replacement);
        plain = at + 1;
    }
    out.push_str(&text[plain..]);
}

/// Appends the value of an attribute in double quotes.
pub(super) fn push_attribute(out: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\0' => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
}

fn is_invisible(c: char, context: TextContext) -> bool {
    // Overrides and embeddings have no use in an answer. Isolates and marks have one in mixed-direction prose but not
    // in code.
    match c {
        '\u{202A}'..='\u{202E}' => true,
        '\u{061C}'
        | '\u{200B}'
        | '\u{200E}'
        | '\u{200F}'
        | '\u{2060}'..='\u{206F}'
        | '\u{FEFF}'
        | '\u{E0000}'..='\u{E007F}' => context == TextContext::Code,
        _ => false,
    }
}

fn push_invisible(out: &mut String, c: char) {
    // `bdi` isolates: the effect of the character on the text direction ends with the element.
    out.push_str(&format!("<bdi class=\"unseen\" data-code=\"U+{:04X}\">{c}</bdi>", u32::from(c)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str, context: TextContext) -> String {
        let mut out = String::new();
        push_text(&mut out, text, context);
        out
    }

    #[test]
    fn text_content_is_preserved() {
        assert_eq!(
            text("a <b> & \"c\" 'd'\0\r", TextContext::Prose),
            "a &lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;\u{FFFD}&#13;"
        );
        assert_eq!(text("é – 漢字 👩‍👩‍👧", TextContext::Code), "é – 漢字 👩‍👩‍👧");
    }

    #[test]
    fn row_11_reordering_characters_are_marked_and_isolated() {
        let marked = "x<bdi class=\"unseen\" data-code=\"U+202E\">\u{202E}</bdi>y";
        assert_eq!(text("x\u{202E}y", TextContext::Prose), marked);
        assert_eq!(text("x\u{202E}y", TextContext::Code), marked);
        assert_eq!(text("x\u{2066}y", TextContext::Prose), "x\u{2066}y");
        assert_eq!(text("\u{E0041}", TextContext::Code), "<bdi class=\"unseen\" data-code=\"U+E0041\">\u{E0041}</bdi>");
    }
}
