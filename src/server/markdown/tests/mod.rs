//! Invariants for every text: the page contains only allowed elements and attributes, and incremental rendering ends
//! with the same result as rendering the whole text.

mod bounds;
mod commands;
mod corpus;
mod directions;
mod emphasis;
mod incremental;
mod mathematics;
mod payloads;
mod samples;

use html5ever::{ParseOpts, QualName, local_name, ns, parse_fragment, tendril::TendrilSink};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

/// The elements that rendered text may contain.
const ELEMENTS: &[&str] = &[
    "a",
    "b",
    "bdi",
    "blockquote",
    "br",
    "button",
    "code",
    "del",
    "details",
    "div",
    "em",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "html",
    "i",
    "input",
    "label",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "span",
    "strong",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
    "math",
    "menclose",
    "merror",
    "mfrac",
    "mi",
    "mmultiscripts",
    "mn",
    "mo",
    "mover",
    "mpadded",
    "mphantom",
    "mprescripts",
    "mroot",
    "mrow",
    "mspace",
    "msqrt",
    "msub",
    "msubsup",
    "msup",
    "mtable",
    "mtd",
    "mtext",
    "mtr",
    "munder",
    "munderover",
];
/// The allowed attributes on elements other than MathML, which may only have presentation attributes.
const ATTRIBUTES: &[&str] = &[
    "aria-label",
    "checked",
    "class",
    "data-code",
    "dir",
    "disabled",
    "href",
    "rel",
    "role",
    "scope",
    "start",
    "tabindex",
    "target",
    "type",
];

/// Parses a fragment like a browser. The nodes live as long as the tree.
fn parse(html: &str) -> RcDom {
    let context = QualName::new(None, ns!(html), local_name!("div"));
    parse_fragment(RcDom::default(), ParseOpts::default(), context, Vec::new(), false).one(html)
}

/// All nodes below the root, in order.
fn descendants(node: &Handle) -> Vec<Handle> {
    let children: Vec<Handle> = node.children.borrow().clone();
    children.into_iter().flat_map(|child| [vec![child.clone()], descendants(&child)].concat()).collect()
}

fn text_of(node: &Handle) -> String {
    let texts = descendants(node).into_iter().filter_map(|node| match &node.data {
        NodeData::Text { contents } => Some(contents.borrow().to_string()),
        _ => None,
    });
    texts.collect()
}

/// The name of an element. `None` for other nodes.
fn name_of(node: &Handle) -> Option<String> {
    match &node.data {
        NodeData::Element { name, .. } => Some(name.local.to_string()),
        _ => None,
    }
}

/// The HTML with its labels in English.
fn in_english(html: &str) -> String {
    crate::i18n::Language::default().texts().fill_references(html.into()).into_owned()
}

/// The text of a fragment as a browser sees it.
pub(super) fn text_content(html: &str) -> String {
    text_of(&parse(html).document)
}

/// Fails unless the parsed fragment contains only harmless markup.
#[track_caller]
fn assert_harmless(html: &str, source: &str) {
    let tree = parse(html);
    for node in descendants(&tree.document) {
        match &node.data {
            NodeData::Element { name, attrs, .. } => {
                let attrs: Vec<(String, String)> =
                    attrs.borrow().iter().map(|a| (a.name.local.to_string(), a.value.to_string())).collect();
                assert_harmless_element(&name.local, &attrs, html, source);
            }
            NodeData::Comment { contents } => panic!("comment {contents:?} from {source:?}: {html}"),
            NodeData::Doctype { .. } | NodeData::ProcessingInstruction { .. } => {
                panic!("declaration from {source:?}: {html}")
            }
            NodeData::Document | NodeData::Text { .. } => {}
        }
    }
}

#[track_caller]
fn assert_harmless_element(name: &str, attrs: &[(String, String)], html: &str, source: &str) {
    let attr = |wanted: &str| attrs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    assert!(ELEMENTS.contains(&name), "<{name}> from {source:?}: {html}");
    for (attribute, value) in attrs {
        let attribute = attribute.as_str();
        assert!(
            ATTRIBUTES.contains(&attribute)
                || (name.starts_with('m')
                    && !attribute.starts_with("on")
                    && !matches!(attribute, "style" | "href" | "id" | "name")),
            "{attribute}={value:?} from {source:?}: {html}"
        );
    }
    if name == "a" {
        let href = attr("href").unwrap_or_default().to_ascii_lowercase();
        assert!(
            ["http://", "https://", "mailto:"].iter().any(|scheme| href.starts_with(scheme)),
            "{href:?} from {source:?}"
        );
        assert_eq!(attr("rel"), Some("noopener noreferrer nofollow"), "{source:?}");
        assert_eq!(attr("target"), Some("_blank"), "{source:?}");
    }
    if name == "input" {
        assert_eq!(attr("type"), Some("checkbox"), "{source:?}");
        let is_switch = attr("class") == Some("sr-only");
        assert!(is_switch || (attr("disabled").is_some() && attr("aria-label").is_some()), "{source:?}");
    }
    if name == "details" {
        assert_eq!(attr("class"), Some("code-fold"), "{source:?}");
    }
}
