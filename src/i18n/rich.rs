//! Texts with elements in them.

use leptos::prelude::*;

use super::{Key, Texts};

/// A function that creates an element from the content between its tags.
type Element<'a> = &'a dyn Fn(&'static str) -> AnyView;

/// A segment of a text.
#[derive(Debug, PartialEq, Eq)]
enum Segment {
    Text(&'static str),
    /// The name and the content of an element.
    Element(&'static str, &'static str),
}

impl Texts {
    /// The text with this key, with its tags replaced by elements. Tags without an element stay text.
    pub fn rich(&self, key: Key, elements: &[(&str, Element<'_>)]) -> AnyView {
        let names: Vec<&str> = elements.iter().map(|(name, _)| *name).collect();
        let view = |segment| match segment {
            Segment::Text(text) => text.into_any(),
            Segment::Element(name, content) => {
                let element = elements.iter().find(|(known, _)| *known == name);
                element.map_or_else(|| ().into_any(), |(_, element)| element(content))
            }
        };
        segments(self.text(key), &names).into_iter().map(view).collect::<Vec<_>>().into_any()
    }
}

fn segments(mut text: &'static str, names: &[&str]) -> Vec<Segment> {
    let mut segments = Vec::new();
    while let Some((before, name, content, after)) = first_element(text, names) {
        if !before.is_empty() {
            segments.push(Segment::Text(before));
        }
        segments.push(Segment::Element(name, content));
        text = after;
    }
    if !text.is_empty() {
        segments.push(Segment::Text(text));
    }
    segments
}

/// Finds the first element of a text. Returns the text before it, its name, its content, and the text after it.
fn first_element(
    text: &'static str,
    names: &[&str],
) -> Option<(&'static str, &'static str, &'static str, &'static str)> {
    for (at, _) in text.match_indices('<') {
        let (before, rest) = text.split_at(at);
        let Some((tag, after)) = rest[1..].split_once('>') else { continue };
        if let Some(name) = tag.strip_suffix('/').filter(|name| names.contains(name)) {
            return Some((before, name, "", after));
        }
        if let Some((content, after)) = after.split_once(&format!("</{tag}>")).filter(|_| names.contains(&tag)) {
            return Some((before, tag, content, after));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_split_at_known_elements() {
        use Segment::{Element, Text};
        let names = ["terms", "name"];
        assert_eq!(
            segments("I agree to the <terms>terms of use</terms>, <name/>.", &names),
            [Text("I agree to the "), Element("terms", "terms of use"), Text(", "), Element("name", ""), Text(".")]
        );
        assert_eq!(segments("<terms>All</terms>", &names), [Element("terms", "All")]);
        assert_eq!(segments("1 < 2 <b>bold</b> <terms>open", &names), [Text("1 < 2 <b>bold</b> <terms>open")]);
        assert_eq!(segments("", &names), []);
    }
}
