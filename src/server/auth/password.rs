//! Argon2id, off the async threads, a few at a time.
//!
//! One password can be typed as several sequences of characters: one device composes an é, another writes an e and an accent.
//! So passwords are brought into one form before they are hashed.

use std::{borrow::Cow, sync::Arc, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString, rand_core::OsRng},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::{
    domain::{AppError, limits},
    server::fault::Fault,
};

/// Hashes computed at once at most; each takes 19 MiB and a core, so there are never more than cores.
const AT_ONCE: usize = 4;
/// How long a sign-in waits for its turn.
const PATIENCE: Duration = Duration::from_secs(15);

/// Hashes and verifies passwords.
#[derive(Debug, Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    /// Verified where there is no account, so that an unknown address costs what a known one does.
    decoy: Arc<str>,
}

/// The result of verifying a password.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verified {
    /// It is wrong, or there is no account.
    No,
    /// It is right.
    Yes,
    /// It is right, and its hash was made with weaker parameters or of another form of it: here is a new one.
    Rehashed(String),
}

/// A password in the form that is hashed, as RFC 8265 (OpaqueString) has it: composed (NFC), and with plain spaces.
/// Letters keep their case and width.
pub(super) fn normalized(password: &str) -> Cow<'_, str> {
    let is_odd_space =
        |c: char| matches!(c, '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}');
    if is_nfc_quick(password.chars()) == IsNormalized::Yes && !password.contains(is_odd_space) {
        return Cow::Borrowed(password);
    }
    Cow::Owned(password.chars().map(|c| if is_odd_space(c) { ' ' } else { c }).nfc().collect())
}

/// Whether a text can be anybody's password: not empty, and in its hashed form not too long.
pub(super) fn can_be_one(text: &str) -> bool {
    // Decomposed, it may be longer than the form that counts.
    !text.is_empty()
        && text.len() <= 4 * limits::PASSWORD_MAX_BYTES
        && normalized(text).len() <= limits::PASSWORD_MAX_BYTES
}

/// The forms of a password whose hash may be stored: the one that is hashed now, and for hashes that were made before that
/// was decided, as it was typed now, and as devices type that decompose. Which ones there are depends on the text alone.
fn forms(password: &str) -> Vec<Cow<'_, str>> {
    let mut forms = vec![normalized(password)];
    for form in [Cow::Borrowed(password), Cow::Owned(password.nfd().collect())] {
        if !forms.contains(&form) {
            forms.push(form);
        }
    }
    forms
}

/// The OWASP password storage cheat sheet's minimum: m = 19 MiB, t = 2, p = 1.
fn argon2() -> Argon2<'static> {
    let params = Params::new(19_456, 2, 1, None).expect("constant parameters are in range");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &[u8]) -> Result<String, argon2::password_hash::Error> {
    let salt = SaltString::generate(&mut OsRng);
    Ok(argon2().hash_password(password, &salt)?.to_string())
}

fn is_weak(stored: &PasswordHash<'_>) -> bool {
    let current = argon2();
    let wanted = current.params();
    Params::try_from(stored).map_or(true, |params| {
        stored.algorithm.as_str() != "argon2id"
            || params.m_cost() < wanted.m_cost()
            || params.t_cost() < wanted.t_cost()
    })
}

impl Default for Passwords {
    fn default() -> Self {
        // Nobody knows a password for it: its input is random and forgotten.
        let noise: [u8; 32] = rand::random();
        let decoy = hash(&noise).expect("hashing 32 bytes with constant parameters");
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { turns: Arc::new(Semaphore::new(AT_ONCE.min(cores))), decoy: decoy.into() }
    }
}

impl Passwords {
    async fn turn(&self) -> Result<OwnedSemaphorePermit, Fault> {
        let busy = || AppError::unavailable(reason!("sign_ins_busy"));
        match tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned()).await {
            Ok(permit) => permit.map_err(Fault::internal),
            Err(_) => Err(busy().into()),
        }
    }

    /// Hashes a password into a PHC string.
    pub(super) async fn hash(&self, password: String) -> Result<String, Fault> {
        let permit = self.turn().await?;
        tokio::task::spawn_blocking(move || {
            let hashed = hash(normalized(&password).as_bytes());
            drop(permit);
            hashed.map_err(Fault::internal)
        })
        .await?
    }

    /// Verifies a password against a stored hash, or against nothing at the same cost: that depends on the password alone.
    pub(super) async fn verify(&self, password: String, stored: Option<String>) -> Result<Verified, Fault> {
        let decoy = self.decoy.clone();
        let permit = self.turn().await?;
        tokio::task::spawn_blocking(move || {
            // An account without a password has an empty hash, and costs what others cost.
            let stored = stored.filter(|stored| !stored.is_empty());
            let known = stored.is_some();
            let phc = stored.as_deref().unwrap_or(&decoy);
            let parsed = PasswordHash::new(phc).map_err(Fault::internal)?;
            let forms = forms(&password);
            let right = forms.iter().position(|form| argon2().verify_password(form.as_bytes(), &parsed).is_ok());
            let verdict = match right.filter(|_| known) {
                None => Verified::No,
                Some(0) if !is_weak(&parsed) => Verified::Yes,
                Some(_) => Verified::Rehashed(hash(forms[0].as_bytes()).map_err(Fault::internal)?),
            };
            drop(permit);
            Ok(verdict)
        })
        .await?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a01_hashes_are_argon2id_at_the_minimum_with_fresh_salts() {
        let passwords = Passwords::default();
        let one = passwords.hash("correct horse".into()).await.expect("a hash");
        let two = passwords.hash("correct horse".into()).await.expect("a hash");
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, two);
        assert_eq!(
            passwords.verify("correct horse".into(), Some(one.clone())).await.expect("a verdict"),
            Verified::Yes
        );
        assert_eq!(passwords.verify("correct horse ".into(), Some(one)).await.expect("a verdict"), Verified::No);
        assert_eq!(passwords.verify("correct horse".into(), None).await.expect("a verdict"), Verified::No);
        for guess in ["", "correct horse"] {
            let none = Some(String::new());
            assert_eq!(passwords.verify(guess.into(), none).await.expect("a verdict"), Verified::No, "no password");
        }
    }

    /// The same password as several devices type it, the form that is hashed first.
    const SPELLINGS: [[&str; 3]; 4] = [
        ["Caf\u{E9} cr\u{E8}me 42", "Cafe\u{301} cre\u{300}me 42", "Caf\u{E9}\u{A0}cre\u{300}me\u{202F}42"],
        [
            "\u{D55C}\u{AE00} \u{C554}\u{D638} 42",
            "\u{1112}\u{1161}\u{11AB}\u{1100}\u{1173}\u{11AF} \u{C554}\u{D638} 42",
            "\u{D55C}\u{AE00}\u{3000}\u{C554}\u{D638} 42",
        ],
        ["\u{C5}ngstr\u{F6}m units", "\u{212B}ngstr\u{F6}m units", "A\u{30A}ngstro\u{308}m\u{2003}units"],
        ["q\u{323}\u{307} and more", "q\u{307}\u{323} and more", "q\u{307}\u{323}\u{2009}and more"],
    ];

    fn hash_of(typed: &str) -> String {
        hash(typed.as_bytes()).expect("a hash")
    }

    #[tokio::test]
    async fn a01_a_password_is_the_same_however_a_device_composes_it() {
        let passwords = Passwords::default();
        for spellings in SPELLINGS {
            assert_eq!(spellings.map(|spelling| normalized(spelling).into_owned()), [spellings[0]; 3]);
            let stored = passwords.hash(spellings[2].into()).await.expect("a hash");
            for typed in spellings {
                let verified = passwords.verify(typed.into(), Some(stored.clone())).await.expect("a verdict");
                assert_eq!(verified, Verified::Yes, "{typed}");
            }
        }
        for (one, other) in [("ffi", "\u{FB03}"), ("A", "\u{FF21}"), ("a", "A"), ("a b", "a  b"), ("ab", "a\u{200B}b")]
        {
            assert_ne!(normalized(one), normalized(other), "these are different passwords");
        }
        assert!(matches!(normalized("correct horse, 12 \u{E9}!"), Cow::Borrowed(_)));
    }

    #[tokio::test]
    async fn a02_a_hash_of_another_form_lets_in_and_is_made_anew() {
        let passwords = Passwords::default();
        for [composed, decomposed, spaced] in SPELLINGS {
            for (stored, typed) in
                [(decomposed, decomposed), (spaced, spaced), (composed, decomposed), (composed, composed)]
            {
                let verified = passwords.verify(typed.into(), Some(hash_of(stored))).await.expect("a verdict");
                let Verified::Rehashed(new) = verified else {
                    assert_eq!((verified, stored), (Verified::Yes, composed), "{typed}");
                    continue;
                };
                assert_ne!(stored, composed);
                for typed in [composed, decomposed, spaced] {
                    let verified = passwords.verify(typed.into(), Some(new.clone())).await.expect("a verdict");
                    assert_eq!(verified, Verified::Yes, "{typed}");
                }
            }
            let wrong = passwords.verify(format!("{decomposed}x"), Some(hash_of(decomposed))).await;
            assert_eq!(wrong.expect("a verdict"), Verified::No);
            assert_eq!(passwords.verify(decomposed.into(), None).await.expect("a verdict"), Verified::No);
        }
        // Hashed before on a device that decomposes, typed now on one that composes.
        let old = hash_of("Cafe\u{301} cre\u{300}me 42");
        let verified = passwords.verify("Caf\u{E9} cr\u{E8}me 42".into(), Some(old)).await.expect("a verdict");
        assert!(matches!(verified, Verified::Rehashed(_)));
    }

    #[test]
    fn a01_the_work_depends_on_what_is_typed_and_not_on_the_account() {
        for (typed, count) in [("plain", 1), ("Caf\u{E9}", 2), ("Cafe\u{301}", 2), ("Cafe\u{301}\u{A0}cr\u{E8}me", 3)] {
            assert_eq!(forms(typed).len(), count, "{typed}");
        }
    }

    #[test]
    fn a03_the_length_that_counts_is_that_of_the_hashed_form() {
        let long = "e\u{301}".repeat(limits::PASSWORD_MAX_BYTES / 2);
        assert!(long.len() > limits::PASSWORD_MAX_BYTES && can_be_one(&long));
        assert!(!can_be_one(&format!("{long}x")));
        assert!(!can_be_one("") && !can_be_one(&"x".repeat(limits::PASSWORD_MAX_BYTES + 1)));
        assert!(!can_be_one(&"\u{301}".repeat(limits::PASSWORD_MAX_BYTES)));
    }

    #[tokio::test]
    async fn a02_a_weak_hash_is_made_anew() {
        let weak =
            Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8_192, 1, 1, None).expect("parameters"));
        let stored = weak.hash_password(b"secret", &SaltString::generate(&mut OsRng)).expect("a hash").to_string();
        let Verified::Rehashed(new) =
            Passwords::default().verify("secret".into(), Some(stored)).await.expect("a verdict")
        else {
            panic!("a weak hash was kept")
        };
        assert!(new.contains("m=19456"));
    }
}
