//! What a person chose for their own pages.

use serde::{Deserialize, Serialize};

/// What a person chose for their own pages, and what there is to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The tag of the language that pages and mails are written in, after BCP 47.
    pub language: String,
    /// Every language: its tag, and its name as its speakers write it.
    pub languages: Vec<(String, String)>,
    /// The name of the time zone; empty for what the browser says.
    pub time_zone: String,
    /// The names of all time zones.
    pub zones: Vec<String>,
    /// The version of the picture; 0 where there is none.
    pub picture: i64,
}
