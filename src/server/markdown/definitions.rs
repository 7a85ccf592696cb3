//! Link definitions that are in another segment of the text than their references.

use std::collections::HashMap;

use pulldown_cmark::{BrokenLink, CowStr, Parser};

use super::{options::OPTIONS, segments::Segment};

/// The maximum number of link definitions that are remembered across segments.
const MAX_DEFINITIONS: usize = 1_000;
/// The link definitions (`[name]: address`) of all segments of a text.
#[derive(Debug, Clone, Default)]
pub(super) struct Definitions(HashMap<String, String>);

impl Definitions {
    /// Collects the definitions of all segments. Empty for a single segment, whose definitions the parser itself
    /// resolves.
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

    /// Adds the definitions of a text. The first definition of a name wins.
    pub(super) fn add(&mut self, text: &str) {
        if !text.contains("]:") {
            return;
        }
        for (label, definition) in Parser::new_ext(text, OPTIONS).reference_definitions().iter() {
            if self.0.len() < MAX_DEFINITIONS {
                self.0.entry(normalize_label(label)).or_insert_with(|| definition.dest.to_string());
            }
        }
    }

    /// The address of a reference that is not defined in its own segment.
    pub(super) fn resolve(&self, link: &BrokenLink<'_>) -> Option<CowStr<'static>> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&normalize_label(&link.reference)).map(|address| CowStr::from(address.clone()))
    }
}

fn normalize_label(label: &str) -> String {
    label.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
