//! Heads of requests that mean one thing only.
//!
//! The parser behind us takes what the standard (RFC 9112) would let it take: lines that end without a carriage return,
//! a `Content-Length` twice, one beside `Transfer-Encoding`. A proxy before us may read the same bytes otherwise, and then
//! two people's requests are mixed up. So the bytes are looked at on their way, and what is not plain is made unreadable
//! to the parser, which answers 400.

use std::ops::ControlFlow;

/// Bytes of a line that are kept. Longer than any line whose value counts here.
const LINE_BYTES: usize = 256;
/// Follows a head that is refused, so that the parser waits for no more of it.
const END: &[u8] = b"\r\n\r\n";

/// Where in a stream of requests the next byte belongs.
#[derive(Debug)]
enum Place {
    Head,
    /// Bytes of a body that are still to come.
    Body(u64),
    /// A body of unknown length; nothing that follows it is served, see [`ends_connection`].
    Chunked,
    /// Refused: so much of [`END`] was passed on.
    Refused(usize),
}

/// Looks at what a client sends, as it comes.
#[derive(Debug)]
pub(super) struct Heads {
    place: Place,
    line: Vec<u8>,
    /// Whether the line is longer than what is kept of it.
    is_cut: bool,
    /// Whether the request line of this head has come.
    begun: bool,
    length: Option<u64>,
    chunked: bool,
}

/// Whether a connection must not serve another request after one with these headers: where its body ends, only the parser
/// knows.
pub(super) fn ends_connection(headers: &axum::http::HeaderMap) -> bool {
    headers.contains_key(axum::http::header::TRANSFER_ENCODING)
}

impl Default for Heads {
    fn default() -> Self {
        Self { place: Place::Head, line: Vec::new(), is_cut: false, begun: false, length: None, chunked: false }
    }
}

impl Heads {
    /// Looks at the next bytes. Gives how many of them may be passed on; where that is not all, the last of those was made
    /// unreadable.
    pub fn check(&mut self, bytes: &mut [u8]) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            match &mut self.place {
                Place::Head => {
                    if self.take(bytes[at]).is_break() {
                        // No head may hold it.
                        bytes[at] = 0;
                        self.place = Place::Refused(0);
                        return at + 1;
                    }
                    at += 1;
                }
                Place::Body(left) => {
                    let here = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len() - at);
                    *left -= here as u64;
                    at += here;
                    if *left == 0 {
                        self.place = Place::Head;
                    }
                }
                Place::Chunked => return bytes.len(),
                Place::Refused(_) => return at,
            }
        }
        at
    }

    /// What comes in place of all further bytes, where the client is no longer listened to; `most` at a time, and empty at
    /// the end.
    pub fn instead(&mut self, most: usize) -> Option<&'static [u8]> {
        let Place::Refused(passed) = &mut self.place else { return None };
        let from = *passed;
        *passed = END.len().min(from + most);
        Some(&END[from..*passed])
    }

    /// Takes one byte of a head.
    fn take(&mut self, byte: u8) -> ControlFlow<()> {
        match byte {
            b'\n' if self.line.last() == Some(&b'\r') => {
                self.line.pop();
                let done = self.end_line();
                self.line.clear();
                self.is_cut = false;
                return done;
            }
            b'\n' => return ControlFlow::Break(()),
            // One that no line feed follows is not part of a line either.
            _ if self.line.last() == Some(&b'\r') => return ControlFlow::Break(()),
            b'\r' => self.line.push(byte),
            _ if self.line.len() < LINE_BYTES => self.line.push(byte),
            _ => self.is_cut = true,
        }
        ControlFlow::Continue(())
    }

    fn end_line(&mut self) -> ControlFlow<()> {
        if self.line.is_empty() {
            // Empty lines before a request are to be ignored (RFC 9112, section 2.2).
            if self.begun {
                self.place = match (self.chunked, self.length.unwrap_or(0)) {
                    (true, _) => Place::Chunked,
                    (false, 0) => Place::Head,
                    (false, length) => Place::Body(length),
                };
                (self.begun, self.length, self.chunked) = (false, None, false);
            }
            return ControlFlow::Continue(());
        }
        if !std::mem::replace(&mut self.begun, true) {
            return ControlFlow::Continue(());
        }
        let Some(colon) = self.line.iter().position(|byte| *byte == b':') else { return ControlFlow::Continue(()) };
        let (name, value) = (self.line[..colon].trim_ascii(), self.line[colon + 1..].trim_ascii());
        let is_refused = if name.eq_ignore_ascii_case(b"content-length") {
            let number = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            let number = number.and_then(|text| text.parse().ok());
            let is_second = self.length.is_some() || self.chunked;
            self.length = number;
            is_second || number.is_none() || self.is_cut
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let is_second = self.length.is_some() || std::mem::replace(&mut self.chunked, true);
            is_second || !value.eq_ignore_ascii_case(b"chunked") || self.is_cut
        } else {
            false
        };
        if is_refused { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the parser gets of these bytes, whichever way they are cut.
    fn passed(text: &str) -> (Vec<u8>, bool) {
        let whole = pass(text, text.len().max(1));
        for size in 1..8 {
            assert_eq!(pass(text, size), whole, "{text:?} in pieces of {size}");
        }
        whole
    }

    fn pass(text: &str, size: usize) -> (Vec<u8>, bool) {
        let (mut heads, mut out) = (Heads::default(), Vec::new());
        for piece in text.as_bytes().chunks(size) {
            let mut piece = piece.to_vec();
            let kept = heads.check(&mut piece);
            out.extend_from_slice(&piece[..kept]);
        }
        let refused = heads.instead(3).is_some_and(|piece| {
            out.extend_from_slice(piece);
            true
        });
        while let Some(piece) = heads.instead(3).filter(|piece| !piece.is_empty()) {
            out.extend_from_slice(piece);
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
    fn row_32_what_can_be_read_in_two_ways_becomes_unreadable() {
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
