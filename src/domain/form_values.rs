//! The values of a rejected form, for filling it in again without JavaScript.

/// The values that the user entered into a form. They are stored for a minute and never contain a password, code or
/// token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormValues {
    /// The path that the form was posted to.
    pub form: String,
    /// The names and values of inputs.
    pub fields: Vec<(String, String)>,
}
