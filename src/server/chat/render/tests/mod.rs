//! What holds for every text: the page gets nothing but the listed elements and attributes, and an answer that grows
//! ends as what the whole text gives.

mod bounds;
mod corpus;
mod growing;
mod payloads;
mod samples;

use scraper::{Html, Node};

/// Elements that a rendered text may hold.
const ELEMENTS: &[&str] = &[
    "a", "b", "bdi", "blockquote", "br", "button", "code", "del", "div", "em", "h3", "h4", "h5", "h6", "hr", "html", "i", "input", "li", "ol", "p", "pre", "s", "span", "strong", "sup",
    "table", "tbody", "td", "th", "thead", "tr", "u", "ul", "math", "menclose", "merror", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded", "mphantom", "mprescripts", "mroot",
    "mrow", "mspace", "msqrt", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover",
];
/// Attributes on elements outside mathematics; there are none but those of presentation on the others.
const ATTRIBUTES: &[&str] =
    &["aria-label", "checked", "class", "data-code", "dir", "disabled", "href", "rel", "role", "scope", "start", "tabindex", "target", "type"];

/// The text of a fragment as a browser sees it.
pub(super) fn text_content(html: &str) -> String {
    Html::parse_fragment(html).root_element().text().collect()
}

/// Fails unless a browser finds only harmless markup in a fragment.
#[track_caller]
fn assert_harmless(html: &str, source: &str) {
    let document = Html::parse_fragment(html);
    for node in document.root_element().descendants() {
        match node.value() {
            Node::Element(element) => {
                let name = element.name();
                assert!(ELEMENTS.contains(&name), "<{name}> from {source:?}: {html}");
                for (attribute, value) in element.attrs() {
                    assert!(
                        ATTRIBUTES.contains(&attribute) || (name.starts_with('m') && !attribute.starts_with("on") && !matches!(attribute, "style" | "href" | "id" | "name")),
                        "{attribute}={value:?} from {source:?}: {html}"
                    );
                }
                if name == "a" {
                    let href = element.attr("href").unwrap_or_default().to_ascii_lowercase();
                    assert!(["http://", "https://", "mailto:"].iter().any(|scheme| href.starts_with(scheme)), "{href:?} from {source:?}");
                    assert_eq!(element.attr("rel"), Some("noopener noreferrer nofollow"), "{source:?}");
                    assert_eq!(element.attr("target"), Some("_blank"), "{source:?}");
                }
                if name == "input" {
                    assert_eq!(element.attr("type"), Some("checkbox"), "{source:?}");
                    assert!(element.attr("disabled").is_some() && element.attr("aria-label").is_some(), "{source:?}");
                }
            }
            Node::Comment(comment) => panic!("comment {comment:?} from {source:?}: {html}"),
            Node::Doctype(_) | Node::ProcessingInstruction(_) => panic!("declaration from {source:?}: {html}"),
            Node::Document | Node::Fragment | Node::Text(_) => {}
        }
    }
}
