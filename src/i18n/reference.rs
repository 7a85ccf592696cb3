//! References to texts in HTML that is rendered once and shown in every language, such as a cached answer.

use std::borrow::Cow;

use super::{Key, Texts, current};

/// What a reference begins with. Escaped text cannot contain it: its only character references are `&amp;`, `&lt;` and
/// the like.
const MARK: &str = "&t";

/// Appends a reference to a text: `&t`, the hash of the key, and `;`.
pub fn push_reference(html: &mut String, key: Key) {
    html.push_str(&format!("{MARK}{};", key.hash()));
}

/// Appends a reference to a text that depends on a number.
pub fn push_counted_reference(html: &mut String, key: Key, count: usize) {
    html.push_str(&format!("{MARK}{},{count};", key.hash()));
}

/// The HTML with its references replaced by texts in the language of the page.
pub fn fill_references(html: Cow<'_, str>) -> Cow<'_, str> {
    current().fill_references(html)
}

impl Texts {
    /// The HTML with its references replaced by these texts.
    pub fn fill_references<'a>(&self, html: Cow<'a, str>) -> Cow<'a, str> {
        let mut parts = html.split(MARK);
        let Some(first) = parts.next().filter(|first| first.len() < html.len()) else { return html };
        let mut filled = String::with_capacity(html.len());
        filled.push_str(first);
        for part in parts {
            let (reference, rest) = part.split_once(';').unwrap_or((part, ""));
            let (hash, count) = reference.split_once(',').unwrap_or((reference, ""));
            let key = Key::from_hash(hash.parse().unwrap_or_default());
            if count.is_empty() {
                push_escaped(&mut filled, self.text(key));
            } else {
                push_escaped(&mut filled, &self.format(key, &[("count", &count)]));
            }
            filled.push_str(rest);
        }
        Cow::Owned(filled)
    }
}

/// Appends a text as content of an element or an attribute.
pub fn push_escaped(html: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '"' => html.push_str("&quot;"),
            c => html.push(c),
        }
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn references_become_texts() {
        let mut texts = Texts::new("en");
        texts.add(Key::named("a"), "A & \"B\"");
        texts.add(Key::named("lines_one"), "{count} line");
        texts.add(Key::named("lines_other"), "{count} lines");
        let mut html = String::from("<p>");
        push_reference(&mut html, Key::named("a"));
        html.push_str("</p>");
        push_counted_reference(&mut html, Key::named("lines"), 1);
        push_counted_reference(&mut html, Key::named("lines"), 40);
        assert_eq!(texts.fill_references(html.into()), "<p>A &amp; &quot;B&quot;</p>1 line40 lines");
    }

    #[test]
    fn html_without_references_is_not_copied() {
        let html = "<p>&amp;t1; &lt;</p>";
        assert!(matches!(Texts::empty().fill_references(html.into()), Cow::Borrowed(same) if same == html));
    }
}
