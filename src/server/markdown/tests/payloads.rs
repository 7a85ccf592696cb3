//! Malicious texts: rows 59 to 63 and 65, X01, X06.

use super::{
    super::{LiveText, render},
    assert_harmless, in_english, text_content,
};

/// Each payload represents a class of attacks on Markdown renderers. All are checked on their own and inside other
/// constructs.
pub(super) const PAYLOADS: &[&str] = &[
    // Link schemes.
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](<java\nscript:alert(1)>)",
    "[x](&#106;avascript:alert(1))",
    "[x](&#x6A;avascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](javascript&#58;alert(1))",
    "[x](\u{1}javascript:alert(1))",
    "[x]( javascript:alert(1))",
    "[x](%20javascript:alert(1))",
    "[x](javascript://%0aalert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](livescript:x)",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](data:image/svg+xml,<svg/onload=alert(1)>)",
    "[x](file:///etc/passwd)",
    "[x](blob:https://a.example/1)",
    "[x](filesystem:http://a.example/x)",
    "[x](view-source:https://a.example)",
    "[x](jar:https://a.example!/x)",
    "[x](about:blank)",
    "[x](intent://a#Intent;end)",
    "[x](ms-word:ofe|u|x)",
    "[x](tel:1)",
    "[x](//evil.example)",
    "[x](\\\\evil.example)",
    "[x](https:evil.example)",
    "[x](https://good@evil.example)",
    "[x](https://evil.example\\@good)",
    "[x](/logout)",
    "[x](?delete=1)",
    "[x](#location)",
    "[x](.)",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    "<vbscript:x>",
    "<JAVASCRIPT:alert(1)>",
    "[x][1]\n\n[1]: javascript:alert(1)",
    "[x]\n\n[x]: data:text/html,x",
    "[x][y]\n\n[y]: <java\tscript:alert(1)> \"t\"",
    "[x](mailto:a@b.example?bcc=x%0d%0ay)",
    "[x](https://a.example/\"onmouseover=alert(1)//)",
    "[x](<https://a.example/\" onmouseover=\"alert(1)>)",
    "[x](https://a.example 'x\" onclick=\"alert(1)')",
    "[x](https://a.example \"\\\" onclick=alert(1) x=\\\"\")",
    "https://a.example/\"onmouseover=\"alert(1)",
    "https://a.example/<script>alert(1)</script>",
    "https://a.example/'><img src=x onerror=alert(1)>",
    "http://javascript:alert(1)",
    "https://a.example/?x=javascript:alert(1)",
    "[a [b](javascript:x) c](https://a.example)",
    "[![x](javascript:a)](javascript:b)",
    "[<https://a.example>](https://b.example)",
    // Images.
    "![x](https://evil.example/x.png)",
    "![\" onerror=\"alert(1)](https://evil.example/x)",
    "![x](x \"\\\" onerror=\\\"alert(1)\")",
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "![x][i]\n\n[i]: https://evil.example/?secret",
    "![<img src=x onerror=alert(1)>](https://evil.example)",
    "![![a](https://b.example)](https://c.example)",
    "![`a` *b* $c$ <b>](https://d.example)",
    "![](https://evil.example/track.gif)",
    // HTML.
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example></ScRiPt>",
    "<img src=x onerror=alert(1)>",
    "<img src=https://evil.example/x>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href=javascript:alert(1)>x</a></svg>",
    "<svg><animate attributeName=href values=javascript:alert(1)>",
    "<svg><use href=data:image/svg+xml,x>",
    "<svg><foreignObject><iframe></iframe></foreignObject></svg>",
    "<math><annotation-xml encoding=text/html><img src=x onerror=alert(1)></annotation-xml></math>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<math href=javascript:alert(1)>x</math>",
    "<style>body{background:url(https://evil.example)}</style>",
    "<style>@import 'https://evil.example'</style>",
    "<base href=https://evil.example>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<link rel=stylesheet href=https://evil.example>",
    "<link rel=prefetch href=https://evil.example>",
    "<form action=https://evil.example><input name=x><button>go</button></form>",
    "<input autofocus onfocus=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=x></object>",
    "<embed src=x>",
    "<applet code=x>",
    "<video src=x onerror=alert(1)>",
    "<audio src=x>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<textarea></textarea><script>alert(1)</script>",
    "<title></title><script>alert(1)</script>",
    "<xmp><script>alert(1)</script></xmp>",
    "<plaintext>",
    "<listing>x</listing>",
    "<marquee onstart=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<dialog open>x</dialog>",
    "<body onload=alert(1)>",
    "<frameset onload=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='https://a.example' onclick=alert(1)>x</a>",
    "<div style=position:fixed>x</div>",
    "<p id=location>x</p>",
    "<a name=__proto__>x</a>",
    "<img name=constructor>",
    "<!--<script>-->",
    "<!-- a --><img src=x onerror=alert(1)><!-- -->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php echo 1 ?>",
    "<!DOCTYPE html>",
    "<x onpointerenter=alert(1)>x</x>",
    "<br onclick=alert(1)>",
    "<br/ onclick=alert(1)>",
    "<BR>",
    "a<br>b<br/>c<br />d",
    "</p></div></body></html><script>alert(1)</script>",
    "</code></pre><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "]]>",
    "{{7*7}}",
    "${alert(1)}",
    "<%= 7*7 %>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img src=x onerror=alert(1)&#62;",
    "\\<script\\>alert(1)",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<\u{0}script>alert(1)</script>",
    "<img/src=x/onerror=alert(1)>",
    "<a\u{2028}href=javascript:x>",
    "\u{feff}<script>alert(1)</script>",
    "<table><tr><td background=javascript:x>",
    "<font color=red>x</font>",
    "<portal src=https://evil.example>",
    "<slot name=x>",
    "<select><option>x",
    "<noembed><img>",
    "<keygen autofocus>",
    // Code.
    "```<script>alert(1)</script>\nx\n```",
    "```\" onclick=\"alert(1)\nx\n```",
    "```html\n<script>alert(1)</script><img src=x onerror=alert(1)>\n```",
    "~~~a b c d <b>\n</code></pre><img src=x onerror=alert(1)>\n~~~",
    "`<img src=x onerror=alert(1)>`",
    "``<script>`alert(1)`</script>``",
    "    <script>alert(1)</script>",
    "```js\n\"</span><script>alert(1)</script>\n```",
    "```svg\n<svg onload='alert(1)'>\n```",
    "```mermaid\n%%{init: {'securityLevel': 'loose'}}%%\ngraph TD; A-->B; click A \"javascript:alert(1)\"\n```",
    "```diff\n+<script>\n-</script>\n```",
    "```\nx\u{202E}y\u{2066}z\n```",
    // Mathematics.
    "$<img src=x onerror=alert(1)>$",
    "$$<script>alert(1)</script>$$",
    "$\\href{javascript:alert(1)}{x}$",
    "$\\url{javascript:x}$",
    "$\\text{<img src=x onerror=alert(1)>}$",
    "$\\color{\"onclick=x}y$",
    "$\\unicode{60}$",
    "$\\class{a\" onclick=\"x}{y}$",
    "$\\def\\a{\\a\\a}\\a$",
    "$\\newcommand{\\x}{\\x\\x}\\x$",
    "$\\input{/etc/passwd}$",
    "\\(\\text{</mtext><script>alert(1)</script>}\\)",
    "\\[\\label{\" onclick=x}\\tag{<b>}\\ref{x}\\]",
    "$\\operatorname{<svg/onload=x>}$",
    "$\\begin{array}{<script>}x\\end{array}$",
    "$\\style{color:red}{x}$",
    "\\[<iframe>\n- a\n\\]",
    "$\\texttt{\"><script>}$",
    "$$\\begin{align}a\\label{location}\\end{align}$$",
    "\\(a *b\\) c*",
    "*a \\(b* c\\) d",
    "$\\textsf{a}\\textsc{b}\\cancel{c}\\tag{d}$",
    "$\\mathrm{</math><img src=x onerror=x>}$",
    "$\\boxed{<img src=x onerror=alert(1)>}$",
    "$\\fbox{<script>alert(1)</script>}$",
    "$\\unknown{\" onclick=\"x}$",
    "$\\<script>x$",
    "$\\begin{<script>}x\\end{<script>}$",
    "$\\ce{<img src=x onerror=alert(1)> -> \\href{javascript:x}{y}}$",
    "$\\ce{A ->[</mtext><script>]B}$",
    "$\\pu{1 <b onclick=x>}$",
    "$\\textcolor{red\" onclick=\"x}{y}$",
    "$\\textcolor{url(javascript:x)}{y}$",
    "$\\color{#fff;background:url(x)}y$",
    "$\\tag{<img src=x>}\\ref{<b>}\\verb|<script>|$",
    "$\\text{a $<script>$ \\href{javascript:x}{y}}$",
    "$\\DeclareMathOperator{\\a}{<script>}\\a$",
    "- a\n  \\[\n  <script>alert(1)</script>\n\n  <img src=x onerror=y>\n  \\]",
    "> $$\n> </span><script>alert(1)</script>\n> $$",
    "<\\(x\\) onclick=y>",
    "<a href=$x$>z</a>",
    "文**<img src=x onerror=alert(1)>**字",
    "文**「<script>alert(1)</script>」**字",
    "[x](javascript:alert(1)**「」**文)",
    "文**[x](java**「s」**cript:alert(1))**字",
    "![文**「x」**字 $y$](javascript:alert(1))",
    // Structure.
    "| a | b |\n|---|:-:|\n| <script>alert(1)</script> | [x](javascript:y) |",
    "| `|` | \\| |\n|-|-|\n| ![x](javascript:z) | <br> |",
    "- [ ] <img src=x onerror=alert(1)>\n- [x] [y](javascript:z)",
    "# <script>alert(1)</script> {#location .x onclick=y}",
    "[^1]\n\n[^1]: <script>alert(1)</script>",
    "[^location]\n\n[^location]: [x](javascript:y)",
    "[^\"onclick]\n\n[^\"onclick]: x",
    "[^1] [^a-z] [x](footnote) [footnote]",
    "> [!NOTE]\n> <script>alert(1)</script>",
    "> [!IMPORTANT\" onclick=x]\n> y",
    "1. a\n   ```html\n   <script>\n   ```\n2. <img src=x onerror=y>",
    "99999999999. a",
    "x\n===\n<svg onload=alert(1)>\n---",
    "+++\ntitle: <script>\n+++",
    "---\ntitle: <script>\n---",
    "term\n: <script>",
    "[[javascript:alert(1)]]",
    "*[<b>]: x",
    "\u{202E}gnp.exe",
    "\u{E0041}\u{E0042}",
];

/// The contexts in which payloads are checked.
const CONTEXTS: &[(&str, &str)] = &[
    ("", ""),
    ("text before ", " text after\n\n"),
    ("- item\n  - ", "\n- next"),
    ("> ", "\n\nx"),
    ("**", "**"),
    ("| a |\n|---|\n| ", " |\n"),
    ("# ", "\n"),
    ("[", "](https://a.example)"),
];

#[test]
fn x01_x06_no_payload_becomes_markup() {
    assert!(PAYLOADS.len() >= 120, "{}", PAYLOADS.len());
    for payload in PAYLOADS {
        for (before, after) in CONTEXTS {
            let source = format!("{before}{payload}{after}");
            assert_harmless(&render(&source), &source);
        }
    }
}

#[test]
fn x01_no_payload_becomes_markup_while_it_is_streamed() {
    for payload in PAYLOADS {
        let mut live = LiveText::default();
        let (mut done, mut tail) = (String::new(), String::new());
        for c in payload.chars().chain("\n\nend".chars()) {
            live.push(c.encode_utf8(&mut [0; 4]));
            let delta = live.next_delta().expect("new text");
            done.push_str(&delta.done);
            assert_harmless(&delta.tail, payload);
            assert_harmless(&delta.done, payload);
            tail = delta.tail;
        }
        assert_harmless(&(done + &tail), payload);
    }
}

#[test]
fn row_61_html_is_shown_as_text() {
    for html in [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "a <b>c</b> d",
        "<!-- x -->",
        "<div>\n<p id=\"x\">y</p>\n</div>",
        "<br onclick=x>",
    ] {
        assert_eq!(text_content(&render(html)).trim_end(), html);
    }
}

#[test]
fn x02_images_are_not_loaded_but_named() {
    let html = render(
        "![A *chart*](https://evil.example/x.png?secret) ![](javascript:x) [![b](https://c.example/y)](https://d.example)",
    );
    insta::assert_snapshot!(in_english(&html));
}
