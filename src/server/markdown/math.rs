//! Converts LaTeX to MathML. Only allowed elements and attributes reach the page.

use std::{panic::AssertUnwindSafe, sync::LazyLock, thread};

use math_core::{LatexToMathML, MathCoreConfig, MathDisplay};

use super::{
    escape::{TextContext, push_text},
    latex, mathml,
};

/// The maximum length of a formula, in bytes.
const MAX_FORMULA_BYTES: usize = 8_192;
/// Formulas with at most this many commands, groups and scripts are converted on the caller's stack.
const MAX_SHALLOW_COMMANDS: usize = 48;
/// The maximum number of commands, groups and scripts in a formula.
const MAX_COMMANDS: usize = 1_500;
/// The stack size in bytes of the thread that converts the other formulas. The converter recurses at most once per
/// command, group or script.
const STACK_BYTES: usize = 64 << 20;

static CONVERTER: LazyLock<LatexToMathML> = LazyLock::new(|| {
    // Unknown commands are shown by name; the rest of the formula is still rendered.
    let config = MathCoreConfig { ignore_unknown_commands: true, ..MathCoreConfig::default() };
    LatexToMathML::new(config).expect("a configuration without macros, of which none could be wrong")
});

/// Appends a formula as MathML, or its source if it cannot be converted.
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

/// Appends the source of a formula that cannot be converted.
pub(super) fn push_source(out: &mut String, latex: &str) {
    out.push_str("<code class=\"math-error\">");
    push_text(out, latex, TextContext::Code);
    out.push_str("</code>");
}

fn convert(latex: &str, display: bool) -> Option<String> {
    if latex.is_empty() || latex.len() > MAX_FORMULA_BYTES || latex.contains('\0') {
        return None;
    }
    let latex = &latex::translate(latex)?;
    let commands =
        latex.bytes().filter(|byte| matches!(byte, b'\\' | b'{' | b'[' | b'^' | b'_' | b'\'' | b'&')).count();
    if latex.len() > 4 * MAX_FORMULA_BYTES || commands > MAX_COMMANDS {
        return None;
    }
    let mathml = if commands <= MAX_SHALLOW_COMMANDS {
        convert_on_this_thread(latex, display)
    } else {
        convert_on_large_stack(latex, display)
    }?;
    mathml::sanitize(&mathml)
}

/// Converts a formula on a thread with a larger stack. A formula can be nested as deeply as it is long, and a stack
/// overflow would abort the server.
fn convert_on_large_stack(latex: &str, display: bool) -> Option<String> {
    thread::scope(|scope| {
        thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || convert_on_this_thread(latex, display))
            .ok()?
            .join()
            .ok()
            .flatten()
    })
}

fn convert_on_this_thread(latex: &str, display: bool) -> Option<String> {
    let style = if display { MathDisplay::Block } else { MathDisplay::Inline };
    // The converter keeps no state between formulas, so a panic affects only this formula.
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
    fn row_65_commands_with_side_effects_are_errors() {
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
    fn row_64_deep_nesting_does_not_crash() {
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
