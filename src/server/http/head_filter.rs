//! Protects against HTTP request smuggling: only unambiguous request heads reach the parser.
//!
//! The parser accepts what the standard (RFC 9112) allows: line endings without a carriage return, a repeated
//! `Content-Length`, or one next to `Transfer-Encoding`. A proxy in front may interpret the same bytes differently, and
//! then the requests of two users are mixed up. So the bytes are checked before they are parsed, and an ambiguous head
//! is made invalid, which the parser answers with 400.

use std::ops::ControlFlow;

/// The number of bytes of a header line that are stored. Longer than any line whose value matters here.
const MAX_LINE_BYTES: usize = 256;
/// Sent to the parser after a rejected head, so that it does not wait for more input.
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// The part of the request stream to which the next byte belongs.
#[derive(Debug)]
enum Position {
    Head,
    /// The number of body bytes still to come.
    Body(u64),
    /// A body of unknown length. No request after it is served, see [`must_close_connection`].
    Chunked,
    /// Rejected. The number of bytes of [`END_OF_HEAD`] that were passed on.
    Refused(usize),
}

/// Checks the bytes of one connection as they arrive.
#[derive(Debug)]
pub(super) struct HeadFilter {
    position: Position,
    line: Vec<u8>,
    /// Whether the line is longer than the stored part.
    is_truncated: bool,
    /// Whether the request line of the current head was read.
    has_request_line: bool,
    length: Option<u64>,
    chunked: bool,
}

/// Whether a connection must be closed after a request with these headers: only the parser knows where a chunked body
/// ends.
pub(super) fn must_close_connection(headers: &axum::http::HeaderMap) -> bool {
    headers.contains_key(axum::http::header::TRANSFER_ENCODING)
}

impl Default for HeadFilter {
    fn default() -> Self {
        Self {
            position: Position::Head,
            line: Vec::new(),
            is_truncated: false,
            has_request_line: false,
            length: None,
            chunked: false,
        }
    }
}

impl HeadFilter {
    /// Checks the next bytes and returns how many of them may be passed on. If that is not all of them, the last one
    /// was made invalid.
    pub fn check(&mut self, bytes: &mut [u8]) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            match &mut self.position {
                Position::Head => {
                    if self.push(bytes[at]).is_break() {
                        // NUL is not allowed in a head.
                        bytes[at] = 0;
                        self.position = Position::Refused(0);
                        return at + 1;
                    }
                    at += 1;
                }
                Position::Body(left) => {
                    let here = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len() - at);
                    *left -= here as u64;
                    at += here;
                    if *left == 0 {
                        self.position = Position::Head;
                    }
                }
                Position::Chunked => return bytes.len(),
                Position::Refused(_) => return at,
            }
        }
        at
    }

    /// The bytes to read instead of further input once a head was rejected, at most `max_len` per call; empty at the
    /// end. `None` while input is accepted.
    pub fn replacement(&mut self, max_len: usize) -> Option<&'static [u8]> {
        let Position::Refused(passed) = &mut self.position else { return None };
        let from = *passed;
        *passed = END_OF_HEAD.len().min(from + max_len);
        Some(&END_OF_HEAD[from..*passed])
    }

    /// Processes one byte of a head.
    fn push(&mut self, byte: u8) -> ControlFlow<()> {
        match byte {
            b'\n' if self.line.last() == Some(&b'\r') => {
                self.line.pop();
                let done = self.end_line();
                self.line.clear();
                self.is_truncated = false;
                return done;
            }
            b'\n' => return ControlFlow::Break(()),
            // A carriage return must be followed by a line feed.
            _ if self.line.last() == Some(&b'\r') => return ControlFlow::Break(()),
            b'\r' => self.line.push(byte),
            _ if self.line.len() < MAX_LINE_BYTES => self.line.push(byte),
            _ => self.is_truncated = true,
        }
        ControlFlow::Continue(())
    }

    fn end_line(&mut self) -> ControlFlow<()> {
        if self.line.is_empty() {
            // Empty lines before a request are ignored (RFC 9112, section 2.2).
            if self.has_request_line {
                self.position = match (self.chunked, self.length.unwrap_or(0)) {
                    (true, _) => Position::Chunked,
                    (false, 0) => Position::Head,
                    (false, length) => Position::Body(length),
                };
                (self.has_request_line, self.length, self.chunked) = (false, None, false);
            }
            return ControlFlow::Continue(());
        }
        if !std::mem::replace(&mut self.has_request_line, true) {
            return ControlFlow::Continue(());
        }
        let Some(colon) = self.line.iter().position(|byte| *byte == b':') else { return ControlFlow::Continue(()) };
        let (name, value) = (self.line[..colon].trim_ascii(), self.line[colon + 1..].trim_ascii());
        let is_refused = if name.eq_ignore_ascii_case(b"content-length") {
            let number = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            let number = number.and_then(|text| text.parse().ok());
            let is_second = self.length.is_some() || self.chunked;
            self.length = number;
            is_second || number.is_none() || self.is_truncated
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let is_second = self.length.is_some() || std::mem::replace(&mut self.chunked, true);
            is_second || !value.eq_ignore_ascii_case(b"chunked") || self.is_truncated
        } else {
            false
        };
        if is_refused { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that the parser receives, however the input is split.
    fn passed(text: &str) -> (Vec<u8>, bool) {
        let whole = pass(text, text.len().max(1));
        for size in 1..8 {
            assert_eq!(pass(text, size), whole, "{text:?} in pieces of {size}");
        }
        whole
    }

    fn pass(text: &str, size: usize) -> (Vec<u8>, bool) {
        let (mut filter, mut out) = (HeadFilter::default(), Vec::new());
        for chunk in text.as_bytes().chunks(size) {
            let mut chunk = chunk.to_vec();
            let kept = filter.check(&mut chunk);
            out.extend_from_slice(&chunk[..kept]);
        }
        let refused = filter.replacement(3).is_some_and(|chunk| {
            out.extend_from_slice(chunk);
            true
        });
        while let Some(chunk) = filter.replacement(3).filter(|chunk| !chunk.is_empty()) {
            out.extend_from_slice(chunk);
        }
        (out, refused)
    }

    #[test]
    fn row_32_plain_requests_pass_unchanged() {
        let get = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
        let post = "POST / HTTP/1.1\r\nContent-Length: 12\r\nhost: a\r\n\r\nline\nline\r\n\n";
        let long = format!("GET / HTTP/1.1\r\ncookie: {}\r\n\r\n", "a: b".repeat(10_000));
        let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\na\nb\r\n0\r\n\r\n";
        for text in [
            get.to_owned(),
            format!("{get}{post}{get}{post}{post}"),
            format!("\r\n{get}\r\n\r\n{post}"),
            long,
            chunked.to_owned(),
        ] {
            assert_eq!(passed(&text), (text.into_bytes(), false));
        }
    }

    #[test]
    fn row_32_ambiguous_heads_become_invalid() {
        let before = "POST /first HTTP/1.1\r\ncontent-length: 3\r\n\r\na\nb";
        for (bad, kept) in [
            ("GET / HTTP/1.1\nhost: a\r\n\r\n", "GET / HTTP/1.1"),
            ("GET / HTTP/1.1\r\nhost: a\n\r\n", "GET / HTTP/1.1\r\nhost: a"),
            ("GET / HTTP/1.1\r\nhost: a\r\n\n", "GET / HTTP/1.1\r\nhost: a\r\n"),
            ("GET / HTTP/1.1\n\n", "GET / HTTP/1.1"),
            ("\nGET / HTTP/1.1\r\n\r\n", ""),
            ("GET / HTTP/1.1\r\nx: a\rb\r\n\r\n", "GET / HTTP/1.1\r\nx: a\r"),
            ("GET / HTTP/1.1\r\nx: a\r\r\n\r\n", "GET / HTTP/1.1\r\nx: a\r"),
            (
                "P / HTTP/1.1\r\ncontent-length: 1\r\nContent-Length: 1\r\n\r\nx",
                "P / HTTP/1.1\r\ncontent-length: 1\r\nContent-Length: 1\r",
            ),
            (
                "P / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
                "P / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r",
            ),
            (
                "P / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n",
                "P / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r",
            ),
            (
                "P / HTTP/1.1\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
                "P / HTTP/1.1\r\ntransfer-encoding: gzip, chunked\r",
            ),
            ("P / HTTP/1.1\r\ncontent-length: 1, 1\r\n\r\n", "P / HTTP/1.1\r\ncontent-length: 1, 1\r"),
            ("P / HTTP/1.1\r\ncontent-length : +1\r\n\r\n", "P / HTTP/1.1\r\ncontent-length : +1\r"),
        ] {
            for text in [bad.to_owned(), format!("{before}{bad}")] {
                let expected = text.replacen(bad, kept, 1).into_bytes();
                let (out, refused) = passed(&text);
                assert!(refused, "{text:?}");
                assert_eq!(out, [&expected[..], b"\0\r\n\r\n"].concat(), "{text:?}");
            }
        }
    }
}
