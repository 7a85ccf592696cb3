//! Texts with elements in them.

use leptos::prelude::*;

use super::{Key, Texts};

/// What makes an element of the words between its tags.
type Element<'a> = &'a dyn Fn(&'static str) -> AnyView;

/// A piece of a text.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Words(&'static str),
    Element(&'static str, &'static str),
}

impl Texts {
    /// The text with this key, with elements in the places of their tags. What has no element stays as it is written.
    pub fn rich(&self, key: Key, elements: &[(&str, Element<'_>)]) -> AnyView {
        let names: Vec<&str> = elements.iter().map(|(name, _)| *name).collect();
        let view = |piece| match piece {
            Piece::Words(words) => words.into_any(),
            Piece::Element(name, words) => {
                let element = elements.iter().find(|(known, _)| *known == name);
                element.map_or_else(|| ().into_any(), |(_, element)| element(words))
            }
        };
        pieces(self.text(key), &names).into_iter().map(view).collect::<Vec<_>>().into_any()
    }
}

fn pieces(mut text: &'static str, names: &[&str]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    while let Some((before, name, words, after)) = first_element(text, names) {
        if !before.is_empty() {
            pieces.push(Piece::Words(before));
        }
        pieces.push(Piece::Element(name, words));
        text = after;
    }
    if !text.is_empty() {
        pieces.push(Piece::Words(text));
    }
    pieces
}

/// The first element of a text: what stands before it, its name, the words in it, and what comes after it.
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
        if let Some((words, after)) = after.split_once(&format!("</{tag}>")).filter(|_| names.contains(&tag)) {
            return Some((before, tag, words, after));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_by_their_names() {
        use Piece::{Element, Words};
        let names = ["terms", "name"];
        assert_eq!(
            pieces("I agree to the <terms>terms of use</terms>, <name/>.", &names),
            [Words("I agree to the "), Element("terms", "terms of use"), Words(", "), Element("name", ""), Words(".")]
        );
        assert_eq!(pieces("<terms>All</terms>", &names), [Element("terms", "All")]);
        assert_eq!(pieces("1 < 2 <b>bold</b> <terms>open", &names), [Words("1 < 2 <b>bold</b> <terms>open")]);
        assert_eq!(pieces("", &names), []);
    }
}
