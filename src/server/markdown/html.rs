//! HTML blocks. No code fence begins within them.

/// Whether a line begins an HTML block: with a block-level element, or with a single tag.
pub(super) fn starts_html_block(content: &str, is_in_paragraph: bool) -> bool {
    const BLOCK_ELEMENTS: &[&str] = &[
        "address",
        "article",
        "aside",
        "base",
        "basefont",
        "blockquote",
        "body",
        "caption",
        "center",
        "col",
        "colgroup",
        "dd",
        "details",
        "dialog",
        "dir",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "frame",
        "frameset",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "head",
        "header",
        "hr",
        "html",
        "iframe",
        "legend",
        "li",
        "link",
        "main",
        "menu",
        "menuitem",
        "nav",
        "noframes",
        "ol",
        "optgroup",
        "option",
        "p",
        "param",
        "search",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "title",
        "tr",
        "track",
        "ul",
    ];
    let Some(tag) = content.strip_prefix('<') else { return false };
    let tag = tag.strip_prefix('/').unwrap_or(tag);
    let (name, rest) = tag.split_at(tag.bytes().take_while(u8::is_ascii_alphanumeric).count());
    let is_block = BLOCK_ELEMENTS.contains(&name.to_ascii_lowercase().as_str())
        && (rest.is_empty() || rest.starts_with(['>', ' ', '\t', '\r', '\n']) || rest.starts_with("/>"));
    let is_single_tag = !is_in_paragraph
        && !name.is_empty()
        && rest.trim_end().find('>').is_some_and(|end| end + 1 == rest.trim_end().len());
    is_block || is_single_tag
}
