//! The outline of a page: the structure and the texts that a reader or a screen reader gets, without its looks.

use std::collections::BTreeMap;

use html5ever::{ParseOpts, parse_document, tendril::TendrilSink, tree_builder::TreeBuilderOpts};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

/// Elements of the outline. All others only contribute their content.
const ELEMENTS: &[&str] = &[
    "title",
    "header",
    "nav",
    "main",
    "aside",
    "footer",
    "section",
    "article",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "p",
    "a",
    "button",
    "form",
    "fieldset",
    "legend",
    "input",
    "select",
    "option",
    "optgroup",
    "textarea",
    "label",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "table",
    "caption",
    "tr",
    "th",
    "td",
    "details",
    "summary",
    "dialog",
    "img",
    "pre",
    "blockquote",
    "noscript",
];
/// Attributes of the outline, in this order.
const ATTRIBUTES: &[&str] = &[
    "role",
    "type",
    "name",
    "value",
    "href",
    "src",
    "method",
    "action",
    "formaction",
    "alt",
    "aria-label",
    "title",
    "placeholder",
    "autocomplete",
    "maxlength",
    "aria-current",
    "aria-live",
    "aria-invalid",
    "aria-expanded",
    "lang",
];
/// Attributes that are shown without a value.
const FLAGS: &[&str] =
    &["required", "disabled", "checked", "selected", "hidden", "multiple", "readonly", "open", "inert"];
/// Elements without content that a reader gets.
const SKIPPED: &[&str] = &["script", "style", "template", "meta", "link", "svg"];

/// A list with more options, such as that of all time zones, is abridged.
const MAX_OPTIONS: usize = 100;

/// The outline of a page as a browser without scripts has it, one element per line, indented like the tree.
pub fn outline(page: &str) -> String {
    let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let dom = parse_document(RcDom::default(), ParseOpts { tree_builder, ..ParseOpts::default() }).one(page);
    let mut outline = Outline::default();
    outline.collect_labels(&dom.document);
    outline.walk(&dom.document, 0);
    outline.end_text(0);
    outline.out
}

#[derive(Default)]
struct Outline {
    out: String,
    /// Text that was not written yet.
    text: String,
    /// The text of elements by id, and of labels by the id of their control.
    texts: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
}

/// An attribute of an element.
fn attribute(node: &Handle, name: &str) -> Option<String> {
    let NodeData::Element { attrs, .. } = &node.data else { return None };
    attrs.borrow().iter().find(|attr| &*attr.name.local == name).map(|attr| attr.value.to_string())
}

fn tag(node: &Handle) -> Option<String> {
    let NodeData::Element { name, .. } = &node.data else { return None };
    Some(name.local.to_string())
}

/// Collapses white space.
fn collapsed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn options(select: &Handle) -> Vec<Handle> {
    select.children.borrow().iter().filter(|child| tag(child).as_deref() == Some("option")).cloned().collect()
}

fn text_of(node: &Handle) -> String {
    fn push(node: &Handle, text: &mut String) {
        if let NodeData::Text { contents } = &node.data {
            text.push_str(&contents.borrow());
        }
        if tag(node).is_none_or(|tag| !SKIPPED.contains(&tag.as_str())) {
            node.children.borrow().iter().for_each(|child| push(child, text));
        }
    }
    let mut text = String::new();
    push(node, &mut text);
    collapsed(&text)
}

impl Outline {
    fn collect_labels(&mut self, node: &Handle) {
        if let Some(id) = attribute(node, "id") {
            self.texts.insert(id, text_of(node));
        }
        if tag(node).as_deref() == Some("label")
            && let Some(control) = attribute(node, "for")
        {
            self.labels.insert(control, text_of(node));
        }
        node.children.borrow().iter().for_each(|child| self.collect_labels(child));
    }

    /// Writes the text so far as a line of its own.
    fn end_text(&mut self, depth: usize) {
        let text = collapsed(&std::mem::take(&mut self.text));
        if !text.is_empty() {
            self.out.push_str(&format!("{}\"{text}\"\n", "  ".repeat(depth)));
        }
    }

    fn walk(&mut self, node: &Handle, depth: usize) {
        if let NodeData::Text { contents } = &node.data {
            self.text.push_str(&contents.borrow());
            return;
        }
        let Some(tag) = tag(node) else { return self.walk_children(node, depth) };
        if SKIPPED.contains(&tag.as_str()) {
            return;
        }
        let is_named = attribute(node, "role").is_some() || attribute(node, "aria-label").is_some();
        if !ELEMENTS.contains(&tag.as_str()) && !is_named {
            // These are parts of a sentence; all others separate words.
            let is_inline = matches!(&*tag, "b" | "strong" | "em" | "i" | "code" | "bdi" | "kbd");
            if !is_inline {
                self.text.push(' ');
            }
            self.walk_children(node, depth);
            if !is_inline {
                self.text.push(' ');
            }
            return;
        }
        // The outline names the control instead.
        if tag == "label" && attribute(node, "for").is_some() {
            return;
        }
        self.end_text(depth);
        self.out.push_str(&"  ".repeat(depth));
        self.out.push_str(&tag);
        self.push_attributes(node);
        self.out.push('\n');
        let begin = self.out.len();
        if tag == "select" && options(node).len() > MAX_OPTIONS {
            self.push_first_options(node, depth + 1);
        } else {
            self.walk_children(node, depth + 1);
        }
        self.end_text(depth + 1);
        // A single text is on the line of its element.
        let content = self.out.split_off(begin);
        if content.lines().count() == 1 && content.trim_start().starts_with('"') {
            self.out.truncate(begin - 1);
            self.out.push(' ');
            self.out.push_str(content.trim_start());
        } else {
            self.out.push_str(&content);
        }
    }

    /// Only the first options of a long list.
    fn push_first_options(&mut self, select: &Handle, depth: usize) {
        options(select).iter().take(2).for_each(|option| self.walk(option, depth));
        self.out.push_str(&format!("{}…\n", "  ".repeat(depth)));
    }

    fn walk_children(&mut self, node: &Handle, depth: usize) {
        node.children.borrow().iter().for_each(|child| self.walk(child, depth));
    }

    fn push_attributes(&mut self, node: &Handle) {
        for name in ATTRIBUTES {
            if let Some(value) = attribute(node, name) {
                self.out.push_str(&format!(" {name}=\"{}\"", collapsed(&value)));
            }
        }
        let label = attribute(node, "id").and_then(|id| self.labels.get(&id).cloned());
        if let Some(label) = label.filter(|label| !label.is_empty()) {
            self.out.push_str(&format!(" label=\"{label}\""));
        }
        for (name, shown) in [("aria-labelledby", "labelled-by"), ("aria-describedby", "described-by")] {
            let Some(ids) = attribute(node, name) else { continue };
            let texts: Vec<_> =
                ids.split_whitespace().filter_map(|id| self.texts.get(id)).map(String::as_str).collect();
            let texts = collapsed(&texts.join(" "));
            if !texts.is_empty() {
                self.out.push_str(&format!(" {shown}=\"{texts}\""));
            }
        }
        for name in FLAGS {
            if attribute(node, name).is_some() {
                self.out.push_str(&format!(" {name}"));
            }
        }
    }
}
