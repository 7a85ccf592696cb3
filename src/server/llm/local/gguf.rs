//! Reads the header of a GGUF file to find out what it contains. Parsed here rather than in the native library, so that
//! a malicious file can do no harm.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

/// What a file can be used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileKind {
    /// A chat model.
    Chat,
    /// A valid file of another type, such as a projector or an embedding model. Holds a description.
    Other(String),
    /// A file that cannot be used, and why.
    Broken(String),
}

/// The maximum length of a key or string, in bytes.
const MAX_STRING_BYTES: u64 = 65_535;
/// The maximum number of keys and of tensors in a header.
const MAX_ENTRIES: u64 = 1_000_000;
/// Parts of the names of architectures that do not chat: projectors, encoders, speech and image models.
const NON_CHAT_ARCHITECTURES: [&str; 9] =
    ["clip", "mmproj", "bert", "embedding", "t5", "wavtokenizer", "whisper", "flux", "sdxl"];
/// For each tensor type: its number, the elements per block, and the bytes per block. Tensors of types newer than this
/// table count as empty.
const TENSOR_BLOCKS: [(u32, u64, u64); 32] = [
    (0, 1, 4),
    (1, 1, 2),
    (2, 32, 18),
    (3, 32, 20),
    (6, 32, 22),
    (7, 32, 24),
    (8, 32, 34),
    (9, 32, 36),
    (10, 256, 84),
    (11, 256, 110),
    (12, 256, 144),
    (13, 256, 176),
    (14, 256, 210),
    (15, 256, 292),
    (16, 256, 66),
    (17, 256, 74),
    (18, 256, 98),
    (19, 256, 50),
    (20, 32, 18),
    (21, 256, 110),
    (22, 256, 82),
    (23, 256, 136),
    (24, 1, 1),
    (25, 1, 2),
    (26, 1, 4),
    (27, 1, 8),
    (28, 1, 8),
    (29, 256, 56),
    (30, 1, 2),
    (34, 256, 54),
    (35, 256, 66),
    (39, 32, 17),
];

/// The parsed header.
#[derive(Debug, Default)]
pub struct Header {
    strings: HashMap<String, String>,
    numbers: HashMap<String, u64>,
    tensors: u64,
    /// The minimum length of the file, in bytes.
    length: u64,
}

impl Header {
    /// Reads the header of a file.
    ///
    /// # Errors
    /// Why the file is broken.
    pub fn read(file: &Path) -> Result<Self, String> {
        let opened = File::open(file).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (length, file) = opened.map_err(|fault| format!("it cannot be read: {fault}"))?;
        if length == 0 {
            return Err("it is empty".to_owned());
        }
        let mut input = HeaderReader { from: BufReader::new(file), at: 0, length };
        let header = parse(&mut input).map_err(|fault| match fault.kind() {
            io::ErrorKind::UnexpectedEof => "it ends within its header".to_owned(),
            _ => fault.to_string(),
        })?;
        if length < header.length {
            return Err(format!("it ends after {length} of {} bytes", header.length));
        }
        Ok(header)
    }

    /// How many files the model is split into, and the index of this one, from 0.
    pub fn split(&self) -> (u64, u64) {
        let number = |key: &str| self.numbers.get(key).copied().unwrap_or(0);
        (number("split.count").max(1), number("split.no"))
    }

    /// The context length in tokens that the model was trained for; `None` if the file does not say.
    pub fn context(&self) -> Option<u32> {
        let architecture = self.strings.get("general.architecture")?;
        let length = self.numbers.get(&format!("{architecture}.context_length"))?;
        u32::try_from(*length).ok().filter(|length| *length > 0)
    }

    /// The type of the file.
    pub fn kind(&self) -> FileKind {
        let architecture = self.strings.get("general.architecture").map_or("", String::as_str);
        let kind = self.strings.get("general.type").map_or("model", String::as_str);
        let any_number_ending_with =
            |end: &str, is: fn(u64) -> bool| self.numbers.iter().any(|(key, n)| key.ends_with(end) && is(*n));
        if kind != "model" {
            FileKind::Other(kind.to_owned())
        } else if NON_CHAT_ARCHITECTURES.iter().any(|other| architecture.contains(other)) {
            FileKind::Other(architecture.to_owned())
        } else if any_number_ending_with(".pooling_type", |kind| kind != 0)
            || any_number_ending_with(".attention.causal", |flag| flag == 0)
        {
            FileKind::Other("a model for embeddings".to_owned())
        } else if architecture.is_empty() {
            FileKind::Broken("its header names no architecture".to_owned())
        } else if !self.numbers.contains_key("tokenizer.ggml.tokens") {
            FileKind::Other(format!("{architecture} without a vocabulary"))
        } else if self.tensors == 0 && self.split().0 == 1 {
            FileKind::Other("a vocabulary alone".to_owned())
        } else {
            FileKind::Chat
        }
    }
}

/// Reads a file from the beginning.
struct HeaderReader {
    from: BufReader<File>,
    at: u64,
    length: u64,
}

impl HeaderReader {
    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.from.read_exact(&mut bytes)?;
        self.at += N as u64;
        Ok(bytes)
    }

    fn u32(&mut self) -> io::Result<u32> {
        self.bytes().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> io::Result<u64> {
        self.bytes().map(u64::from_le_bytes)
    }

    fn skip(&mut self, count: u64) -> io::Result<()> {
        if count > self.length - self.at {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += count;
        self.from.seek_relative(i64::try_from(count).unwrap_or(i64::MAX))
    }

    fn string(&mut self) -> io::Result<String> {
        let length = self.u64()?;
        if length > MAX_STRING_BYTES {
            return Err(io::Error::other("a name in its header is too long"));
        }
        let mut bytes = vec![0; length as usize];
        self.from.read_exact(&mut bytes)?;
        self.at += length;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Reads a value of this type as a number: booleans as 0 or 1, arrays as their length, strings and floats as 0.
    fn read_value(&mut self, kind: u32, depth: u32) -> io::Result<u64> {
        Ok(match kind {
            0 | 1 | 7 => self.bytes::<1>()?[0].into(),
            2 | 3 => self.bytes().map(u16::from_le_bytes)?.into(),
            4 | 5 => self.u32()?.into(),
            6 => self.skip(4).map(|()| 0)?,
            8 => {
                let length = self.u64()?;
                self.skip(length).map(|()| 0)?
            }
            9 if depth > 0 => {
                let (kind, count) = (self.u32()?, self.u64()?);
                match fixed_size(kind) {
                    Some(size) => self.skip(count.saturating_mul(size))?,
                    None => {
                        for _ in 0..count {
                            self.read_value(kind, depth - 1)?;
                        }
                    }
                }
                count
            }
            10..=11 => self.u64()?,
            12 => self.skip(8).map(|()| 0)?,
            _ => return Err(io::Error::other("a value in its header is of an unknown type")),
        })
    }
}

/// The size in bytes of a value of this type. `None` if it varies.
const fn fixed_size(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

fn parse(input: &mut HeaderReader) -> io::Result<Header> {
    if input.bytes().ok() != Some(*b"GGUF") {
        return Err(io::Error::other("it is not a GGUF file"));
    }
    let version = input.u32()?;
    if !matches!(version, 2 | 3) {
        return Err(io::Error::other("unknown GGUF version"));
    }
    let (tensors, keys) = (input.u64()?, input.u64()?);
    if tensors > MAX_ENTRIES || keys > MAX_ENTRIES {
        return Err(io::Error::other("its header has too many entries"));
    }
    let mut header = Header { tensors, ..Header::default() };
    for _ in 0..keys {
        let (key, kind) = (input.string()?, input.u32()?);
        match key.as_str() {
            "general.architecture" | "general.type" if kind == 8 => {
                header.strings.insert(key, input.string()?);
            }
            _ => {
                let value = input.read_value(kind, 3)?;
                header.numbers.insert(key, value);
            }
        }
    }
    let mut end = 0;
    for _ in 0..tensors {
        let (_name, dimensions) = (input.string()?, input.u32()?);
        if dimensions > 8 {
            return Err(io::Error::other("a tensor in its header has too many dimensions"));
        }
        let mut elements: u64 = 1;
        for _ in 0..dimensions {
            elements = elements.saturating_mul(input.u64()?);
        }
        let (kind, offset) = (input.u32()?, input.u64()?);
        let block = TENSOR_BLOCKS.iter().find(|(known, _, _)| *known == kind);
        let bytes = block.map_or(0, |(_, length, bytes)| elements.div_ceil(*length).saturating_mul(*bytes));
        end = end.max(offset.saturating_add(bytes));
    }
    let alignment = header.numbers.get("general.alignment").copied().filter(|a| a.is_power_of_two()).unwrap_or(32);
    // A file without tensors has no data section to align.
    header.length = if tensors == 0 { input.at } else { input.at.next_multiple_of(alignment).saturating_add(end) };
    Ok(header)
}
