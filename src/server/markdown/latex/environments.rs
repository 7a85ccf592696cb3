//! LaTeX environments, and their equivalents that the converter supports.

/// The replacement of an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Environment {
    pub(super) begin: &'static str,
    pub(super) end: &'static str,
    /// Whether its rows are numbered, so that they may have tags.
    pub(super) is_numbered: bool,
    /// Whether a column count follows the name. It is ignored.
    pub(super) has_column_count: bool,
    /// Whether the environment is unknown. Its name is then shown.
    pub(super) is_unknown: bool,
}

/// The replacement for an environment. `None` if it cannot be shown.
pub(super) fn find_environment(name: &str) -> Option<Environment> {
    let plain = Environment {
        begin: "\\begin{matrix}",
        end: "\\end{matrix}",
        is_numbered: false,
        has_column_count: false,
        is_unknown: false,
    };
    macro_rules! named {
        ($name:literal) => {
            Environment { begin: concat!("\\begin{", $name, "}"), end: concat!("\\end{", $name, "}"), ..plain }
        };
    }
    Some(match name {
        "align" | "eqnarray" | "flalign" => Environment { is_numbered: true, ..named!("align") },
        "align*" | "eqnarray*" | "flalign*" => Environment { is_numbered: true, ..named!("align*") },
        "alignat" | "xalignat" => Environment { is_numbered: true, has_column_count: true, ..named!("align") },
        "alignat*" | "xalignat*" => Environment { is_numbered: true, has_column_count: true, ..named!("align*") },
        "equation" => Environment { is_numbered: true, ..named!("equation") },
        "equation*" => Environment { is_numbered: true, ..named!("equation*") },
        "gather" => Environment { is_numbered: true, ..named!("gather") },
        "gather*" | "multline*" => Environment { is_numbered: true, ..named!("gather*") },
        "multline" => Environment { is_numbered: true, ..named!("multline") },
        "aligned" | "split" => named!("aligned"),
        "alignedat" => Environment { has_column_count: true, ..named!("aligned") },
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
        // Commutative diagrams need a layout of their own, and documents are not formulas.
        "CD" | "tikzcd" | "tikzpicture" | "picture" | "document" | "itemize" | "enumerate" => return None,
        _ => Environment { is_unknown: true, ..plain },
    })
}
