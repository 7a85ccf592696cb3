//! Renders Markdown events as HTML.

use std::ops::Range;

use pulldown_cmark::{BlockQuoteKind, BrokenLink, CodeBlockKind, CowStr, Event, Parser, Tag};

use crate::i18n::push_reference;

use super::{
    code,
    definitions::Definitions,
    direction::{Direction, OpenDirections},
    escape::{TextContext, push_text},
    flow::Flow,
    formulas::{Formula, FormulaKind},
    inline::{push_footnote, push_prose},
    links::Target,
    math::{push_math, push_source},
    options::OPTIONS,
    prepare::{prepare, prepare_blocks},
    segments::Segment,
    tables::Table,
};

/// The maximum number of open elements. Deeper nested content is rendered without its own element.
const MAX_OPEN_ELEMENTS: usize = 64;

/// Appends a segment of a text as HTML.
pub(super) fn push_segment(out: &mut String, segment: &Segment<'_>, definitions: &Definitions, flow: &mut Flow) {
    match segment {
        Segment::Markdown(text) => push_markdown(out, text, false, definitions, flow),
        Segment::OpenMarkdown(text) => push_markdown(out, text, true, definitions, flow),
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
            flow.direction = Direction::of(line).unwrap_or(flow.direction);
            out.push_str("<p dir=\"auto\">");
            push_text(out, line.trim_end(), TextContext::Prose);
            out.push_str("</p>\n");
        }
    }
}

fn push_markdown(out: &mut String, text: &str, is_open: bool, definitions: &Definitions, flow: &mut Flow) {
    let prepared = prepare(text, is_open);
    let resolve = |link: BrokenLink<'_>| definitions.resolve(&link).map(|address| (address, CowStr::Borrowed("")));
    let parser = Parser::new_with_broken_link_callback(&prepared.text, OPTIONS, Some(resolve));
    let mut writer = Writer {
        source: text,
        parsed: &prepared.text,
        formulas: &prepared.formulas,
        out,
        open_elements: Vec::new(),
        prose: String::new(),
        open_links: 0,
        images: Vec::new(),
        code: None,
        table: Table::default(),
        directions: OpenDirections::default(),
        flow,
    };
    for (event, range) in parser.into_offset_iter() {
        writer.push_event(event, range);
    }
    writer.flush();
}

/// The start of the line in which the last top-level block begins. 0 if there is at most one block.
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

/// How to close an open element.
enum Closing {
    /// Append this markup.
    With(&'static str),
    /// Append this markup; the direction of the block ends.
    Directed(&'static str),
    /// Nothing to append, because the element was not opened.
    Unopened,
    Link,
    Image,
    Code,
    /// Remove a table cell and its content.
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
    /// The prepared text that the parser read instead of `source`.
    parsed: &'a str,
    formulas: &'a [Formula],
    out: &'a mut String,
    open_elements: Vec<Closing>,
    /// Pending text. It is collected so that bare addresses are found in a whole run of text.
    prose: String,
    /// The number of open links.
    open_links: usize,
    images: Vec<Image>,
    code: Option<(String, String)>,
    table: Table,
    directions: OpenDirections,
    flow: &'a mut Flow,
}

impl<'a> Writer<'a> {
    fn push_event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(_) => self.end(),
            Event::Text(text) => self.push_text(&text, range),
            Event::Html(html) | Event::InlineHtml(html) => self.push_html(&html, range),
            Event::SoftBreak => self.push_prose("\n"),
            inline if !self.images.is_empty() => self.push_alt_text(&inline),
            Event::Code(code) => self.push_element("<code dir=\"ltr\">", &code, "</code>"),
            Event::FootnoteReference(name) => {
                self.flush();
                let name = self.source_text(&name);
                push_footnote(self.out, name);
            }
            Event::HardBreak => self.push_markup("<br>"),
            Event::Rule => self.push_markup("<hr>\n"),
            Event::TaskListMarker(done) => {
                self.push_markup(if done {
                    "<input type=\"checkbox\" disabled checked aria-label=\""
                } else {
                    "<input type=\"checkbox\" disabled aria-label=\""
                });
                let label = if done { key!("chat.markdown.done") } else { key!("chat.markdown.not_done") };
                push_reference(self.out, label);
                self.out.push_str("\"> ");
            }
            // Not emitted by the parser: `prepare` finds the formulas.
            Event::InlineMath(text) | Event::DisplayMath(text) => self.push_text(&text, range),
        }
    }

    /// Maps a slice of the parsed text to the same range of the source.
    fn source_text<'b>(&self, text: &'b str) -> &'b str
    where
        'a: 'b,
    {
        let at = (text.as_ptr() as usize).wrapping_sub(self.parsed.as_ptr() as usize);
        let range = at..at.saturating_add(text.len());
        if range.end > self.parsed.len() { text } else { self.source.get(range).unwrap_or(text) }
    }

    fn start(&mut self, tag: Tag<'_>) {
        let is_rendered = self.images.is_empty() && self.open_elements.len() < MAX_OPEN_ELEMENTS;
        let closing = match tag {
            Tag::Image { dest_url, .. } => {
                let target = Target::parse(self.source_text(&dest_url));
                self.images.push(Image { target, alt: String::new() });
                Closing::Image
            }
            Tag::CodeBlock(kind) => {
                self.flush();
                let info = if let CodeBlockKind::Fenced(info) = &kind { self.source_text(info) } else { "" };
                self.code = Some((info.to_owned(), String::new()));
                Closing::Code
            }
            tag if is_rendered || matches!(tag, Tag::Table(_) | Tag::TableHead | Tag::TableRow | Tag::TableCell) => {
                self.flush();
                self.open_tag(tag)
            }
            _ => Closing::Unopened,
        };
        self.open_elements.push(closing);
    }

    fn open_tag(&mut self, tag: Tag<'_>) -> Closing {
        if matches!(tag, Tag::Paragraph | Tag::Heading { .. } | Tag::HtmlBlock | Tag::Item | Tag::TableCell) {
            self.directions.begin_text();
        }
        let (open, close) = match tag {
            Tag::Paragraph => ("<p dir=\"auto\">", "</p>\n"),
            Tag::Heading { level, .. } => match self.flow.outline.place(level as u8) {
                2 => ("<h2 dir=\"auto\">", "</h2>\n"),
                3 => ("<h3 dir=\"auto\">", "</h3>\n"),
                4 => ("<h4 dir=\"auto\">", "</h4>\n"),
                5 => ("<h5 dir=\"auto\">", "</h5>\n"),
                _ => ("<h6 dir=\"auto\">", "</h6>\n"),
            },
            Tag::BlockQuote(kind) => return self.open_quote(kind),
            Tag::HtmlBlock => ("<p dir=\"auto\" class=\"raw-html\">", "</p>\n"),
            Tag::List(first) => return self.open_list(first),
            // Items have the direction of their list: their markers stand in its margin.
            Tag::Item => ("<li>", "</li>\n"),
            Tag::FootnoteDefinition(name) => {
                let source_text = self.source_text(&name);
                self.out.push_str("<div class=\"footnote\"><sup>");
                push_text(self.out, source_text, TextContext::Prose);
                self.out.push_str("</sup>");
                return Closing::With("</div>\n");
            }
            Tag::Table(alignments) => {
                self.table = Table::open(alignments, self.out);
                self.directions.open(self.out, self.flow.direction);
                self.out.push('>');
                return Closing::Directed("</tbody></table></div>\n");
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
            _ => return Closing::Unopened,
        };
        self.out.push_str(open);
        Closing::With(close)
    }

    fn open_list(&mut self, first: Option<u64>) -> Closing {
        self.out.push_str(if first.is_none() { "<ul" } else { "<ol" });
        self.directions.open(self.out, self.flow.direction);
        if let Some(first) = first.filter(|first| *first != 1) {
            self.out.push_str(&format!(" start=\"{first}\""));
        }
        self.out.push_str(">\n");
        Closing::Directed(if first.is_none() { "</ul>\n" } else { "</ol>\n" })
    }

    fn open_quote(&mut self, kind: Option<BlockQuoteKind>) -> Closing {
        self.out.push_str("<blockquote");
        self.directions.open(self.out, self.flow.direction);
        let alert = kind.map(|kind| match kind {
            BlockQuoteKind::Note => ("note", key!("chat.markdown.note")),
            BlockQuoteKind::Tip => ("tip", key!("chat.markdown.tip")),
            BlockQuoteKind::Important => ("important", key!("chat.markdown.important")),
            BlockQuoteKind::Warning => ("warning", key!("chat.markdown.warning")),
            BlockQuoteKind::Caution => ("caution", key!("chat.markdown.caution")),
        });
        match alert {
            None => self.out.push_str(">\n"),
            Some((class, label)) => {
                self.out.push_str(&format!(" class=\"alert {class}\"><p><strong>"));
                push_reference(self.out, label);
                self.out.push_str("</strong></p>\n");
            }
        }
        Closing::Directed("</blockquote>\n")
    }

    fn open_link(&mut self, address: &str) -> Closing {
        // A nested link would close the outer one in the browser.
        let Some(target) = Target::parse(self.source_text(address)).filter(|_| self.open_links == 0) else {
            return Closing::Unopened;
        };
        target.push_open(self.out, None);
        self.open_links += 1;
        Closing::Link
    }

    fn end(&mut self) {
        let Some(closing) = self.open_elements.pop() else { return };
        match closing {
            Closing::Unopened => {}
            Closing::With(markup) => self.push_markup(markup),
            Closing::Directed(markup) => {
                self.push_markup(markup);
                self.directions.close(&mut self.flow.direction);
            }
            Closing::Link => {
                self.push_markup("</a>");
                self.open_links -= 1;
            }
            Closing::Image => self.close_image(),
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

    fn close_image(&mut self) {
        let Some(Image { target, alt }) = self.images.pop() else { return };
        if let Some(outer) = self.images.last_mut() {
            return outer.alt.push_str(&alt);
        }
        self.flush();
        let link = target.as_ref().filter(|_| self.open_links == 0);
        match link {
            Some(target) => target.push_open(self.out, Some("image-chip")),
            None => self.out.push_str("<span class=\"image-chip\">"),
        }
        push_reference(self.out, key!("chat.markdown.image"));
        self.out.push(' ');
        match alt.trim() {
            "" => push_reference(self.out, key!("chat.markdown.untitled")),
            alt => push_text(self.out, alt, TextContext::Prose),
        }
        if let Some(target) = &target {
            self.out.push_str(" (");
            push_text(self.out, target.host(), TextContext::Prose);
            self.out.push(')');
        }
        self.out.push_str(if link.is_some() { "</a>" } else { "</span>" });
    }

    fn push_text(&mut self, text: &str, range: Range<usize>) {
        let source_text = self.source_text(text);
        if let Some((_, code)) = &mut self.code {
            return code.push_str(source_text);
        }
        if source_text.len() != range.len() {
            return self.push_prose(source_text);
        }
        let (source, formulas) = (self.source, self.formulas);
        let mut at = range.start;
        let next = formulas.partition_point(|formula| formula.range.end <= at);
        for formula in formulas[next..].iter().take_while(|formula| formula.range.start < range.end) {
            self.push_prose(source.get(at..formula.range.start).unwrap_or_default());
            self.push_formula(formula);
            at = formula.range.end;
        }
        self.push_prose(source.get(at..range.end).unwrap_or_default());
    }

    /// Shows HTML as text, except for line breaks.
    fn push_html(&mut self, html: &str, range: Range<usize>) {
        if matches!(html, "<br>" | "<br/>" | "<br />") && self.images.is_empty() {
            self.push_markup("<br>");
        } else {
            self.push_text(html, range);
        }
    }

    fn push_formula(&mut self, formula: &Formula) {
        let latex = formula.latex(self.source);
        if !self.images.is_empty() {
            return self.push_prose(&latex);
        }
        self.flush();
        match formula.kind {
            FormulaKind::Open => push_source(self.out, latex.trim()),
            kind => push_math(self.out, &latex, kind == FormulaKind::Display),
        }
    }

    /// Within an image, everything becomes part of its alternative text.
    fn push_alt_text(&mut self, event: &Event<'_>) {
        match event {
            Event::Code(text) | Event::FootnoteReference(text) => {
                let text = self.source_text(text).to_owned();
                self.push_prose(&text);
            }
            _ => self.push_prose(" "),
        }
    }

    fn push_element(&mut self, open: &str, text: &str, close: &str) {
        let source_text = self.source_text(text);
        self.flush();
        self.out.push_str(open);
        push_text(self.out, source_text, TextContext::Code);
        self.out.push_str(close);
    }

    fn push_markup(&mut self, markup: &str) {
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
            self.directions.read(self.out, &self.prose, &mut self.flow.direction);
            push_prose(self.out, &self.prose, self.open_links == 0);
            self.prose.clear();
        }
    }
}
