//! Splits a response body into JSON objects. Detects the format from the content and ignores the content type.

use super::sse::{DecodeError, Decoder, Event, MAX_EVENT_BYTES};

/// The maximum size of a JSON object outside of an event stream, in bytes. It may hold a whole answer.
const MAX_OBJECT_BYTES: usize = 4 * MAX_EVENT_BYTES;

/// The format of a response body.
#[derive(Debug)]
pub enum BodyDecoder {
    /// Only white space so far.
    Undetected(Vec<u8>),
    /// Server-sent events.
    Events(Box<Decoder>),
    /// JSON: one object, one per line, or an array of them.
    Json(JsonDecoder),
}

impl Default for BodyDecoder {
    fn default() -> Self {
        Self::Undetected(Vec::new())
    }
}

impl BodyDecoder {
    /// Takes bytes and calls `on_event` for each event or object that they complete.
    ///
    /// # Errors
    /// [`DecodeError`]; the decoder must not be used after it.
    pub fn push(&mut self, bytes: &[u8], on_event: impl FnMut(Event<'_>)) -> Result<(), DecodeError> {
        match self {
            Self::Events(decoder) => decoder.push(bytes, on_event),
            Self::Json(decoder) => decoder.push(bytes, on_event),
            Self::Undetected(held) => {
                held.extend_from_slice(bytes);
                let text = held.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(held);
                let next = match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
                    None if held.len() > MAX_EVENT_BYTES => return Err(DecodeError::TooLong),
                    None => return Ok(()),
                    Some(_) if b"\xEF\xBB\xBF".starts_with(held) => return Ok(()),
                    Some(b'<') => return Err(DecodeError::WebPage),
                    Some(b'{' | b'[' | b'"') => Self::Json(JsonDecoder::default()),
                    Some(_) => Self::Events(Box::default()),
                };
                let text = text.to_vec();
                // Recurses only once, because `self` is no longer `Undetected`.
                *self = next;
                self.push(&text, on_event)
            }
        }
    }

    /// Calls `on_event` for what the end of the body completes.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn finish(&mut self, on_event: impl FnMut(Event<'_>)) -> Result<(), DecodeError> {
        match self {
            Self::Undetected(_) => Ok(()),
            Self::Events(decoder) => decoder.finish(on_event),
            Self::Json(decoder) => decoder.finish(on_event),
        }
    }
}

/// JSON objects one after the other, separated by white space, commas and the brackets of an array.
#[derive(Debug, Default)]
pub struct JsonDecoder {
    object: Vec<u8>,
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// Other text between objects.
    stray: Vec<u8>,
}

impl JsonDecoder {
    fn push(&mut self, bytes: &[u8], mut on_event: impl FnMut(Event<'_>)) -> Result<(), DecodeError> {
        for &byte in bytes {
            if self.depth == 0 && !self.in_string {
                match byte {
                    b'{' | b'"' => {
                        self.flush_stray(&mut on_event);
                        self.object.push(byte);
                        (self.depth, self.in_string) = (usize::from(byte == b'{'), byte == b'"');
                    }
                    b'\n' => self.flush_stray(&mut on_event),
                    b',' | b'[' | b']' => {}
                    _ if byte.is_ascii_whitespace() || self.stray.len() > 100 => {}
                    _ => self.stray.push(byte),
                }
                continue;
            }
            self.object.push(byte);
            if std::mem::take(&mut self.escaped) {
                continue;
            }
            match byte {
                b'"' => self.in_string = !self.in_string,
                b'\\' => self.escaped = self.in_string,
                b'{' | b'[' if !self.in_string => self.depth += 1,
                b'}' | b']' if !self.in_string => self.depth -= 1,
                _ => {}
            }
            if self.depth == 0 && !self.in_string {
                let data = std::str::from_utf8(&self.object).map_err(|_| DecodeError::NotUtf8)?;
                on_event(Event { name: "", data });
                self.object.clear();
            }
        }
        if self.object.len() > MAX_OBJECT_BYTES { Err(DecodeError::TooLong) } else { Ok(()) }
    }

    fn finish(&mut self, mut on_event: impl FnMut(Event<'_>)) -> Result<(), DecodeError> {
        self.flush_stray(&mut on_event);
        Ok(())
    }

    /// Newline-delimited objects may also end with `[DONE]`, as events do.
    fn flush_stray(&mut self, on_event: &mut impl FnMut(Event<'_>)) {
        if std::mem::take(&mut self.stray).ends_with(b"DONE") {
            on_event(Event { name: "", data: "[DONE]" });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All objects of a body that arrives in chunks of `size` bytes.
    fn split(body: &[u8], size: usize) -> Result<Vec<String>, DecodeError> {
        let (mut decoder, mut events) = (BodyDecoder::default(), Vec::new());
        for chunk in body.chunks(size) {
            decoder.push(chunk, |event| events.push(event.data.to_owned()))?;
        }
        decoder.finish(|event| events.push(event.data.to_owned()))?;
        Ok(events)
    }

    #[test]
    fn the_format_of_a_body_is_detected() {
        for (body, expected) in [
            ("data: {}\n\ndata: [DONE]\n\n", vec!["{}", "[DONE]"]),
            ("\u{FEFF}\r\n: wait\r\n\r\ndata: {}\r\n\r\n", vec!["{}"]),
            ("{\"a\": \"}{\\\"\",\n \"b\": [{}]\n}\n", vec!["{\"a\": \"}{\\\"\",\n \"b\": [{}]\n}"]),
            ("\u{FEFF} {\"a\":1}", vec!["{\"a\":1}"]),
            ("{\"a\":1}\n{\"b\":2}\r\n[DONE]\n", vec!["{\"a\":1}", "{\"b\":2}", "[DONE]"]),
            ("{\"a\":1}\n\ndata: [DONE]", vec!["{\"a\":1}", "[DONE]"]),
            ("[{\"a\":1},\n{\"b\":2}]", vec!["{\"a\":1}", "{\"b\":2}"]),
            ("\"no { object\"", vec!["\"no { object\""]),
            ("{\"a\":", vec![]),
            ("event: message\ndata: {}\n\n{\"bare\":1}\n", vec!["{}", "{\"bare\":1}"]),
            ("data: 1\n\n{\n  \"a\": [{}\n]}\ndata: 2\n\n", vec!["1", "{  \"a\": [{}]}", "2"]),
            ("data: 1\n\n[{\"a\":1}]\n", vec!["1", "[{\"a\":1}]"]),
            ("data: {\"a\":1}\ndata: {\"b\":2}\ndata: [DONE]", vec!["{\"a\":1}", "{\"b\":2}", "[DONE]"]),
            ("data: {\ndata: \"a\":1}\n\n", vec!["{\n\"a\":1}"]),
            ("", vec![]),
            ("\n \n", vec![]),
        ] {
            for size in 1..=body.len().max(1) {
                assert_eq!(split(body.as_bytes(), size).expect("readable"), expected, "{body:?} by {size}");
            }
        }
    }

    #[test]
    fn web_pages_and_endless_objects_are_rejected() {
        assert_eq!(split(b"  <!doctype html><p>{}", 3), Err(DecodeError::WebPage));
        let endless = [b"{\"a\":\"".as_slice(), &vec![b'a'; MAX_OBJECT_BYTES]].concat();
        assert_eq!(split(&endless, 8_192), Err(DecodeError::TooLong));
        assert_eq!(split(&vec![b' '; 2 * MAX_EVENT_BYTES], 8_192), Err(DecodeError::TooLong));
    }
}
