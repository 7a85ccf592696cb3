//! QR codes as inline SVG.
//!
//! The renderer of `qrcode` writes a document with a fixed size and colours. This one takes both from the page.

use std::fmt::Write;

use qrcode::{Color, QrCode};

use crate::server::fault::Fault;

/// Width of the quiet zone, in modules.
const QUIET_ZONE: usize = 4;

/// The text as an `svg` element without a fixed size, its dark modules in the current colour. It includes the quiet
/// zone; the page must only provide a light background.
pub(super) fn svg(text: &str) -> Result<String, Fault> {
    let code = QrCode::new(text).map_err(Fault::internal)?;
    let (width, colors) = (code.width(), code.to_colors());
    let side = width + 2 * QUIET_ZONE;
    let mut path = String::new();
    for (y, row) in colors.chunks(width).enumerate() {
        let mut x = 0;
        // Adjacent dark modules of a row are drawn as one, so that no gaps appear between them.
        for run in row.chunk_by(|one, other| one == other) {
            if run[0] == Color::Dark {
                // Writing to a string does not fail.
                let _ = write!(path, "M{} {}h{}v1h-{}z", x + QUIET_ZONE, y + QUIET_ZONE, run.len(), run.len());
            }
            x += run.len();
        }
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\" \
         role=\"img\" aria-label=\"QR code for the authenticator app\"><path fill=\"currentColor\" d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Renders the path into a grid again.
    fn dark_modules(svg: &str) -> Vec<(usize, usize)> {
        let path = svg.split(" d=\"").nth(1).expect("a path").split('"').next().expect("its end");
        let mut dark = Vec::new();
        for run in path.split('M').skip(1) {
            let (x, rest) = run.split_once(' ').expect("x");
            let (y, rest) = rest.split_once('h').expect("y");
            let (x, y): (usize, usize) = (x.parse().expect("a number"), y.parse().expect("a number"));
            let length: usize = rest.split('v').next().expect("a length").parse().expect("a number");
            dark.extend((x..x + length).map(|x| (x - QUIET_ZONE, y - QUIET_ZONE)));
        }
        dark
    }

    #[test]
    fn svg_draws_the_code_without_fixed_size_or_colour() {
        let svg =
            svg("otpauth://totp/Colloquy:ada%40example.org?secret=JBSWY3DPEHPK3PXP&issuer=Colloquy").expect("a code");
        assert!(!svg.contains("width=") && !svg.contains("height=") && svg.contains("currentColor"), "{svg}");
        let code = QrCode::new("otpauth://totp/Colloquy:ada%40example.org?secret=JBSWY3DPEHPK3PXP&issuer=Colloquy");
        let code = code.expect("a code");
        let expected: Vec<_> = (0..code.width())
            .flat_map(|y| (0..code.width()).map(move |x| (x, y)))
            .filter(|at| code[*at] == Color::Dark)
            .collect();
        assert_eq!(dark_modules(&svg), expected);
    }
}
