//! Markdown events into HTML.

use std::ops::Range;

use pulldown_cmark::{BlockQuoteKind, BrokenLink, CodeBlockKind, CowStr, Event, Parser, Tag};

use super::{
    code,
    definitions::Definitions,
    escape::{Place, push_text},
    formulas::{Formula, Kind},
    inline::{push_footnote, push_prose},
    links::Target,
    math::{push_math, push_source},
    options::OPTIONS,
    prepare::{prepare, prepare_blocks},
    segments::Segment,
    tables::Table,
};

/// Elements open at once; what is nested deeper is shown without its own element.
const DEEPEST: usize = 64;

/// Appends a part of a text.
pub(super) fn push_segment(out: &mut String, segment: &Segment<'_>, definitions: &Definitions) {
    match segment {
        Segment::Markdown(text) => push_markdown(out, text, false, definitions),
        Segment::OpenMarkdown(text) => push_markdown(out, text, true, definitions),
        Segment::Formula(latex) => {
            out.push_str("<p>");
            push_math(out, latex, true);
            out.push_str("</p>\n");
        }
        Segment::OpenFormula(text) => {
            out.push_str("<p>");
            push_source(out, text.get(2..).unwrap_or_default().trim());
            out.push_str("</p>\n");
        }
        Segment::Plain(line) => {
            out.push_str("<p dir=\"auto\">");
            push_text(out, line.trim_end(), Place::Prose);
            out.push_str("</p>\n");
        }
    }
}

fn push_markdown(out: &mut String, text: &str, is_open: bool, definitions: &Definitions) {
    let prepared = prepare(text, is_open);
    let resolve = |link: BrokenLink<'_>| definitions.resolve(&link).map(|address| (address, CowStr::Borrowed("")));
    let parser = Parser::new_with_broken_link_callback(&prepared.text, OPTIONS, Some(resolve));
    let mut writer = Writer {
        source: text,
        parsed: &prepared.text,
        formulas: &prepared.formulas,
        out,
        open: Vec::new(),
        prose: String::new(),
        links: 0,
        images: Vec::new(),
        code: None,
        table: Table::default(),
    };
    for (event, range) in parser.into_offset_iter() {
        writer.event(event, range);
    }
    writer.flush();
}

/// Where the last block at the top level begins: the start of its line. 0 where there is one block or none.
pub(super) fn last_block(text: &str, is_open: bool) -> usize {
    let prepared = prepare_blocks(text, is_open);
    let mut depth = 0_usize;
    let mut last = 0;
    for (event, range) in Parser::new_ext(&prepared.text, OPTIONS).into_offset_iter() {
        match event {
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Start(_) => {
                if depth == 0 {
                    last = range.start;
                }
                depth += 1;
            }
            _ if depth == 0 => last = range.start,
            _ => {}
        }
    }
    text[..last].rfind('\n').map_or(0, |end| end + 1)
}

/// How an open element ends.
enum Closing {
    /// With this markup.
    With(&'static str),
    /// The element itself was left out.
    Nothing,
    Link,
    Image,
    Code,
    /// A cell that is left out, with all that is in it.
    Hidden {
        from: usize,
    },
}

struct Image {
    target: Option<Target>,
    alt: String,
}

struct Writer<'a> {
    source: &'a str,
    /// What the parser was given for it.
    parsed: &'a str,
    formulas: &'a [Formula],
    out: &'a mut String,
    open: Vec<Closing>,
    /// Text that was read but not written: addresses are looked for in the whole run.
    prose: String,
    /// Links that are open.
    links: usize,
    images: Vec<Image>,
    code: Option<(String, String)>,
    table: Table,
}

impl<'a> Writer<'a> {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(_) => self.end(),
            Event::Text(text) => self.text(&text, range),
            Event::Html(html) | Event::InlineHtml(html) => self.html(&html, range),
            Event::SoftBreak => self.push_prose("\n"),
            inline if !self.images.is_empty() => self.alternative(&inline),
            Event::Code(code) => self.element("<code dir=\"ltr\">", &code, "</code>"),
            Event::FootnoteReference(name) => {
                self.flush();
                let name = self.original(&name);
                push_footnote(self.out, name);
            }
            Event::HardBreak => self.markup("<br>"),
            Event::Rule => self.markup("<hr>\n"),
            Event::TaskListMarker(done) => self.markup(if done {
                "<input type=\"checkbox\" disabled checked aria-label=\"Done\"> "
            } else {
                "<input type=\"checkbox\" disabled aria-label=\"Not done\"> "
            }),
            // Formulas are found before (`prepare`).
            Event::InlineMath(text) | Event::DisplayMath(text) => self.text(&text, range),
        }
    }

    /// The text in the source for a piece of what was parsed.
    fn original<'b>(&self, text: &'b str) -> &'b str
    where
        'a: 'b,
    {
        let at = (text.as_ptr() as usize).wrapping_sub(self.parsed.as_ptr() as usize);
        let range = at..at.saturating_add(text.len());
        if range.end > self.parsed.len() { text } else { self.source.get(range).unwrap_or(text) }
    }

    fn start(&mut self, tag: Tag<'_>) {
        let is_shown = self.images.is_empty() && self.open.len() < DEEPEST;
        let closing = match tag {
            Tag::Image { dest_url, .. } => {
                let target = Target::parse(self.original(&dest_url));
                self.images.push(Image { target, alt: String::new() });
                Closing::Image
            }
            Tag::CodeBlock(kind) => {
                self.flush();
                let info = if let CodeBlockKind::Fenced(info) = &kind { self.original(info) } else { "" };
                self.code = Some((info.to_owned(), String::new()));
                Closing::Code
            }
            tag if is_shown || matches!(tag, Tag::Table(_) | Tag::TableHead | Tag::TableRow | Tag::TableCell) => {
                self.flush();
                self.open_tag(tag)
            }
            _ => Closing::Nothing,
        };
        self.open.push(closing);
    }

    fn open_tag(&mut self, tag: Tag<'_>) -> Closing {
        let (open, close) = match tag {
            Tag::Paragraph => ("<p dir=\"auto\">", "</p>\n"),
            Tag::Heading { level, .. } => match level as u8 {
                1 => ("<h3 dir=\"auto\">", "</h3>\n"),
                2 => ("<h4 dir=\"auto\">", "</h4>\n"),
                3 => ("<h5 dir=\"auto\">", "</h5>\n"),
                _ => ("<h6 dir=\"auto\">", "</h6>\n"),
            },
            Tag::BlockQuote(kind) => return self.open_quote(kind),
            Tag::HtmlBlock => ("<p dir=\"auto\" class=\"raw-html\">", "</p>\n"),
            Tag::List(None) => ("<ul>\n", "</ul>\n"),
            Tag::List(Some(first)) => {
                self.out.push_str(&if first == 1 { "<ol>\n".to_owned() } else { format!("<ol start=\"{first}\">\n") });
                return Closing::With("</ol>\n");
            }
            Tag::Item => ("<li dir=\"auto\">", "</li>\n"),
            Tag::FootnoteDefinition(name) => {
                let original = self.original(&name);
                self.out.push_str("<div class=\"footnote\"><sup>");
                push_text(self.out, original, Place::Prose);
                self.out.push_str("</sup>");
                return Closing::With("</div>\n");
            }
            Tag::Table(alignments) => {
                self.table = Table::open(alignments, self.out);
                return Closing::With("</tbody></table></div>\n");
            }
            Tag::TableHead => {
                self.table.open_head(self.out);
                return Closing::With("</tr></thead><tbody>\n");
            }
            Tag::TableRow => {
                self.table.open_row(self.out);
                return Closing::With("</tr>\n");
            }
            Tag::TableCell => {
                return self.table.open_cell(self.out).map_or(Closing::Hidden { from: self.out.len() }, Closing::With);
            }
            Tag::Emphasis => ("<em>", "</em>"),
            Tag::Strong => ("<strong>", "</strong>"),
            Tag::Strikethrough => ("<del>", "</del>"),
            Tag::Link { dest_url, .. } => return self.open_link(&dest_url),
            _ => return Closing::Nothing,
        };
        self.out.push_str(open);
        Closing::With(close)
    }

    fn open_quote(&mut self, kind: Option<BlockQuoteKind>) -> Closing {
        let (class, word) = match kind {
            None => {
                self.out.push_str("<blockquote dir=\"auto\">\n");
                return Closing::With("</blockquote>\n");
            }
            Some(BlockQuoteKind::Note) => ("note", "Note"),
            Some(BlockQuoteKind::Tip) => ("tip", "Tip"),
            Some(BlockQuoteKind::Important) => ("important", "Important"),
            Some(BlockQuoteKind::Warning) => ("warning", "Warning"),
            Some(BlockQuoteKind::Caution) => ("caution", "Caution"),
        };
        self.out
            .push_str(&format!("<blockquote dir=\"auto\" class=\"alert {class}\"><p><strong>{word}</strong></p>\n"));
        Closing::With("</blockquote>\n")
    }

    fn open_link(&mut self, address: &str) -> Closing {
        // A link within a link would end the outer one in the reader's browser.
        let Some(target) = Target::parse(self.original(address)).filter(|_| self.links == 0) else {
            return Closing::Nothing;
        };
        target.push_open(self.out, None);
        self.links += 1;
        Closing::Link
    }

    fn end(&mut self) {
        let Some(closing) = self.open.pop() else { return };
        match closing {
            Closing::Nothing => {}
            Closing::With(markup) => self.markup(markup),
            Closing::Link => {
                self.markup("</a>");
                self.links -= 1;
            }
            Closing::Image => self.image(),
            Closing::Code => {
                if let Some((info, text)) = self.code.take() {
                    code::push_block(self.out, &info, &text);
                }
            }
            Closing::Hidden { from } => {
                self.flush();
                self.out.truncate(from);
            }
        }
    }

    fn image(&mut self) {
        let Some(Image { target, alt }) = self.images.pop() else { return };
        if let Some(outer) = self.images.last_mut() {
            return outer.alt.push_str(&alt);
        }
        self.flush();
        let alt = alt.trim();
        let alt = if alt.is_empty() { "untitled" } else { alt };
        let link = target.as_ref().filter(|_| self.links == 0);
        match link {
            Some(target) => target.push_open(self.out, Some("image-chip")),
            None => self.out.push_str("<span class=\"image-chip\">"),
        }
        self.out.push_str("Image: ");
        push_text(self.out, alt, Place::Prose);
        if let Some(target) = &target {
            self.out.push_str(" (");
            push_text(self.out, target.host(), Place::Prose);
            self.out.push(')');
        }
        self.out.push_str(if link.is_some() { "</a>" } else { "</span>" });
    }

    fn text(&mut self, text: &str, range: Range<usize>) {
        let original = self.original(text);
        if let Some((_, code)) = &mut self.code {
            return code.push_str(original);
        }
        if original.len() != range.len() {
            return self.push_prose(original);
        }
        let (source, formulas) = (self.source, self.formulas);
        let mut at = range.start;
        let next = formulas.partition_point(|formula| formula.range.end <= at);
        for formula in formulas[next..].iter().take_while(|formula| formula.range.start < range.end) {
            self.push_prose(source.get(at..formula.range.start).unwrap_or_default());
            self.formula(formula);
            at = formula.range.end;
        }
        self.push_prose(source.get(at..range.end).unwrap_or_default());
    }

    /// HTML is shown as it is written; line breaks alone are meant.
    fn html(&mut self, html: &str, range: Range<usize>) {
        if matches!(html, "<br>" | "<br/>" | "<br />") && self.images.is_empty() {
            self.markup("<br>");
        } else {
            self.text(html, range);
        }
    }

    fn formula(&mut self, formula: &Formula) {
        let latex = formula.latex(self.source);
        if !self.images.is_empty() {
            return self.push_prose(&latex);
        }
        self.flush();
        match formula.kind {
            Kind::Open => push_source(self.out, latex.trim()),
            kind => push_math(self.out, &latex, kind == Kind::Display),
        }
    }

    /// Inside an image everything is part of the text that stands for it.
    fn alternative(&mut self, event: &Event<'_>) {
        match event {
            Event::Code(text) | Event::FootnoteReference(text) => {
                let text = self.original(text).to_owned();
                self.push_prose(&text);
            }
            _ => self.push_prose(" "),
        }
    }

    fn element(&mut self, open: &str, text: &str, close: &str) {
        let original = self.original(text);
        self.flush();
        self.out.push_str(open);
        push_text(self.out, original, Place::Code);
        self.out.push_str(close);
    }

    fn markup(&mut self, markup: &str) {
        self.flush();
        self.out.push_str(markup);
    }

    fn push_prose(&mut self, text: &str) {
        match self.images.last_mut() {
            Some(image) => image.alt.push_str(text),
            None => self.prose.push_str(text),
        }
    }

    fn flush(&mut self) {
        if !self.prose.is_empty() {
            push_prose(self.out, &self.prose, self.links == 0);
            self.prose.clear();
        }
    }
}
