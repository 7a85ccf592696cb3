//! LaTeX into MathML, of which only elements and attributes from a fixed list reach the page.

use std::{panic::AssertUnwindSafe, sync::LazyLock, thread};

use math_core::{LatexToMathML, MathCoreConfig, MathDisplay};

use super::{
    escape::{Place, push_text},
    latex, mathml,
};

/// The longest formula that is converted, in bytes.
const LONGEST: usize = 8_192;
/// Formulas with at most this many commands, groups and scripts are converted on the caller's stack.
const SHALLOW: usize = 48;
/// Formulas with more than this are not converted.
const DEEPEST: usize = 1_500;
/// The stack of the thread that converts the others: the converter recurses at most once per command, group or script.
const STACK: usize = 64 << 20;

static CONVERTER: LazyLock<LatexToMathML> = LazyLock::new(|| {
    // A command that is not known is shown by its name; the rest of the formula is mathematics.
    let config = MathCoreConfig { ignore_unknown_commands: true, ..MathCoreConfig::default() };
    LatexToMathML::new(config).expect("a configuration without macros, of which none could be wrong")
});

/// Appends a formula as MathML, or its source where it cannot be read.
pub(super) fn push_math(out: &mut String, latex: &str, display: bool) {
    let latex = latex.trim();
    match convert(latex, display) {
        Some(math) if display => {
            out.push_str("<span class=\"math-block\" tabindex=\"0\">");
            out.push_str(&math);
            out.push_str("</span>");
        }
        Some(math) => out.push_str(&math),
        None => push_source(out, latex),
    }
}

/// Appends the source of a formula that cannot be shown.
pub(super) fn push_source(out: &mut String, latex: &str) {
    out.push_str("<code class=\"math-error\">");
    push_text(out, latex, Place::Code);
    out.push_str("</code>");
}

fn convert(latex: &str, display: bool) -> Option<String> {
    if latex.is_empty() || latex.len() > LONGEST || latex.contains('\0') {
        return None;
    }
    let latex = &latex::translate(latex)?;
    let depth = latex.bytes().filter(|byte| matches!(byte, b'\\' | b'{' | b'[' | b'^' | b'_' | b'\'' | b'&')).count();
    if latex.len() > 4 * LONGEST || depth > DEEPEST {
        return None;
    }
    let mathml = if depth <= SHALLOW { run(latex, display) } else { run_apart(latex, display) }?;
    mathml::filter(&mathml)
}

/// A formula may be nested as deeply as it is long; its conversion must not end the server with a stack overflow.
fn run_apart(latex: &str, display: bool) -> Option<String> {
    thread::scope(|scope| {
        thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || run(latex, display)).ok()?.join().ok().flatten()
    })
}

fn run(latex: &str, display: bool) -> Option<String> {
    let style = if display { MathDisplay::Block } else { MathDisplay::Inline };
    // The converter keeps no state between formulas, so that a fault in it concerns this formula alone.
    let converted = std::panic::catch_unwind(AssertUnwindSafe(|| CONVERTER.convert_with_local_state(latex, style)));
    converted.ok()?.ok().map(|result| result.mathml)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inline(latex: &str) -> String {
        let mut out = String::new();
        push_math(&mut out, latex, false);
        out
    }

    #[test]
    fn formulas_become_mathml() {
        insta::assert_snapshot!(inline(r"x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}"));
        insta::assert_snapshot!(inline(r"\begin{cases} 1 & x < 0 \\ 0 & \text{otherwise} \end{cases}"));
        assert!(inline(r"\begin{align} a &= b \\ c &= d \end{align}").contains("<mtable"));
    }

    #[test]
    fn row_65_commands_that_would_do_something_are_errors() {
        for latex in [
            r"\input{/etc/passwd}",
            r"\href{javascript:alert(1)}{x}",
            r"\url{javascript:alert(1)}",
            r"\def\a{\a\a}\a",
            r"\newcommand{\a}{\a}\a",
            r"\require{html}",
            r"\htmlClass{x}{y}",
            r"\style{color:red}{x}",
            r"\class{x}{y}",
            r"\cssId{x}{y}",
            r"\includegraphics{x}",
            r"\unicode{x3c}",
        ] {
            assert!(inline(latex).starts_with("<code class=\"math-error\">"), "{latex}: {}", inline(latex));
        }
        assert_eq!(
            inline("<img src=x onerror=alert(1)> \\undefined{"),
            "<code class=\"math-error\">&lt;img src=x onerror=alert(1)&gt; \\undefined{</code>"
        );
        assert!(!inline("<img src=x onerror=alert(1)>").contains("<i"));
    }

    #[test]
    fn row_64_depth_does_not_end_the_program() {
        for unit in [
            r"\sqrt ",
            r"\frac1",
            "{",
            r"\left(",
            r"\sqrt{",
            r"\hat ",
            "x^{",
            "x_",
            r"\begin{matrix}",
            r"\text{",
            r"\color{red}",
            r"\mathbf ",
            r"\binom1",
            r"\overset a",
            r"\not",
            r"\sqrt[",
        ] {
            for count in [40, 400, 1_500, 20_000] {
                let out = inline(&unit.repeat(count));
                assert!(out.starts_with("<math>") || out.starts_with("<code "), "{unit} {count}");
            }
        }
    }
}
