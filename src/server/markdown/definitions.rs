//! Link definitions, which may stand in another part of a text than what refers to them.

use std::collections::HashMap;

use pulldown_cmark::{BrokenLink, CowStr, Parser};

use super::{options::OPTIONS, segments::Segment};

/// Link definitions that are remembered beyond the parser's own.
const MOST_DEFINITIONS: usize = 1_000;
/// Link definitions (`[name]: address`) of the other parts of a text.
#[derive(Debug, Clone, Default)]
pub(super) struct Definitions(HashMap<String, String>);

impl Definitions {
    /// The definitions of all segments, where there are several: within one, the parser knows its own.
    pub(super) fn collect(segments: &[Segment<'_>]) -> Self {
        let mut definitions = Self::default();
        for segment in segments {
            if let Segment::Markdown(text) = segment
                && segments.len() > 1
            {
                definitions.add(text);
            }
        }
        definitions
    }

    /// Adds the definitions of a text. The first of a name wins.
    pub(super) fn add(&mut self, text: &str) {
        if !text.contains("]:") {
            return;
        }
        for (label, definition) in Parser::new_ext(text, OPTIONS).reference_definitions().iter() {
            if self.0.len() < MOST_DEFINITIONS {
                self.0.entry(folded(label)).or_insert_with(|| definition.dest.to_string());
            }
        }
    }

    /// What a reference without a definition in its own part leads to.
    pub(super) fn resolve(&self, link: &BrokenLink<'_>) -> Option<CowStr<'static>> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&folded(&link.reference)).map(|address| CowStr::from(address.clone()))
    }
}

fn folded(label: &str) -> String {
    label.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
