//! Validation of redirect targets.

/// Returns `next` if it is a path on this site, otherwise `/`. Rejects everything that a browser could interpret as
/// another site (open redirect).
pub fn local_path(next: Option<&str>) -> &str {
    let is_local = |next: &&str| {
        let second = next.as_bytes().get(1).copied().unwrap_or_default();
        next.starts_with('/')
            && !matches!(second, b'/' | b'\\')
            && next.len() <= 1_000
            && next.bytes().all(|byte| (0x21..0x7f).contains(&byte) && byte != b'\\')
    };
    next.filter(is_local).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_58_next_stays_on_this_site() {
        for bad in [
            "//evil",
            "/\\evil",
            "https:evil",
            "https://evil",
            "@evil",
            "/x\r\nSet-Cookie: a=b",
            "data:text/html,x",
            "",
            "\\/evil",
            "/\t/evil",
            "evil",
        ] {
            assert_eq!(local_path(Some(bad)), "/", "{bad:?}");
        }
        for good in
            ["/", "/sessions?filter=pinned", "/%2f/evil", "/a//evil", "/chats/0190e2a4-7b1c-7def-8123-456789abcdef"]
        {
            assert_eq!(local_path(Some(good)), good);
        }
        assert_eq!(local_path(None), "/");
    }
}
