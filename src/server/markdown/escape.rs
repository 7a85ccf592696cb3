//! Text into HTML. All text that reaches a page goes through one of these functions.

/// Where text stands decides which characters have to be made visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Prose: only characters that reorder what follows them.
    Prose,
    /// Code: everything that makes code read differently from what it is.
    Code,
}

/// Appends text as HTML. The page's text content is the given text, byte for byte; NUL alone, which HTML
/// cannot hold, becomes U+FFFD. Deceptive characters are isolated and get a visible mark.
pub(super) fn push_text(out: &mut String, text: &str, place: Place) {
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
            // The first bytes of U+061C, U+2000 to U+2FFF, U+F000 to U+FFFF and U+C0000 to U+FFFFF.
            0xD8 | 0xE2 | 0xEF | 0xF3 => {
                let Some(c) = text[at..].chars().next().filter(|c| is_unseen(*c, place)) else { continue };
                out.push_str(&text[plain..at]);
                push_unseen(out, c);
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

fn is_unseen(c: char, place: Place) -> bool {
    // Overrides and embeddings have no use in an answer; isolates and marks have one in mixed prose, none in code.
    match c {
        '\u{202A}'..='\u{202E}' => true,
        '\u{061C}'
        | '\u{200B}'
        | '\u{200E}'
        | '\u{200F}'
        | '\u{2060}'..='\u{206F}'
        | '\u{FEFF}'
        | '\u{E0000}'..='\u{E007F}' => place == Place::Code,
        _ => false,
    }
}

fn push_unseen(out: &mut String, c: char) {
    // `bdi` isolates: whatever the character does to the order of text ends with the element.
    out.push_str(&format!("<bdi class=\"unseen\" data-code=\"U+{:04X}\">{c}</bdi>", u32::from(c)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str, place: Place) -> String {
        let mut out = String::new();
        push_text(&mut out, text, place);
        out
    }

    #[test]
    fn text_stays_text() {
        assert_eq!(
            text("a <b> & \"c\" 'd'\0\r", Place::Prose),
            "a &lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;\u{FFFD}&#13;"
        );
        assert_eq!(text("é – 漢字 👩‍👩‍👧", Place::Code), "é – 漢字 👩‍👩‍👧");
    }

    #[test]
    fn row_11_what_reorders_text_is_marked_and_isolated() {
        let marked = "x<bdi class=\"unseen\" data-code=\"U+202E\">\u{202E}</bdi>y";
        assert_eq!(text("x\u{202E}y", Place::Prose), marked);
        assert_eq!(text("x\u{202E}y", Place::Code), marked);
        assert_eq!(text("x\u{2066}y", Place::Prose), "x\u{2066}y");
        assert_eq!(text("\u{E0041}", Place::Code), "<bdi class=\"unseen\" data-code=\"U+E0041\">\u{E0041}</bdi>");
    }
}
