//! Running text: links for bare addresses, and footnote references.

use super::{
    escape::{TextContext, push_text},
    links::{Target, bare_address},
};

/// Appends prose. Turns bare addresses into links if `links` is set.
pub(super) fn push_prose(out: &mut String, text: &str, links: bool) {
    let mut rest = text;
    while let Some((at, name)) = find_footnote(rest) {
        push_addresses(out, &rest[..at], links);
        push_footnote(out, name);
        rest = &rest[at + "[^]".len() + name.len()..];
    }
    push_addresses(out, rest, links);
}

/// Appends a footnote reference.
pub(super) fn push_footnote(out: &mut String, name: &str) {
    out.push_str("<sup class=\"footnote-ref\">");
    push_text(out, name, TextContext::Prose);
    out.push_str("</sup>");
}

/// The next `[^1]` that the parser left in the text because its definition has not arrived yet. Numbers only, so that
/// `[^a-z]` stays text.
fn find_footnote(text: &str) -> Option<(usize, &str)> {
    text.match_indices("[^").find_map(|(at, mark)| {
        let rest = &text[at + mark.len()..];
        let digits = rest.bytes().take(4).take_while(u8::is_ascii_digit).count();
        ((1..=3).contains(&digits) && rest[digits..].starts_with(']')).then(|| (at, &rest[..digits]))
    })
}

fn push_addresses(out: &mut String, text: &str, links: bool) {
    let mut plain = 0;
    let mut from = 0;
    while links && let Some(at) = text[from..].find("http").map(|at| from + at) {
        from = at + "http".len();
        if text[..at].ends_with(|c: char| c.is_alphanumeric()) {
            continue;
        }
        let Some(bare) = bare_address(&text[at..]) else { continue };
        from = at + bare.next;
        let address = &text[at..at + bare.address];
        let Some(target) = Target::parse(address) else { continue };
        push_text(out, &text[plain..at], TextContext::Prose);
        target.push_open(out, None);
        push_text(out, address, TextContext::Prose);
        out.push_str("</a>");
        plain = from;
    }
    push_text(out, &text[plain..], TextContext::Prose);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prose(text: &str) -> String {
        let mut out = String::new();
        push_prose(&mut out, text, true);
        out.replace(" rel=\"noopener noreferrer nofollow\" target=\"_blank\"", "")
    }

    #[test]
    fn bare_addresses_are_links() {
        assert_eq!(
            prose("See https://a.example/x, or (http://b.example)."),
            "See <a href=\"https://a.example/x\">https://a.example/x</a>, or (<a href=\"http://b.example\">http://b.example</a>)."
        );
        for plain in ["xhttps://a.example", "https://", "https://a@b.example", "https://:1", "http"] {
            assert_eq!(prose(plain), plain);
        }
    }

    #[test]
    fn numbered_footnotes_are_recognised() {
        assert_eq!(prose("a[^1] [^a-z] [^1234] [^2"), "a<sup class=\"footnote-ref\">1</sup> [^a-z] [^1234] [^2");
    }
}
