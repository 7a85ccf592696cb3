//! The supported LaTeX commands: all of KaTeX's except the excluded ones.

use super::{super::render, assert_harmless, parse, text_of};

/// The names of KaTeX's commands: without arguments, with one, two or three arguments, and in text.
const KATEX: &str = include_str!("katex.txt");

/// Commands and environments of KaTeX that need a specific context.
const SAMPLES: &[&str] = &[
    r"\big( \Big[ \bigg\{ \Bigg| x \bigl( \bigr) \Bigl( \Bigr) \biggl( \biggr) \Biggl( \Biggr)",
    r"\left( \frac{1}{2} \middle| x \right] \left. x \right|",
    r"\begingroup x \endgroup \bgroup y \egroup",
    r"\begin{array}{c|c} a & b \\ \hline c & d \\ \hdashline e & f \end{array}",
    r"\begin{matrix} a & b \cr c & d \end{matrix}",
    r"\genfrac{(}{)}{0pt}{}{n}{k} a \hskip1em b \hspace{1em} c \kern1em d \mkern1mu e \mskip1mu f",
    r"\sum\limits_{i}^{n} \int\nolimits_0^1 \idotsint \iiiint",
    r"\mathchoice{a}{b}{c}{d} \raisebox{1em}{x} \verb|x|",
    r"\boxed{42} \boxed{\frac{a}{b}} \fbox{text} \textcolor{red}{x} {\color{#00f} y} \colorbox{red}{x} \fcolorbox{red}{blue}{x}",
    r"\underbrace{a + b}_{\text{sum}} \overbrace{a + b}^{n} \xrightarrow[below]{above} \overset{a}{b} \underset{a}{b} \stackrel{?}{=}",
    r"\sum_{\substack{i < n \\ j < m}} x \operatorname{tr} A \operatorname*{argmin}_x \mathop{\mathrm{lim}}_x",
    r"\cancel{x} \bcancel{x} \xcancel{x} \sout{x} \not= \not\in \pmod{n} a \bmod b",
    r"\frac12 \dfrac{a}{b} \tfrac{a}{b} \cfrac{1}{1 + \cfrac{1}{x}} \binom{n}{k} {n \choose k} {a \over b}",
    r"\begin{align} a &= b \label{x} \\ c &= d \tag{1} \nonumber \end{align}",
    r"\begin{align*} a &= b \\ c &= d \end{align*} \begin{aligned}[t] a &= b \end{aligned}",
    r"\begin{equation} \begin{split} a &= b \\ &= c \end{split} \end{equation} \begin{equation*} a \end{equation*}",
    r"\begin{gather} a \\ b \end{gather} \begin{gather*} a \end{gather*} \begin{gathered} a \end{gathered}",
    r"\begin{alignat}{2} a &= b & c &= d \end{alignat} \begin{alignedat}{2} a &= b \end{alignedat}",
    r"\begin{cases} a & b \\ c & d \end{cases} \begin{dcases} a \end{dcases} \begin{rcases} a \end{rcases}",
    r"\begin{pmatrix} a \end{pmatrix} \begin{bmatrix} a \end{bmatrix} \begin{Bmatrix} a \end{Bmatrix}",
    r"\begin{vmatrix} a \end{vmatrix} \begin{Vmatrix} a \end{Vmatrix} \begin{smallmatrix} a & b \\ c & d \end{smallmatrix}",
    r"\begin{bmatrix*}[r] a \end{bmatrix*} \begin{bmatrix} [1] & 2 \\[2pt] 3 & 4 \end{bmatrix}",
    r"E = mc^2 \tag{1} \label{eq} \text{by \eqref{eq}} \eqref{eq} \ref{eq}",
    r"\text{a $x$ b} \text{50\%} \textbf{b} \mbox{c} \text{velocity \vec{v}} \text{naïve – 中文}",
    r"\DeclareMathOperator{\Tr}{Tr} \Tr A \DeclareMathOperator*{\argmax}{arg\,max} \argmax_x",
    r"\ce{2H2 + O2 -> 2H2O} \ce{SO4^2- + Ba^2+ -> BaSO4 v} \ce{^{227}_{90}Th+} \ce{A <=>[a][b] B} \pu{1.5e3 kJ/mol}",
    r"\ce{CuSO4.5H2O} \ce{[Cu(NH3)4]^{2+}} \ce{CH3-CH=CH2 (aq)} \ce{CO2 ^} \ce{Fe^{III}} \ce{1/2O2} \ce{A ->[\Delta] B}",
    r"\mathbb{R} \mathcal{L} \mathfrak{g} \mathscr{F} \mathbf{x} \boldsymbol{\alpha} \mathrm{d}x \mathsf{x} \mathtt{x} \bm{x}",
    r"\Set{x | x > 0} \Braket{a | b} \bra{a} \ket{b} \cancelto{0}{x} \hat x \widehat{xy} \widetilde{xy} \vec{AB} \overrightarrow{AB}",
    r"\lim_{x \to 0} \limsup \sin x \log_2 n \sqrt[3]{x} x' x'' x^{\prime} \ldots \cdots \vdots \ddots \quad \qquad \, \; \: \! \ ",
];

/// Commands of KaTeX that are not supported: definitions, HTML and addresses, diagrams, and commands that only print or
/// measure.
const UNSUPPORTED: &[&str] = &[
    "TextOrMath",
    "blue",
    "errmessage",
    "expandafter",
    "futurelet",
    "gray",
    "grayH",
    "grayI",
    "green",
    "href",
    "htmlClass",
    "htmlId",
    "htmlStyle",
    "includegraphics",
    "kaGreen",
    "let",
    "mathreflectbox",
    "message",
    "noexpand",
    "orange",
    "pink",
    "providecommand",
    "purple",
    "red",
    "reflectbox",
    "renewcommand",
    "show",
    "textcircled",
    "url",
];

/// Describes what is wrong with a formula that should render. `None` if it renders.
fn rendering_error(latex: &str) -> Option<String> {
    let html = render(&format!("$${latex}$$"));
    assert_harmless(&html, latex);
    let shown = text_of(&parse(&html).document);
    let is_good = html.contains("<math") && (!shown.contains('\\') || latex.contains("backslash"));
    (!is_good).then(|| format!("{latex} gives {shown}"))
}

#[test]
fn katex_commands_render_as_mathml() {
    let mut errors: Vec<String> = SAMPLES.iter().filter_map(|sample| rendering_error(sample)).collect();
    for line in KATEX.lines().filter(|line| !line.starts_with('#')) {
        let (kind, names) = line.split_once(": ").expect("a kind and names");
        errors.extend(names.split_whitespace().filter(|name| !UNSUPPORTED.contains(name)).filter_map(|name| {
            rendering_error(&match kind {
                "alone" => format!("\\{name} x"),
                "one" => format!("\\{name}{{x}}"),
                "two" => format!("\\{name}{{x}}{{y}}"),
                _ => format!("\\text{{\\{name} x}}"),
            })
        }));
    }
    assert_eq!(errors, [""; 0]);
}

#[test]
fn an_unknown_command_does_not_affect_the_rest() {
    for (latex, shown) in [
        ("x + \\foo{y} = \\frac{1}{2}", "\\foo"),
        ("\\begin{foo} a & b \\\\ c & d \\end{foo}", "\\begin{foo}"),
        ("\\text{a \\foo b} + 1", "\\foo"),
        ("\\boxed{\\foo}", "\\foo"),
    ] {
        let html = render(&format!("$${latex}$$"));
        assert!(html.contains("<math") && !html.contains("math-error") && !html.contains("merror"), "{html}");
        assert!(text_of(&parse(&html).document).contains(shown), "{html}");
    }
}

#[test]
fn row_65_forbidden_commands_are_shown_as_source() {
    for latex in [r"\href{javascript:alert(1)}{x}", r"\boxed{\def\a{\a\a}\a}", r"\text{$\url{x}$}", r"\ce{\href{a}{b}}"]
    {
        let html = render(&format!("${latex}$"));
        assert!(!html.contains("<math") || !html.contains("<a "), "{html}");
        assert_harmless(&html, latex);
    }
}
