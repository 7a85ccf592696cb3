//! A decoder for server-sent events. Chunks may be split anywhere.
//!
//! Written here because the available crates buffer endless lines, fail on a byte order mark, and copy the rest of the
//! buffer for every line.

/// The maximum length of an event and of a line, in bytes.
pub const MAX_EVENT_BYTES: usize = 1_000_000;

/// The maximum length of JSON over several lines without a field name, in bytes.
const MAX_BARE_JSON_BYTES: usize = 16 * 1_024;

/// Why a stream cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A line or an event over [`MAX_EVENT_BYTES`].
    #[error("an event is longer than {MAX_EVENT_BYTES} bytes")]
    TooLong,
    /// Bytes that are not UTF-8.
    #[error("an event is not UTF-8")]
    NotUtf8,
    /// HTML instead of events.
    #[error("the response is a web page")]
    WebPage,
}

/// A server-sent event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// The event name. Empty if there is none.
    pub name: &'a str,
    /// The data.
    pub data: &'a str,
}

/// Assembles events. Buffers at most one event.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The beginning of an incomplete line.
    line: Vec<u8>,
    name: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    /// The last line ended with CR. An LF directly after it belongs to it.
    after_cr: bool,
    started: bool,
    has_fields: bool,
    /// Within JSON lines that have no field name.
    is_bare: bool,
}

impl Decoder {
    /// Takes bytes and calls `on_event` for each event that they complete.
    ///
    /// # Errors
    /// [`DecodeError`]; the decoder must not be used after it.
    pub fn push(&mut self, bytes: &[u8], mut on_event: impl FnMut(Event<'_>)) -> Result<(), DecodeError> {
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
                self.process_line(line, &mut on_event)?;
            } else {
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                self.process_line(&whole, &mut on_event)?;
                // Reuses the buffer for the next line.
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

    /// Treats the end of the stream as the empty line that should precede it.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn finish(&mut self, mut on_event: impl FnMut(Event<'_>)) -> Result<(), DecodeError> {
        let line = std::mem::take(&mut self.line);
        self.process_line(&line, &mut on_event)?;
        self.dispatch(&mut on_event)
    }

    /// Whether any field of an event stream has been seen.
    pub const fn has_fields(&self) -> bool {
        self.has_fields
    }

    fn check_length(&self, more: usize) -> Result<(), DecodeError> {
        if self.line.len() + self.data.len() + more > MAX_EVENT_BYTES { Err(DecodeError::TooLong) } else { Ok(()) }
    }

    fn process_line(&mut self, line: &[u8], on_event: &mut impl FnMut(Event<'_>)) -> Result<(), DecodeError> {
        let line = if std::mem::replace(&mut self.started, true) {
            line
        } else {
            line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line)
        };
        if line.is_empty() {
            self.is_bare = false;
            return self.dispatch(on_event);
        }
        if self.process_bare_json(line, on_event)? {
            return Ok(());
        }
        let colon = line.iter().position(|&byte| byte == b':').unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match &line[..colon] {
            b"data" => {
                self.has_fields = true;
                // Some providers omit the empty line between two events.
                if matches!(value, [b'{', ..] | b"[DONE]") && self.has_complete_json() {
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
            // Comments, ids, retry times and unknown fields are ignored.
            name => self.has_fields |= matches!(name, b"" | b"id" | b"retry"),
        }
        Ok(())
    }

    /// Processes a line of JSON without a field name. Some providers send their errors, or everything, in this form.
    fn process_bare_json(&mut self, line: &[u8], on_event: &mut impl FnMut(Event<'_>)) -> Result<bool, DecodeError> {
        if !self.is_bare {
            if !matches!(line, [b'{', ..] | [b'[', b'{', ..] | b"[DONE]") {
                return Ok(false);
            }
            self.dispatch(on_event)?;
            (self.is_bare, self.has_fields) = (true, true);
        }
        self.data.extend_from_slice(line);
        self.has_data = true;
        if self.data == b"[DONE]" || self.data.len() > MAX_BARE_JSON_BYTES || self.has_complete_json() {
            self.is_bare = false;
            self.dispatch(on_event)?;
        }
        Ok(true)
    }

    fn has_complete_json(&self) -> bool {
        matches!(self.data.last(), Some(b'}' | b']'))
            && serde_json::from_slice::<serde::de::IgnoredAny>(&self.data).is_ok()
    }

    fn dispatch(&mut self, on_event: &mut impl FnMut(Event<'_>)) -> Result<(), DecodeError> {
        if std::mem::take(&mut self.has_data) {
            let data = std::str::from_utf8(&self.data).map_err(|_| DecodeError::NotUtf8)?;
            let name = std::str::from_utf8(&self.name).map_err(|_| DecodeError::NotUtf8)?;
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

    /// All events of a stream that arrives in chunks of `size` bytes, as `name|data`.
    fn decode(stream: &[u8], size: usize) -> Result<Vec<String>, DecodeError> {
        let (mut decoder, mut events) = (Decoder::default(), Vec::new());
        for chunk in stream.chunks(size) {
            decoder.push(chunk, |event| events.push(format!("{}|{}", event.name, event.data)))?;
        }
        Ok(events)
    }

    #[test]
    fn c10_events_are_the_same_however_the_bytes_are_split() {
        let stream = "\u{FEFF}data: né 👩‍🚀\n\n: comment\nid: 7\nretry: 9\ndata:two\r\ndata:  lines\r\n\r\nevent: execute\rdata\rdata: 汉\r\r\n\ndata: {}\n\ndata: open";
        let expected = ["|né 👩‍🚀", "|two\n lines", "execute|\n汉", "|{}"];
        for size in 1..=stream.len() {
            assert_eq!(decode(stream.as_bytes(), size).expect("readable"), expected, "chunks of {size}");
        }
    }

    #[test]
    fn row_66_an_endless_line_is_rejected_before_it_is_buffered() {
        let mut decoder = Decoder::default();
        let chunk = [b'a'; 8_192];
        let taken = (0..2_000).take_while(|_| decoder.push(&chunk, |_| {}).is_ok()).count();
        assert_eq!(taken, MAX_EVENT_BYTES / chunk.len());
        assert!(decoder.line.capacity() <= 2 * MAX_EVENT_BYTES);

        let mut decoder = Decoder::default();
        let line = [b"data: ".as_slice(), &[b'a'; 9_000], b"\n"].concat();
        assert!(
            (0..200).any(|_| decoder.push(&line, |_| {}) == Err(DecodeError::TooLong)),
            "many lines of one event count together"
        );
    }

    #[test]
    fn bytes_that_are_not_utf8_are_rejected() {
        assert_eq!(decode(b"data: \xFF\xFE\n\n", 100), Err(DecodeError::NotUtf8));
    }

    #[test]
    fn the_end_of_the_stream_completes_the_last_event() {
        for stream in ["data: [DONE]", "data: [DONE]\n", "data: x\n\ndata:[DONE]", "[DONE]"] {
            let (mut decoder, mut last) = (Decoder::default(), String::new());
            decoder.push(stream.as_bytes(), |event| last = event.data.to_owned()).expect("readable");
            decoder.finish(|event| last = event.data.to_owned()).expect("readable");
            assert_eq!(last, "[DONE]", "{stream:?}");
        }
    }

    #[test]
    fn text_without_event_fields_is_recognised() {
        for (text, has_fields) in [("Bad Gateway\n", false), (": wait\n", true), ("data\n", true), ("retry: 3\n", true)]
        {
            let mut decoder = Decoder::default();
            decoder.push(text.as_bytes(), |_| {}).expect("readable");
            assert_eq!(decoder.has_fields(), has_fields, "{text:?}");
        }
    }
}
