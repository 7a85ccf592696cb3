//! Blocks of HTML, in which no fence begins.

/// Whether a line begins a block of HTML: with an element that stands for a block, or with one tag alone.
pub(super) fn begins_html(content: &str, is_text: bool) -> bool {
    const BLOCKS: &[&str] = &[
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
    let is_block = BLOCKS.contains(&name.to_ascii_lowercase().as_str())
        && (rest.is_empty() || rest.starts_with(['>', ' ', '\t', '\r', '\n']) || rest.starts_with("/>"));
    let is_alone =
        !is_text && !name.is_empty() && rest.trim_end().find('>').is_some_and(|end| end + 1 == rest.trim_end().len());
    is_block || is_alone
}
