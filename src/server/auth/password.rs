//! Password hashing with Argon2id, off the async threads and with bounded concurrency.
//!
//! The same password can be typed as different sequences of characters: one device composes an é, another sends an e
//! and an accent. So passwords are normalized before they are hashed.

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

/// Maximum number of concurrent hashes, further limited by the number of cores. Each takes 19 MiB and a core.
const MAX_CONCURRENT_HASHES: usize = 4;
/// How long a request waits for a free permit.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(15);

/// Hashes and verifies passwords.
#[derive(Debug, Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
    /// Verified if there is no account, so that an unknown address takes as long as a known one.
    dummy_hash: Arc<str>,
}

/// The result of verifying a password.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verified {
    /// The password is wrong, or there is no account.
    No,
    /// The password is right.
    Yes,
    /// The password is right, but its hash was computed with weaker parameters or from another form. Contains the new
    /// hash.
    Rehashed(String),
}

/// Normalizes a password for hashing, like RFC 8265 (OpaqueString): composed (NFC) and with ASCII spaces. Letters keep
/// their case and width.
pub(super) fn normalized(password: &str) -> Cow<'_, str> {
    let is_non_ascii_space =
        |c: char| matches!(c, '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}');
    if is_nfc_quick(password.chars()) == IsNormalized::Yes && !password.contains(is_non_ascii_space) {
        return Cow::Borrowed(password);
    }
    Cow::Owned(password.chars().map(|c| if is_non_ascii_space(c) { ' ' } else { c }).nfc().collect())
}

/// Whether a text can be a password: not empty, and not too long once normalized.
pub(super) fn is_valid_length(text: &str) -> bool {
    // Decomposed, it may be longer than its normalized form.
    !text.is_empty()
        && text.len() <= 4 * limits::MAX_PASSWORD_BYTES
        && normalized(text).len() <= limits::MAX_PASSWORD_BYTES
}

/// The forms of a password whose hash may be stored: the normalized one, and for hashes from before normalization was
/// introduced, the text as typed and its decomposed form. The number of forms depends on the text alone.
fn candidate_forms(password: &str) -> Vec<Cow<'_, str>> {
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

fn needs_rehash(stored: &PasswordHash<'_>) -> bool {
    let current = argon2();
    let required = current.params();
    Params::try_from(stored).map_or(true, |params| {
        stored.algorithm.as_str() != "argon2id"
            || params.m_cost() < required.m_cost()
            || params.t_cost() < required.t_cost()
    })
}

impl Default for Passwords {
    fn default() -> Self {
        // No password matches it: its input is random and discarded.
        let noise: [u8; 32] = rand::random();
        let dummy_hash = hash(&noise).expect("hashing 32 bytes with constant parameters");
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { permits: Arc::new(Semaphore::new(MAX_CONCURRENT_HASHES.min(cores))), dummy_hash: dummy_hash.into() }
    }
}

impl Passwords {
    async fn acquire_permit(&self) -> Result<OwnedSemaphorePermit, Fault> {
        let busy = || AppError::unavailable(reason!("sign_ins_busy"));
        match tokio::time::timeout(QUEUE_TIMEOUT, self.permits.clone().acquire_owned()).await {
            Ok(permit) => permit.map_err(Fault::internal),
            Err(_) => Err(busy().into()),
        }
    }

    /// Hashes a password into a PHC string.
    pub(super) async fn hash(&self, password: String) -> Result<String, Fault> {
        let permit = self.acquire_permit().await?;
        tokio::task::spawn_blocking(move || {
            let hashed = hash(normalized(&password).as_bytes());
            drop(permit);
            hashed.map_err(Fault::internal)
        })
        .await?
    }

    /// Verifies a password against a stored hash, or against a dummy hash at the same cost. The cost depends on the
    /// password alone.
    pub(super) async fn verify(&self, password: String, stored: Option<String>) -> Result<Verified, Fault> {
        let dummy_hash = self.dummy_hash.clone();
        let permit = self.acquire_permit().await?;
        tokio::task::spawn_blocking(move || {
            // An account without a password has an empty hash, and must take as long as others.
            let stored = stored.filter(|stored| !stored.is_empty());
            let known = stored.is_some();
            let phc = stored.as_deref().unwrap_or(&dummy_hash);
            let parsed = PasswordHash::new(phc).map_err(Fault::internal)?;
            let forms = candidate_forms(&password);
            let right = forms.iter().position(|form| argon2().verify_password(form.as_bytes(), &parsed).is_ok());
            let verdict = match right.filter(|_| known) {
                None => Verified::No,
                Some(0) if !needs_rehash(&parsed) => Verified::Yes,
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
    async fn a01_hashes_are_argon2id_with_minimum_parameters_and_random_salts() {
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

    /// The same password as several devices type it; the normalized form comes first.
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
    async fn a01_passwords_are_normalized() {
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
    async fn a02_hashes_of_other_forms_verify_and_are_rehashed() {
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
    fn a01_the_number_of_forms_depends_on_the_input_alone() {
        for (typed, count) in [("plain", 1), ("Caf\u{E9}", 2), ("Cafe\u{301}", 2), ("Cafe\u{301}\u{A0}cr\u{E8}me", 3)] {
            assert_eq!(candidate_forms(typed).len(), count, "{typed}");
        }
    }

    #[test]
    fn a03_length_is_checked_after_normalization() {
        let long = "e\u{301}".repeat(limits::MAX_PASSWORD_BYTES / 2);
        assert!(long.len() > limits::MAX_PASSWORD_BYTES && is_valid_length(&long));
        assert!(!is_valid_length(&format!("{long}x")));
        assert!(!is_valid_length("") && !is_valid_length(&"x".repeat(limits::MAX_PASSWORD_BYTES + 1)));
        assert!(!is_valid_length(&"\u{301}".repeat(limits::MAX_PASSWORD_BYTES)));
    }

    #[tokio::test]
    async fn a02_weak_hashes_are_rehashed() {
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
