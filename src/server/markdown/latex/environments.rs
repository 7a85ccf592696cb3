//! Environments, and what the converter knows in their place.

/// What is written at the ends of an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Environment {
    pub(super) begin: &'static str,
    pub(super) end: &'static str,
    /// Whether its rows have numbers, so that they may have tags.
    pub(super) has_numbers: bool,
    /// Whether a number of columns follows its name, of no effect here.
    pub(super) has_count: bool,
    /// Whether its name is shown, because nothing is known about it.
    pub(super) is_unknown: bool,
}

/// The environment of a name; `None` where it cannot be shown.
pub(super) fn environment(name: &str) -> Option<Environment> {
    let plain = Environment {
        begin: "\\begin{matrix}",
        end: "\\end{matrix}",
        has_numbers: false,
        has_count: false,
        is_unknown: false,
    };
    macro_rules! named {
        ($name:literal) => {
            Environment { begin: concat!("\\begin{", $name, "}"), end: concat!("\\end{", $name, "}"), ..plain }
        };
    }
    Some(match name {
        "align" | "eqnarray" | "flalign" => Environment { has_numbers: true, ..named!("align") },
        "align*" | "eqnarray*" | "flalign*" => Environment { has_numbers: true, ..named!("align*") },
        "alignat" | "xalignat" => Environment { has_numbers: true, has_count: true, ..named!("align") },
        "alignat*" | "xalignat*" => Environment { has_numbers: true, has_count: true, ..named!("align*") },
        "equation" => Environment { has_numbers: true, ..named!("equation") },
        "equation*" => Environment { has_numbers: true, ..named!("equation*") },
        "gather" => Environment { has_numbers: true, ..named!("gather") },
        "gather*" | "multline*" => Environment { has_numbers: true, ..named!("gather*") },
        "multline" => Environment { has_numbers: true, ..named!("multline") },
        "aligned" | "split" => named!("aligned"),
        "alignedat" => Environment { has_count: true, ..named!("aligned") },
        "gathered" | "lgathered" | "rgathered" => named!("gathered"),
        "array" | "tabular" => named!("array"),
        "darray" => named!("darray"),
        "subarray" => named!("subarray"),
        "cases" | "cases*" => named!("cases"),
        "dcases" | "dcases*" => named!("dcases"),
        "rcases" => named!("rcases"),
        "drcases" => named!("drcases"),
        "matrix" | "matrix*" | "smallmatrix" => plain,
        "pmatrix" | "pmatrix*" | "psmallmatrix" => named!("pmatrix"),
        "bmatrix" | "bmatrix*" | "bsmallmatrix" => named!("bmatrix"),
        "Bmatrix" | "Bmatrix*" | "Bsmallmatrix" => named!("Bmatrix"),
        "vmatrix" | "vmatrix*" | "vsmallmatrix" => named!("vmatrix"),
        "Vmatrix" | "Vmatrix*" | "Vsmallmatrix" => named!("Vmatrix"),
        "math" | "displaymath" | "subequations" | "center" => Environment { begin: "{", end: "}", ..plain },
        // Diagrams of arrows need a layout of their own; documents are no formulas.
        "CD" | "tikzcd" | "tikzpicture" | "picture" | "document" | "itemize" | "enumerate" => return None,
        _ => Environment { is_unknown: true, ..plain },
    })
}
