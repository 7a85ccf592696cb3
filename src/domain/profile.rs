//! User preferences.

use serde::{Deserialize, Serialize};

/// The preferences of the user and the available options.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The BCP 47 tag of the language for pages and mails.
    pub language: String,
    /// All languages: the tag and the native name of each.
    pub languages: Vec<(String, String)>,
    /// The name of the time zone; empty to use the browser's.
    pub time_zone: String,
    /// The names of all time zones.
    pub zones: Vec<String>,
    /// The version of the profile picture; 0 without a picture.
    pub picture: i64,
}
