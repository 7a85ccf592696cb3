//! Decides which addresses become links.

use super::escape::push_attribute;

/// The maximum length of a link address, in bytes.
const MAX_ADDRESS_BYTES: usize = 4_096;

/// A safe link target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    href: String,
}

impl Target {
    /// Checks an address as the browser would interpret it; entities are already decoded. Only http, https and mailto
    /// are allowed. Addresses that a browser would strip or interpret differently are rejected rather than repaired.
    pub(super) fn parse(address: &str) -> Option<Self> {
        let address = address.trim_matches(' ');
        if address.len() > MAX_ADDRESS_BYTES || address.chars().any(is_suspicious) {
            return None;
        }
        let (scheme, rest) = address.split_once(':')?;
        let good = match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => is_valid_authority(authority(rest.strip_prefix("//")?)),
            "mailto" => is_valid_mailbox(rest),
            _ => false,
        };
        good.then(|| Self { href: encode(address) })
    }

    /// The host of an http(s) address, or the mailbox.
    pub(super) fn host(&self) -> &str {
        let rest = self.href.split_once(':').map_or("", |(_, rest)| rest);
        authority(rest.trim_start_matches('/'))
    }

    /// Appends `<a …>`.
    pub(super) fn push_open(&self, out: &mut String, class: Option<&str>) {
        out.push_str("<a href=\"");
        push_attribute(out, &self.href);
        out.push('"');
        if let Some(class) = class {
            out.push_str(" class=\"");
            out.push_str(class);
            out.push('"');
        }
        out.push_str(" rel=\"noopener noreferrer nofollow\" target=\"_blank\">");
    }
}

/// Whether browsers drop the character or it can hide the real address. Plain spaces are encoded later.
fn is_suspicious(c: char) -> bool {
    c.is_control() || c == '\\' || (c.is_whitespace() && c != ' ') || crate::domain::is_deceptive(c)
}

fn authority(rest: &str) -> &str {
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

fn is_valid_authority(authority: &str) -> bool {
    // Rejects user info: `https://bank.example@evil.example` points to evil.example, and no legitimate link needs it.
    !authority.is_empty()
        && !authority.starts_with(':')
        && !authority.contains(['@', ' ', '"', '<', '>', '\'', '`', '%'])
}

fn is_valid_mailbox(rest: &str) -> bool {
    let mailbox = rest.split('?').next().unwrap_or_default();
    let lower = rest.to_ascii_lowercase();
    mailbox.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
        && !lower.contains("%0a")
        && !lower.contains("%0d")
}

fn encode(address: &str) -> String {
    let mut out = String::with_capacity(address.len());
    for c in address.chars() {
        match c {
            ' ' => out.push_str("%20"),
            '"' => out.push_str("%22"),
            '<' => out.push_str("%3C"),
            '>' => out.push_str("%3E"),
            '`' => out.push_str("%60"),
            c => out.push(c),
        }
    }
    out
}

/// A run of text that begins like an address. The address is `text[..address]`, and the search continues at `next`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BareAddress {
    /// The length of the address in bytes. 0 if it is not one.
    pub(super) address: usize,
    /// Where the search continues.
    pub(super) next: usize,
}

/// The bare address at the start of `text`: `https://…` up to white space or `<`, without the punctuation of the
/// surrounding sentence. `None` if there is none.
pub(super) fn bare_address(text: &str) -> Option<BareAddress> {
    if !text.starts_with("https://") && !text.starts_with("http://") {
        return None;
    }
    let end = text
        .find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`') || c.is_control())
        .unwrap_or(text.len());
    if end > MAX_ADDRESS_BYTES {
        return Some(BareAddress { address: 0, next: end });
    }
    let mut surplus = text[..end].matches(')').count().saturating_sub(text[..end].matches('(').count());
    let mut address = &text[..end];
    while let Some(last) = address.chars().next_back() {
        match last {
            ')' if surplus > 0 => surplus -= 1,
            '.' | ',' | ':' | ';' | '!' | '?' | '\'' | '*' | '_' | '~' | ']' | '…' | '。' | '，' | '、' | '’' | '”'
            | '»' | '）' | '」' => {}
            _ => break,
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    let address = if address.ends_with("://") { 0 } else { address.len() };
    Some(BareAddress { address, next: if address == 0 { end } else { address } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x06_only_http_https_and_mailto_are_links() {
        for good in [
            "http://a.example",
            "HTTPS://a.example/x?y=z#w",
            "https://a.example:8080",
            "mailto:a@b.example?subject=x",
            " https://a.example/a b ",
        ] {
            assert!(Target::parse(good).is_some(), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java\tscript:alert(1)",
            "\u{1}javascript:alert(1)",
            "vbscript:x",
            "data:text/html,x",
            "data:image/svg+xml,x",
            "file:///etc/passwd",
            "blob:https://a.example/x",
            "filesystem:https://a.example/x",
            "ftp://a.example",
            "ws://a.example",
            "tel:1",
            "sms:1",
            "intent://x",
            "about:blank",
            "//a.example",
            "/a",
            "a",
            "#a",
            "?a",
            "",
            ":",
            "http:",
            "https:a.example",
            "http:/a.example",
            "http:\\\\a.example",
            "https://",
            "https:///a",
            "https://:80",
            "https://a@b.example",
            "https://a.example\\@b",
            "https://a\u{202E}.example",
            "https://a.example/\n",
            "mailto:",
            "mailto:a",
            "mailto:a@b?subject=x%0Abcc:c@d",
            "view-source:https://a.example",
            "javascript&colon;alert(1)",
            "jav\u{200B}ascript:x",
        ] {
            assert_eq!(Target::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn attribute_values_are_escaped() {
        let mut out = String::new();
        Target::parse("https://a.example/?q=\"x\"&y='z'<b>").expect("a good address").push_open(&mut out, None);
        assert_eq!(
            out,
            "<a href=\"https://a.example/?q=%22x%22&amp;y=&#39;z&#39;%3Cb%3E\" rel=\"noopener noreferrer nofollow\" target=\"_blank\">"
        );
    }

    #[test]
    fn bare_addresses_end_before_the_sentence_does() {
        for (text, address) in [
            ("https://a.example.", "https://a.example"),
            ("https://a.example/x_(y)).", "https://a.example/x_(y)"),
            ("https://a.example/a,b!?", "https://a.example/a,b"),
            ("http://a.example]", "http://a.example"),
        ] {
            assert_eq!(bare_address(text).map(|bare| &text[..bare.address]), Some(address));
        }
        assert_eq!(bare_address("https://"), Some(BareAddress { address: 0, next: 8 }));
        assert_eq!(bare_address("httpx://a"), None);
    }
}
