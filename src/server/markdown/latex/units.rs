//! Physical quantities as the package mhchem writes them: `\pu{1.5e3 kJ/mol}`.

/// Converts the argument of `\pu{…}`, a number and its unit, to LaTeX.
pub(super) fn convert(source: &str) -> String {
    let source = source.trim();
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '+' | '-' | '−' | '(' | ')' | '±');
    let length: usize = source.chars().take_while(|c| is_number(*c)).map(char::len_utf8).sum();
    let (number, rest) = source.split_at(length);
    let mut out = number.replace('±', "\\pm ").replace('−', "-");
    let exponent = rest.strip_prefix(['e', 'E']).map(|rest| {
        let length = rest.bytes().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+')).count();
        rest.split_at(length)
    });
    let rest = match exponent {
        Some((power, rest)) if !power.is_empty() => {
            out.push_str(&format!("\\times 10^{{{power}}}"));
            rest
        }
        _ => rest,
    };
    if !out.is_empty() && !rest.is_empty() {
        out.push_str("\\,");
    }
    push_unit(&mut out, rest.trim_start());
    out
}

fn push_unit(out: &mut String, unit: &str) {
    let mut rest = unit;
    while let Some(c) = rest.chars().next() {
        let is_power = c == '^' || ((c == '-' || c.is_ascii_digit()) && out.ends_with('}'));
        let mut length = c.len_utf8();
        match c {
            _ if is_power => {
                let digits = rest.trim_start_matches('^').trim_start_matches('{');
                let power =
                    digits.bytes().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+')).count();
                out.push_str(&format!("^{{{}}}", &digits[..power]));
                let after = &digits[power..];
                length = rest.len() - after.strip_prefix('}').unwrap_or(after).len();
            }
            '/' => {
                out.push('/');
                length = if rest.starts_with("//") { 2 } else { 1 };
            }
            '*' | '.' | '·' => out.push_str("{\\cdot}"),
            '%' => out.push_str("\\%"),
            '°' => out.push_str("{}^{\\circ}"),
            '\\' => {
                length = 1 + super::name_length(&rest[1..]).unwrap_or(0);
                out.push_str(&rest[..length]);
                out.push(' ');
            }
            c if c.is_whitespace() => out.push_str("\\,"),
            c if c.is_alphabetic() => {
                length = rest.chars().take_while(|c| c.is_alphabetic()).map(char::len_utf8).sum();
                out.push_str(&format!("\\mathrm{{{}}}", &rest[..length]));
            }
            '{' | '}' | '&' | '#' | '$' | '_' | '~' => {}
            c => out.push(c),
        }
        rest = &rest[length..];
    }
}

#[cfg(test)]
mod tests {
    use super::convert;

    #[test]
    fn quantities() {
        for (source, latex) in [
            ("9.8 m s^-2", r"9.8\,\mathrm{m}\,\mathrm{s}^{-2}"),
            ("123 kJ/mol", r"123\,\mathrm{kJ}/\mathrm{mol}"),
            ("1.2e3 J", r"1.2\times 10^{3}\,\mathrm{J}"),
            ("25 °C", r"25\,{}^{\circ}\mathrm{C}"),
        ] {
            assert_eq!(convert(source), latex, "{source}");
        }
    }
}
