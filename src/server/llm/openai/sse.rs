//! Server-sent events as they come from the network, cut anywhere.
//!
//! Written here rather than taken from a crate: those at hand keep an endless line in memory, or do not survive a
//! byte order mark, and copy the rest of the buffer for every line.

/// The longest event that is taken, in bytes; also the longest line.
pub const EVENT_BYTES: usize = 1_000_000;

/// The longest JSON that is taken without the name of a field where it goes over several lines, in bytes.
const BARE_BYTES: usize = 16 * 1_024;

/// What makes a stream unreadable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A line or an event over [`EVENT_BYTES`].
    #[error("an event is longer than {EVENT_BYTES} bytes")]
    TooLong,
    /// Bytes that are not UTF-8.
    #[error("an event is not UTF-8")]
    NotUtf8,
    /// HTML in place of events.
    #[error("a web page came")]
    WebPage,
}

/// One event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// Its name; empty where it has none.
    pub name: &'a str,
    /// Its data.
    pub data: &'a str,
}

/// Puts events together. Never holds more than one event.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    name: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    /// A CR ended the last line; an LF right behind it belongs to it.
    after_cr: bool,
    begun: bool,
    has_fields: bool,
    /// Within JSON that stands on lines of its own.
    is_bare: bool,
}

impl Decoder {
    /// Takes bytes and hands on each event that they complete.
    ///
    /// # Errors
    /// [`Unreadable`]; the decoder is of no use after it.
    pub fn push(&mut self, bytes: &[u8], mut on_event: impl FnMut(Event<'_>)) -> Result<(), Unreadable> {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (line, ending) = (&rest[..end], rest[end]);
            rest = &rest[end + 1..];
            if ending == b'\n' && end == 0 && std::mem::take(&mut self.after_cr) {
                continue;
            }
            self.after_cr = ending == b'\r';
            self.check_length(line.len())?;
            if self.line.is_empty() {
                self.take_line(line, &mut on_event)?;
            } else {
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                self.take_line(&whole, &mut on_event)?;
                // Keeps the buffer for the next line.
                whole.clear();
                self.line = whole;
            }
        }
        if !rest.is_empty() {
            self.after_cr = false;
        }
        self.check_length(rest.len())?;
        self.line.extend_from_slice(rest);
        Ok(())
    }

    /// Takes the end of the stream for the empty line that should stand before it.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn finish(&mut self, mut on_event: impl FnMut(Event<'_>)) -> Result<(), Unreadable> {
        let line = std::mem::take(&mut self.line);
        self.take_line(&line, &mut on_event)?;
        self.dispatch(&mut on_event)
    }

    /// Whether anything has come that belongs to a stream of events.
    pub const fn has_fields(&self) -> bool {
        self.has_fields
    }

    fn check_length(&self, more: usize) -> Result<(), Unreadable> {
        if self.line.len() + self.data.len() + more > EVENT_BYTES { Err(Unreadable::TooLong) } else { Ok(()) }
    }

    fn take_line(&mut self, line: &[u8], on_event: &mut impl FnMut(Event<'_>)) -> Result<(), Unreadable> {
        let line = if std::mem::replace(&mut self.begun, true) {
            line
        } else {
            line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line)
        };
        if line.is_empty() {
            self.is_bare = false;
            return self.dispatch(on_event);
        }
        if self.take_bare(line, on_event)? {
            return Ok(());
        }
        let colon = line.iter().position(|&byte| byte == b':').unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match &line[..colon] {
            b"data" => {
                self.has_fields = true;
                // Some leave out the empty line between two events.
                if matches!(value, [b'{', ..] | b"[DONE]") && self.holds_an_object() {
                    self.dispatch(on_event)?;
                }
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
            }
            b"event" => {
                self.has_fields = true;
                self.name.clear();
                self.name.extend_from_slice(value);
            }
            // Comments, ids, retry times and unknown fields mean nothing here.
            name => self.has_fields |= matches!(name, b"" | b"id" | b"retry"),
        }
        Ok(())
    }

    /// Takes a line that is JSON without the name of a field, as some send errors or everything, or a part of such JSON.
    fn take_bare(&mut self, line: &[u8], on_event: &mut impl FnMut(Event<'_>)) -> Result<bool, Unreadable> {
        if !self.is_bare {
            if !matches!(line, [b'{', ..] | [b'[', b'{', ..] | b"[DONE]") {
                return Ok(false);
            }
            self.dispatch(on_event)?;
            (self.is_bare, self.has_fields) = (true, true);
        }
        self.data.extend_from_slice(line);
        self.has_data = true;
        if self.data == b"[DONE]" || self.data.len() > BARE_BYTES || self.holds_an_object() {
            self.is_bare = false;
            self.dispatch(on_event)?;
        }
        Ok(true)
    }

    fn holds_an_object(&self) -> bool {
        matches!(self.data.last(), Some(b'}' | b']'))
            && serde_json::from_slice::<serde::de::IgnoredAny>(&self.data).is_ok()
    }

    fn dispatch(&mut self, on_event: &mut impl FnMut(Event<'_>)) -> Result<(), Unreadable> {
        if std::mem::take(&mut self.has_data) {
            let data = std::str::from_utf8(&self.data).map_err(|_| Unreadable::NotUtf8)?;
            let name = std::str::from_utf8(&self.name).map_err(|_| Unreadable::NotUtf8)?;
            on_event(Event { name, data });
        }
        self.data.clear();
        self.name.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All events of a stream that comes in chunks of `size` bytes, as `name|data`.
    fn decode(stream: &[u8], size: usize) -> Result<Vec<String>, Unreadable> {
        let (mut decoder, mut events) = (Decoder::default(), Vec::new());
        for chunk in stream.chunks(size) {
            decoder.push(chunk, |event| events.push(format!("{}|{}", event.name, event.data)))?;
        }
        Ok(events)
    }

    #[test]
    fn c10_events_are_the_same_however_the_bytes_are_cut() {
        let stream = "\u{FEFF}data: né 👩‍🚀\n\n: comment\nid: 7\nretry: 9\ndata:two\r\ndata:  lines\r\n\r\nevent: execute\rdata\rdata: 汉\r\r\n\ndata: {}\n\ndata: open";
        let expected = ["|né 👩‍🚀", "|two\n lines", "execute|\n汉", "|{}"];
        for size in 1..=stream.len() {
            assert_eq!(decode(stream.as_bytes(), size).expect("readable"), expected, "chunks of {size}");
        }
    }

    #[test]
    fn row_66_an_endless_line_is_refused_before_it_is_kept() {
        let mut decoder = Decoder::default();
        let chunk = [b'a'; 8_192];
        let taken = (0..2_000).take_while(|_| decoder.push(&chunk, |_| {}).is_ok()).count();
        assert_eq!(taken, EVENT_BYTES / chunk.len());
        assert!(decoder.line.capacity() <= 2 * EVENT_BYTES);

        let mut decoder = Decoder::default();
        let line = [b"data: ".as_slice(), &[b'a'; 9_000], b"\n"].concat();
        assert!(
            (0..200).any(|_| decoder.push(&line, |_| {}) == Err(Unreadable::TooLong)),
            "many lines of one event count together"
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        assert_eq!(decode(b"data: \xFF\xFE\n\n", 100), Err(Unreadable::NotUtf8));
    }

    #[test]
    fn the_end_takes_the_place_of_the_empty_line() {
        for stream in ["data: [DONE]", "data: [DONE]\n", "data: x\n\ndata:[DONE]", "[DONE]"] {
            let (mut decoder, mut last) = (Decoder::default(), String::new());
            decoder.push(stream.as_bytes(), |event| last = event.data.to_owned()).expect("readable");
            decoder.finish(|event| last = event.data.to_owned()).expect("readable");
            assert_eq!(last, "[DONE]", "{stream:?}");
        }
    }

    #[test]
    fn a_text_that_is_no_stream_of_events_is_known() {
        for (text, has_fields) in [("Bad Gateway\n", false), (": wait\n", true), ("data\n", true), ("retry: 3\n", true)]
        {
            let mut decoder = Decoder::default();
            decoder.push(text.as_bytes(), |_| {}).expect("readable");
            assert_eq!(decoder.has_fields(), has_fields, "{text:?}");
        }
    }
}
