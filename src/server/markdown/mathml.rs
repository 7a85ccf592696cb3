//! Sanitises MathML: known elements and attributes only, no links, no ids, no style attributes.
//!
//! The input is the output of our own converter, which is regular, so it is not parsed with `html5ever` (`ammonia`): that
//! would parse each formula a second time.

/// The allowed elements. Inside `mtext`, a few HTML elements for text styles are allowed.
const ELEMENTS: &[&str] = &[
    "b",
    "code",
    "em",
    "i",
    "math",
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
    "ms",
    "mspace",
    "msqrt",
    "mstyle",
    "msub",
    "msubsup",
    "msup",
    "mtable",
    "mtd",
    "mtext",
    "mtr",
    "munder",
    "munderover",
    "none",
    "s",
    "span",
    "u",
];
/// The allowed attributes. Their values may contain letters, digits, `.`, `%`, `-` and spaces.
const ATTRIBUTES: &[&str] = &[
    "accent",
    "accentunder",
    "columnspan",
    "depth",
    "display",
    "displaystyle",
    "fence",
    "form",
    "height",
    "largeop",
    "linethickness",
    "lspace",
    "mathvariant",
    "maxsize",
    "minsize",
    "movablelimits",
    "rowspan",
    "rspace",
    "scriptlevel",
    "separator",
    "stretchy",
    "symmetric",
    "voffset",
    "width",
];
/// The styles that the converter writes, and the classes that replace them (style/code.css). The content security
/// policy forbids style attributes. Other styles are minor and dropped.
const STYLE_CLASSES: &[(&str, &str)] = &[
    ("text-align: left", "m-left"),
    ("text-align: right", "m-right"),
    ("padding-left: 0", "m-pl0"),
    ("padding-right: 0", "m-pr0"),
    ("padding-left:1em", "m-pl1"),
    ("padding-top: 0", "m-py0"),
    ("padding-top: 0.1667em", "m-pt1"),
    ("border-left: 0.05em solid currentcolor", "m-bl"),
    ("border-right: 0.05em solid currentcolor", "m-br"),
    ("border-top: 0.05em solid currentcolor", "m-bt"),
    ("border-left: 0.05em dashed currentcolor", "m-bl m-dash"),
    ("border-right: 0.05em dashed currentcolor", "m-br m-dash"),
    ("border-top: 0.05em dashed currentcolor", "m-bt m-dash"),
    ("width: 100%", "m-wide"),
    ("width: 50%", "m-half"),
    ("margin-left:-0.1667em", "m-back"),
    ("font-variant-caps: small-caps", "m-caps"),
];

/// The output of the converter without anything that is not allowed. Links keep their text. `None` if the markup has an
/// unknown form; it is then not shown.
pub(super) fn sanitize(mathml: &str) -> Option<String> {
    let mut out = String::with_capacity(mathml.len());
    let mut open: Vec<&str> = Vec::new();
    let mut tables = Vec::new();
    let mut rest = mathml;
    while let Some(at) = rest.find('<') {
        push_content(&mut out, &rest[..at])?;
        let end = at + rest[at..].find('>')?;
        let tag = &rest[at + 1..end];
        if tag.starts_with("mtable") {
            tables.push(out.len());
        } else if tag == "/mtable" {
            close_table(&mut out, tables.pop()?);
        }
        push_tag(&mut out, &mut open, tag)?;
        rest = &rest[end + 1..];
    }
    push_content(&mut out, rest)?;
    open.is_empty().then_some(out)
}

/// Removes the empty row after the last `\\` of the table that begins at `table`. A line above that row becomes the
/// bottom border of the table.
fn close_table(out: &mut String, table: usize) {
    let Some(row) = out.rfind("<mtr><mtd").filter(|row| *row > table && out[..*row].ends_with("</mtr>")) else {
        return;
    };
    let Some(cell) = out[row + "<mtr>".len()..].strip_suffix("></mtd></mtr>").filter(|cell| !cell.contains('>')) else {
        return;
    };
    let has_line = cell.contains("m-bt");
    out.truncate(row);
    if has_line && let Some(end) = out[table..].find('>').map(|end| table + end) {
        match out[table..end].find("class=\"") {
            Some(class) => out.insert_str(table + class + "class=\"".len(), "m-bb "),
            None => out.insert_str(end, " class=\"m-bb\""),
        }
    }
}

fn push_content(out: &mut String, text: &str) -> Option<()> {
    if text.contains('>') {
        return None;
    }
    for (at, part) in text.split('&').enumerate() {
        if at > 0 {
            let (entity, _) = part.split_once(';')?;
            matches!(entity, "lt" | "gt" | "amp" | "quot" | "#39").then_some(())?;
            out.push('&');
        }
        out.push_str(part);
    }
    Some(())
}

fn push_tag<'a>(out: &mut String, open: &mut Vec<&'a str>, tag: &'a str) -> Option<()> {
    if let Some(name) = tag.strip_prefix('/') {
        (open.pop()? == name).then_some(())?;
        if name != "a" {
            out.push_str("</");
            out.push_str(if name == "merror" { "mrow" } else { name });
            out.push('>');
        }
        return Some(());
    }
    let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
    let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
    if !is_empty {
        open.push(name);
    }
    if name == "a" {
        return Some(());
    }
    // Unknown commands are not highlighted as errors but shown as their source.
    let name = if name == "merror" { "mrow" } else { name };
    // `menclose` is not in MathML Core. CSS classes draw its strikes.
    (ELEMENTS.contains(&name) || name == "menclose").then_some(())?;
    out.push('<');
    out.push_str(name);
    push_attributes(out, attributes)?;
    if name == "mrow"
        && let Some(color) = color(attributes)
    {
        out.push_str(" mathcolor=\"#");
        out.push_str(color);
        out.push('"');
    }
    out.push_str(if is_empty { "/>" } else { ">" });
    Some(())
}

fn push_attributes(out: &mut String, attributes: &str) -> Option<()> {
    let mut rest = attributes.trim();
    let mut classes = String::new();
    while !rest.is_empty() {
        let (name, value) = rest.split_once("=\"")?;
        let (value, after) = value.split_once('"')?;
        rest = after.trim_start();
        match name {
            "style" => push_classes(&mut classes, value),
            "class"
                if matches!(
                    value,
                    "menclose-updiagonalstrike" | "menclose-downdiagonalstrike" | "menclose-horizontalstrike"
                ) =>
            {
                push_class(&mut classes, value);
            }
            "notation" => push_class(&mut classes, "m-strike"),
            name if ATTRIBUTES.contains(&name) && is_plain(value) => {
                out.push(' ');
                out.push_str(name);
                out.push_str("=\"");
                out.push_str(value);
                out.push('"');
            }
            _ => {}
        }
    }
    if !classes.is_empty() {
        out.push_str(" class=\"");
        out.push_str(&classes);
        out.push('"');
    }
    Some(())
}

/// The hex digits of the color in a style attribute.
fn color(attributes: &str) -> Option<&str> {
    let (_, color) = attributes.split_once("style=\"color:#")?;
    let color = &color[..color.find([';', '"'])?];
    (color.len() == 6 && color.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(color)
}

fn is_plain(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'%' | b'-' | b' '))
}

fn push_classes(classes: &mut String, style: &str) {
    for declaration in style.split(';') {
        if let Some((_, class)) = STYLE_CLASSES.iter().find(|(known, _)| *known == declaration.trim()) {
            push_class(classes, class);
        }
    }
}

fn push_class(classes: &mut String, class: &str) {
    if !classes.is_empty() {
        classes.push(' ');
    }
    classes.push_str(class);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_allowed_markup_passes() {
        assert_eq!(
            sanitize(
                r##"<math display="block"><mtext id="x" onclick="y"><a href="javascript:x">t</a></mtext></math>"##
            )
            .as_deref(),
            Some(r#"<math display="block"><mtext>t</mtext></math>"#)
        );
        assert_eq!(
            sanitize(r#"<mtd style="text-align: left;justify-items: start;color:#ff0000"></mtd>"#).as_deref(),
            Some(r#"<mtd class="m-left"></mtd>"#)
        );
        assert_eq!(
            sanitize(r##"<mrow style="color:#ff0000;"></mrow><mrow style="color:#url();"></mrow>"##).as_deref(),
            Some(r##"<mrow mathcolor="#ff0000"></mrow><mrow></mrow>"##)
        );
        assert_eq!(sanitize("<merror><mi>x</mi></merror>").as_deref(), Some("<mrow><mi>x</mi></mrow>"));
        assert_eq!(sanitize("<mi>&lt;&amp;</mi>").as_deref(), Some("<mi>&lt;&amp;</mi>"));
    }

    #[test]
    fn a_line_below_the_last_row_is_the_bottom_border() {
        assert_eq!(
            sanitize(concat!(
                r#"<mtable style="border-top: 0.05em solid currentcolor;"><mtr><mtd><mn>1</mn></mtd></mtr>"#,
                r#"<mtr><mtd style="border-top: 0.05em solid currentcolor;"></mtd></mtr></mtable>"#
            ))
            .as_deref(),
            Some(r#"<mtable class="m-bb m-bt"><mtr><mtd><mn>1</mn></mtd></mtr></mtable>"#)
        );
        assert_eq!(
            sanitize("<mtable><mtr><mtd></mtd></mtr></mtable>").as_deref(),
            Some("<mtable><mtr><mtd></mtd></mtr></mtable>")
        );
    }

    #[test]
    fn unknown_markup_is_rejected() {
        for bad in [
            "<script>x</script>",
            "<img src=\"x\"/>",
            "<mi>x",
            "<mi>x</mo>",
            "</mi>",
            "<mi",
            "a>b",
            "<mi>&#60;</mi>",
            "<mi>&x</mi>",
            "<annotation-xml></annotation-xml>",
            "<mi x='y'>a</mi>",
            "<mglyph/>",
            "<malignmark/>",
            "<style></style>",
            "<svg></svg>",
            "<!-- x -->",
        ] {
            assert_eq!(sanitize(bad), None, "{bad}");
        }
    }
}
