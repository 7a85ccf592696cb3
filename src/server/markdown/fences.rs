//! Fences of code blocks.

/// An open fence of a code block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fence {
    mark: u8,
    length: usize,
    /// The indentation in columns. It is removed from the lines of the block.
    pub(super) indent: usize,
}

impl Fence {
    /// The fence that a line opens, if any.
    pub(super) fn opened_by(line: &str) -> Option<Self> {
        let indent = indent(line)?;
        let rest = &line[indent..];
        let mark = *rest.as_bytes().first().filter(|mark| matches!(mark, b'`' | b'~'))?;
        let length = rest.bytes().take_while(|byte| *byte == mark).count();
        (length >= 3 && (mark == b'~' || !rest[length..].contains('`'))).then_some(Self { mark, length, indent })
    }

    /// The info string after the opening fence.
    pub(super) fn info<'a>(&self, line: &'a str) -> &'a str {
        line[self.indent + self.length..].trim()
    }

    /// Whether a line closes the fence.
    pub(super) fn is_closed_by(&self, line: &str) -> bool {
        let Some(indent) = indent(line) else { return false };
        let rest = line[indent..].trim_end();
        rest.len() >= self.length && rest.bytes().all(|byte| byte == self.mark)
    }

    /// Whether an incomplete line closes the fence or may do so once it is complete.
    pub(super) fn may_be_closed_by(&self, line: &str) -> bool {
        !line.contains('\n')
            && indent(line).is_some_and(|indent| line[indent..].trim_end().bytes().all(|byte| byte == self.mark))
    }
}

/// The indentation. `None` for more than three spaces.
fn indent(line: &str) -> Option<usize> {
    Some(line.bytes().take_while(|byte| *byte == b' ').count()).filter(|indent| *indent <= 3)
}
