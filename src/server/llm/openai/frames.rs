//! The body of an answer, taken apart into objects: by what comes, whatever it is labelled as.

use super::sse::{Decoder, EVENT_BYTES, Event, Unreadable};

/// The longest object of a body that is JSON and not a stream of events, in bytes: it may hold a whole answer.
const OBJECT_BYTES: usize = 4 * EVENT_BYTES;

/// What an answer came as.
#[derive(Debug)]
pub enum Frames {
    /// Nothing but blanks has come.
    Nothing(Vec<u8>),
    /// Server-sent events.
    Events(Box<Decoder>),
    /// JSON: one object, one a line, or a list of them.
    Json(Objects),
}

impl Default for Frames {
    fn default() -> Self {
        Self::Nothing(Vec::new())
    }
}

impl Frames {
    /// Takes bytes and hands on each event or object that they complete.
    ///
    /// # Errors
    /// [`Unreadable`]; this is of no use after it.
    pub fn push(&mut self, bytes: &[u8], on_event: impl FnMut(Event<'_>)) -> Result<(), Unreadable> {
        match self {
            Self::Events(decoder) => decoder.push(bytes, on_event),
            Self::Json(objects) => objects.push(bytes, on_event),
            Self::Nothing(held) => {
                held.extend_from_slice(bytes);
                let text = held.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(held);
                let next = match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
                    None if held.len() > EVENT_BYTES => return Err(Unreadable::TooLong),
                    None => return Ok(()),
                    Some(_) if b"\xEF\xBB\xBF".starts_with(held) => return Ok(()),
                    Some(b'<') => return Err(Unreadable::WebPage),
                    Some(b'{' | b'[' | b'"') => Self::Json(Objects::default()),
                    Some(_) => Self::Events(Box::default()),
                };
                let text = text.to_vec();
                // Once: from here on it is not `Nothing` any more.
                *self = next;
                self.push(&text, on_event)
            }
        }
    }

    /// Hands on what the end of the body completes.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn finish(&mut self, on_event: impl FnMut(Event<'_>)) -> Result<(), Unreadable> {
        match self {
            Self::Nothing(_) => Ok(()),
            Self::Events(decoder) => decoder.finish(on_event),
            Self::Json(objects) => objects.finish(on_event),
        }
    }
}

/// Objects of JSON, one behind the other, with blanks, commas and the brackets of a list between them.
#[derive(Debug, Default)]
pub struct Objects {
    object: Vec<u8>,
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// What stands between objects and is none.
    stray: Vec<u8>,
}

impl Objects {
    fn push(&mut self, bytes: &[u8], mut on_event: impl FnMut(Event<'_>)) -> Result<(), Unreadable> {
        for &byte in bytes {
            if self.depth == 0 && !self.in_string {
                match byte {
                    b'{' | b'"' => {
                        self.end_stray(&mut on_event);
                        self.object.push(byte);
                        (self.depth, self.in_string) = (usize::from(byte == b'{'), byte == b'"');
                    }
                    b'\n' => self.end_stray(&mut on_event),
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
                let data = std::str::from_utf8(&self.object).map_err(|_| Unreadable::NotUtf8)?;
                on_event(Event { name: "", data });
                self.object.clear();
            }
        }
        if self.object.len() > OBJECT_BYTES { Err(Unreadable::TooLong) } else { Ok(()) }
    }

    fn finish(&mut self, mut on_event: impl FnMut(Event<'_>)) -> Result<(), Unreadable> {
        self.end_stray(&mut on_event);
        Ok(())
    }

    /// Objects a line may end as events do.
    fn end_stray(&mut self, on_event: &mut impl FnMut(Event<'_>)) {
        if std::mem::take(&mut self.stray).ends_with(b"DONE") {
            on_event(Event { name: "", data: "[DONE]" });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All objects of a body that comes in chunks of `size` bytes.
    fn split(body: &[u8], size: usize) -> Result<Vec<String>, Unreadable> {
        let (mut frames, mut events) = (Frames::default(), Vec::new());
        for chunk in body.chunks(size) {
            frames.push(chunk, |event| events.push(event.data.to_owned()))?;
        }
        frames.finish(|event| events.push(event.data.to_owned()))?;
        Ok(events)
    }

    #[test]
    fn a_body_is_taken_by_what_it_is() {
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
    fn pages_and_endless_objects_are_refused() {
        assert_eq!(split(b"  <!doctype html><p>{}", 3), Err(Unreadable::WebPage));
        let endless = [b"{\"a\":\"".as_slice(), &vec![b'a'; OBJECT_BYTES]].concat();
        assert_eq!(split(&endless, 8_192), Err(Unreadable::TooLong));
        assert_eq!(split(&vec![b' '; 2 * EVENT_BYTES], 8_192), Err(Unreadable::TooLong));
    }
}
