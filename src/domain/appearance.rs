//! How pages look in one browser: it is stored in a cookie there, not in the account, because screens and keyboards
//! differ.

/// The name of the cookie. Scripts of the page write it too (`src/app/listeners.js`).
pub const APPEARANCE_COOKIE: &str = "appearance";
/// The path of the server function that changes it, for forms.
pub const CHANGE_APPEARANCE: &str = "/api/change_appearance";

macro_rules! choice {
    ($(#[$meta:meta])* $choice:ident: $(#[$default_doc:meta])* $default:ident = $default_word:literal,
     $($(#[$doc:meta])* $other:ident = $word:literal,)+) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
        pub enum $choice {
            $(#[$default_doc])*
            #[default]
            $default,
            $($(#[$doc])* $other,)+
        }

        impl $choice {
            /// All of them.
            pub const ALL: &[Self] = &[Self::$default, $(Self::$other),+];

            /// The word in forms, in the cookie and in the attribute of the document.
            pub const fn word(self) -> &'static str {
                match self {
                    Self::$default => $default_word,
                    $(Self::$other => $word,)+
                }
            }

            /// The word, unless it is the default, which the cookie and the document leave out.
            pub fn attribute(self) -> Option<&'static str> {
                (self != Self::default()).then(|| self.word())
            }

            fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|choice| choice.word() == word)
            }
        }
    };
}

choice! {
    /// The colours.
    Theme:
    /// Those of the system.
    System = "system",
    /// Light.
    Light = "light",
    /// Dark.
    Dark = "dark",
}

choice! {
    /// The size of all texts.
    TextSize:
    /// The browser's own size.
    Normal = "normal",
    /// A little smaller.
    Small = "small",
    /// A little larger.
    Large = "large",
    /// A quarter larger.
    Larger = "larger",
}

choice! {
    /// What the Enter key does in the message field.
    EnterKey:
    /// It sends the message; with Shift it starts a new line.
    Send = "send",
    /// It starts a new line; with Ctrl or ⌘ it sends the message.
    NewLine = "newline",
}

/// How pages look in one browser.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Appearance {
    /// The colours.
    pub theme: Theme,
    /// The size of all texts.
    pub text_size: TextSize,
    /// What the Enter key does.
    pub enter: EnterKey,
}

impl Appearance {
    /// The appearance in a cookie. Unknown words are ignored.
    pub fn from_cookie(value: &str) -> Self {
        Self::default().with(value.split('.'))
    }

    /// Changes what the words name, and keeps the rest. Unknown words are ignored.
    pub fn with<'a>(mut self, words: impl IntoIterator<Item = &'a str>) -> Self {
        for word in words {
            self.theme = Theme::from_word(word).unwrap_or(self.theme);
            self.text_size = TextSize::from_word(word).unwrap_or(self.text_size);
            self.enter = EnterKey::from_word(word).unwrap_or(self.enter);
        }
        self
    }

    /// The value of the cookie: what differs from the default.
    pub fn to_cookie(self) -> String {
        let words = [self.theme.attribute(), self.text_size.attribute(), self.enter.attribute()];
        words.into_iter().flatten().collect::<Vec<_>>().join(".")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_holds_what_differs_from_the_default() {
        assert_eq!(Appearance::default().to_cookie(), "");
        for &theme in Theme::ALL {
            for &text_size in TextSize::ALL {
                for &enter in EnterKey::ALL {
                    let appearance = Appearance { theme, text_size, enter };
                    assert_eq!(Appearance::from_cookie(&appearance.to_cookie()), appearance);
                }
            }
        }
        let chosen = Appearance { theme: Theme::Dark, text_size: TextSize::Large, enter: EnterKey::NewLine };
        assert_eq!(chosen.to_cookie(), "dark.large.newline");
    }

    #[test]
    fn unknown_words_are_ignored() {
        let dark = Appearance { theme: Theme::Dark, ..Appearance::default() };
        assert_eq!(Appearance::from_cookie("blue.dark..\"><script>.DARK"), dark);
        assert_eq!(Appearance::from_cookie("%00"), Appearance::default());
        assert_eq!(dark.with(["system"]), Appearance::default());
        assert_eq!(dark.with(["", "huge"]), dark);
    }
}
