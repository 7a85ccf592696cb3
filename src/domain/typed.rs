//! What goes back into a form that failed without scripts.

/// What somebody typed into a form, as far as it may be kept for a minute: never a password, a code or a token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Typed {
    /// The path that the form was sent to.
    pub form: String,
    /// The names of inputs, and what stood in them.
    pub fields: Vec<(String, String)>,
}
