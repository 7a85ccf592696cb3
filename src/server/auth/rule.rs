//! The one rule for passwords.

use super::{common, password::normalized};
use crate::domain::{AppError, PasswordRating, limits};

/// The score that zxcvbn must give, of 0 to 4.
const SCORE: u8 = 3;

/// Rates a password. Bounded work: what is too long is not looked into, and zxcvbn reads 100 characters at most.
pub fn rate(password: &str, email: &str, name: &str) -> PasswordRating {
    let refused = |score, advice: String| PasswordRating { score, acceptable: false, advice };
    let too_long = || refused(0, format!("Use at most {} bytes.", limits::PASSWORD_MAX_BYTES));
    if password.len() > 4 * limits::PASSWORD_MAX_BYTES {
        return too_long();
    }
    // In the form that is hashed, so that the rule is the same whatever the device.
    let password = normalized(password);
    let password = password.as_ref();
    let chars = password.chars().count();
    if chars < limits::PASSWORD_MIN_CHARS {
        let missing = limits::PASSWORD_MIN_CHARS - chars;
        let s = if missing == 1 { "" } else { "s" };
        return refused(
            0,
            format!("Use at least {} characters: {missing} more character{s}.", limits::PASSWORD_MIN_CHARS),
        );
    }
    if password.len() > limits::PASSWORD_MAX_BYTES {
        return too_long();
    }
    let (name, email) = (name.trim().to_lowercase(), email.trim().to_lowercase());
    let local = email.split('@').next().unwrap_or_default();
    if common::is_made_of_own_words(password, &email, &name) {
        return refused(
            0,
            "Too easy to guess. Do not build it from your name, your e-mail address or the name of this service."
                .to_owned(),
        );
    }
    if common::is_common(password) {
        return refused(0, "Too easy to guess. It is in the lists that attackers try first.".to_owned());
    }
    let mut inputs = vec!["colloquy"];
    inputs.extend([name.as_str(), email.as_str(), local].into_iter().filter(|own| !own.is_empty()));
    inputs.extend(name.split_whitespace());
    let entropy = zxcvbn::zxcvbn(password, &inputs);
    let score = u8::from(entropy.score());
    if score >= SCORE {
        let praise = if score == 4 { "Very hard to guess." } else { "Hard to guess." };
        return PasswordRating { score, acceptable: true, advice: praise.to_owned() };
    }
    let hint = entropy.feedback().and_then(|f| f.warning()).map(|w| w.to_string());
    refused(
        score,
        format!(
            "Too easy to guess. {}",
            hint.unwrap_or_else(|| "Add a few more words that do not belong together.".into())
        ),
    )
}

/// Refuses a password that does not meet the rule. Nothing is trimmed.
///
/// # Errors
/// `Invalid` on the field `password`, without any hashing done.
pub(super) fn check(password: &str, email: &str, name: &str) -> Result<(), AppError> {
    let rating = rate(password, email, name);
    if rating.acceptable { Ok(()) } else { Err(AppError::invalid("password", rating.advice)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a03_length_is_counted_in_characters_and_bounded_in_bytes() {
        assert!(!rate("zK8#vq!2Lm@", "a@b.org", "Ada").acceptable);
        assert!(rate("zK8#vq!2Lm@x", "a@b.org", "Ada").acceptable);
        assert!(rate("🦊 🐙 🌵 🚲 🎻 🧭", "a@b.org", "Ada").advice.contains(' '));
        let long: String = "zK8#vq!2Lm@x".chars().cycle().take(1_024).collect();
        assert!(!rate(&format!("{long}y"), "a@b.org", "Ada").acceptable);
    }

    #[test]
    fn a03_the_rule_is_the_same_for_every_form_of_a_password() {
        let composed = "zK8#vq!2Lm\u{E9}";
        let decomposed = "zK8#vq!2Lme\u{301}";
        assert_eq!(rate(composed, "a@b.org", "Ada"), rate(decomposed, "a@b.org", "Ada"));
        assert!(!rate(decomposed, "a@b.org", "Ada").acceptable, "eleven characters, though twelve are typed");
        let (plain, spaced) = ("plum harbor sextant 41", "plum\u{A0}harbor\u{3000}sextant\u{2003}41");
        assert_eq!(rate(plain, "a@b.org", "Ada"), rate(spaced, "a@b.org", "Ada"));
        let long = "e\u{301}x".repeat(limits::PASSWORD_MAX_BYTES / 3);
        assert!(!rate(&long, "a@b.org", "Ada").advice.contains("at most"), "{}", long.len());
        assert!(rate(&format!("{long}xxx"), "a@b.org", "Ada").advice.contains("at most"));
        assert!(rate(&"\u{301}".repeat(1_000_000), "a@b.org", "Ada").advice.contains("at most"));
    }

    #[test]
    fn a04_common_words_and_ones_own_words_are_refused() {
        for bad in [
            "passwordpassword",
            "123456789012",
            "qwertyuiop12",
            "aaaaaaaaaaaaaaa",
            "ada.lovelace@example.org",
            "Ada Lovelace",
            "colloquycolloquy",
            "Ada.Lovelace.1815",
            "yankeesfotoguy1",
        ] {
            assert!(!rate(bad, "ada.lovelace@example.org", "Ada Lovelace").acceptable, "{bad}");
        }
    }

    #[test]
    fn a04_repetitions_and_ways_over_the_keyboard_are_refused() {
        for bad in [
            "abcabcabcabc",
            "121212121212",
            "!!!!!!!!!!!!",
            "abcdefghijkl",
            "zyxwvutsrqponm",
            "qwertyuiop[]",
            "qwertzuiopas",
            "asdfghjkl;'asdf",
            "1qaz2wsx3edc4rfv",
            "zaqwsxcderfv",
            "poiuytrewqlkj",
            "2468101214161820",
            "20242024202420",
            "PasswordPassword1",
            "letmeinletmein",
            "monkeymonkey123",
        ] {
            assert!(!rate(bad, "ada.lovelace@example.org", "Ada Lovelace").acceptable, "{bad}");
        }
    }

    #[test]
    fn a04_ordinary_good_passwords_pass() {
        for good in [
            "plum-harbor-sextant-41",
            "teapot glacier violin",
            "correct umbrella pickle staple",
            "Vq7!mZ2#rT9p",
            "9f2c81aa03be47d6",
            "мой старый велосипед скрипит",
            "le chat gris dort au soleil",
            "海辺の古い灯台で待っています",
            "🦊 🐙 🌵 🚲 🎻 🧭 🪁",
            "tr0mbone&lighthouse",
            "Kessel-Flieder-Zange",
            " plum harbor 🦊 sextant 41 ",
            "ada likes violet teapots",
        ] {
            let rating = rate(good, "ada.lovelace@example.org", "Ada Lovelace");
            assert!(rating.acceptable, "{good}: {rating:?}");
        }
    }

    #[test]
    fn a04_looking_into_the_list_takes_no_time() {
        let begun = std::time::Instant::now();
        for _ in 0..1_000 {
            assert!(!common::is_common(&"plum-harbor-sextant-41".repeat(5)));
            assert!(!common::is_made_of_own_words("plum-harbor-sextant-41", "ada@example.org", "Ada Lovelace"));
        }
        assert!(begun.elapsed().as_secs() < 1, "a thousand take {:?}", begun.elapsed());
    }
}
