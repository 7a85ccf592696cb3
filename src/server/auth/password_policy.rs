//! The password policy.

use zxcvbn::feedback::{Feedback, Warning};

use super::{common_passwords, password::normalized};
use crate::{
    domain::{AppError, PasswordRating, limits},
    i18n::Reason,
};

/// The minimum zxcvbn score, from 0 to 4.
const MIN_SCORE: u8 = 3;

/// Rates the strength of a password. The work is bounded: over-long input is rejected unread, and zxcvbn reads at most
/// 100 characters.
pub fn rate(password: &str, email: &str, name: &str) -> PasswordRating {
    let refused = |score, advice| PasswordRating { score, acceptable: false, advice };
    let too_long = || refused(0, reason!("password_too_long", most = limits::MAX_PASSWORD_BYTES));
    if password.len() > 4 * limits::MAX_PASSWORD_BYTES {
        return too_long();
    }
    // Normalized as for hashing, so the policy is the same on every device.
    let password = normalized(password);
    let password = password.as_ref();
    let chars = password.chars().count();
    if chars < limits::MIN_PASSWORD_CHARS {
        let least = limits::MIN_PASSWORD_CHARS;
        return refused(0, reason!("password_too_short", least = least, count = least - chars));
    }
    if password.len() > limits::MAX_PASSWORD_BYTES {
        return too_long();
    }
    let (name, email) = (name.trim().to_lowercase(), email.trim().to_lowercase());
    let local = email.split('@').next().unwrap_or_default();
    if common_passwords::is_mostly_personal_words(password, &email, &name) {
        return refused(0, reason!("password_of_own_words"));
    }
    if common_passwords::is_common(password) {
        return refused(0, reason!("password_in_lists"));
    }
    let mut inputs = vec!["colloquy"];
    inputs.extend([name.as_str(), email.as_str(), local].into_iter().filter(|own| !own.is_empty()));
    inputs.extend(name.split_whitespace());
    let entropy = zxcvbn::zxcvbn(password, &inputs);
    let score = u8::from(entropy.score());
    if score >= MIN_SCORE {
        let praise = if score == 4 { reason!("password_very_hard") } else { reason!("password_hard") };
        return PasswordRating { score, acceptable: true, advice: praise };
    }
    refused(score, weakness(entropy.feedback().and_then(Feedback::warning)))
}

/// Why a password is easy to guess.
fn weakness(warning: Option<Warning>) -> Reason {
    match warning {
        None => reason!("password_weak"),
        Some(Warning::StraightRowsOfKeysAreEasyToGuess) => reason!("password_weak_rows"),
        Some(Warning::ShortKeyboardPatternsAreEasyToGuess) => reason!("password_weak_patterns"),
        Some(Warning::RepeatsLikeAaaAreEasyToGuess) => reason!("password_weak_repeats"),
        Some(Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess) => reason!("password_weak_long_repeats"),
        Some(Warning::ThisIsATop10Password) => reason!("password_weak_top_10"),
        Some(Warning::ThisIsATop100Password) => reason!("password_weak_top_100"),
        Some(Warning::ThisIsACommonPassword) => reason!("password_weak_common"),
        Some(Warning::ThisIsSimilarToACommonlyUsedPassword) => reason!("password_weak_similar"),
        Some(Warning::SequencesLikeAbcAreEasyToGuess) => reason!("password_weak_sequences"),
        Some(Warning::RecentYearsAreEasyToGuess) => reason!("password_weak_years"),
        Some(Warning::AWordByItselfIsEasyToGuess) => reason!("password_weak_word"),
        Some(Warning::DatesAreOftenEasyToGuess) => reason!("password_weak_dates"),
        Some(Warning::NamesAndSurnamesByThemselvesAreEasyToGuess) => reason!("password_weak_name"),
        Some(Warning::CommonNamesAndSurnamesAreEasyToGuess) => reason!("password_weak_common_names"),
    }
}

/// Rejects a password that violates the policy. Nothing is trimmed.
///
/// # Errors
/// `Invalid` on the field `password`. No hashing is done.
pub(super) fn check(password: &str, email: &str, name: &str) -> Result<(), AppError> {
    let rating = rate(password, email, name);
    if rating.acceptable { Ok(()) } else { Err(AppError::invalid("password", rating.advice)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n;

    #[test]
    fn a03_minimum_length_is_in_characters_and_maximum_in_bytes() {
        assert!(!rate("zK8#vq!2Lm@", "a@b.org", "Ada").acceptable);
        assert!(rate("zK8#vq!2Lm@x", "a@b.org", "Ada").acceptable);
        assert!(rate("🦊 🐙 🌵 🚲 🎻 🧭", "a@b.org", "Ada").advice.text_in(i18n::current()).contains(' '));
        let long: String = "zK8#vq!2Lm@x".chars().cycle().take(1_024).collect();
        assert!(!rate(&format!("{long}y"), "a@b.org", "Ada").acceptable);
    }

    #[test]
    fn a03_the_policy_applies_to_the_normalized_password() {
        let composed = "zK8#vq!2Lm\u{E9}";
        let decomposed = "zK8#vq!2Lme\u{301}";
        assert_eq!(rate(composed, "a@b.org", "Ada"), rate(decomposed, "a@b.org", "Ada"));
        assert!(!rate(decomposed, "a@b.org", "Ada").acceptable, "eleven characters, though twelve are typed");
        let (plain, spaced) = ("plum harbor sextant 41", "plum\u{A0}harbor\u{3000}sextant\u{2003}41");
        assert_eq!(rate(plain, "a@b.org", "Ada"), rate(spaced, "a@b.org", "Ada"));
        let long = "e\u{301}x".repeat(limits::MAX_PASSWORD_BYTES / 3);
        let is_too_long = |password: &str| rate(password, "a@b.org", "Ada").advice.code == "password_too_long";
        assert!(!is_too_long(&long), "{}", long.len());
        assert!(is_too_long(&format!("{long}xxx")));
        assert!(is_too_long(&"\u{301}".repeat(1_000_000)));
    }

    #[test]
    fn a04_common_passwords_and_personal_words_are_refused() {
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
    fn a04_repetitions_and_keyboard_patterns_are_refused() {
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
    fn a04_good_passwords_are_accepted() {
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
}
