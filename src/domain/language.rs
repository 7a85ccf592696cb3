//! The languages of the pages.

use serde::{Deserialize, Serialize};

/// A language that people can choose. A further one is a variant here and a row in [`Language::ALL`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    /// Days before months, a clock of 24 hours.
    #[default]
    #[serde(rename = "en-GB")]
    BritishEnglish,
    /// Months before days, a clock of twice 12 hours.
    #[serde(rename = "en-US")]
    AmericanEnglish,
}

impl Language {
    /// Every language with its tag and its name, in the order in which they are offered.
    pub const ALL: [(Self, &'static str, &'static str); 2] = [
        (Self::BritishEnglish, "en-GB", "English (United Kingdom)"),
        (Self::AmericanEnglish, "en-US", "English (United States)"),
    ];

    /// The tag, after BCP 47.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::BritishEnglish => "en-GB",
            Self::AmericanEnglish => "en-US",
        }
    }

    /// The language with this tag.
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == tag).map(|(language, ..)| *language)
    }
}

/// What a person chose for their own pages, and what there is to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// How dates and times are written.
    pub language: Language,
    /// The name of the time zone; empty for what the browser says.
    pub time_zone: String,
    /// The names of all time zones.
    pub zones: Vec<String>,
    /// The version of the picture; 0 where there is none.
    pub picture: i64,
}
