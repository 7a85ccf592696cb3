//! Argon2id, off the async threads, a few at a time.

use std::{sync::Arc, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString, rand_core::OsRng},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{domain::AppError, server::fault::Fault};

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
    /// It is right, and its hash was made with weaker parameters: here is a new one.
    Rehashed(String),
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
        let busy = || AppError::unavailable("Many people are signing in right now. Please try again in a moment.");
        match tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned()).await {
            Ok(permit) => permit.map_err(Fault::internal),
            Err(_) => Err(busy().into()),
        }
    }

    /// Hashes a password into a PHC string.
    pub(super) async fn hash(&self, password: String) -> Result<String, Fault> {
        let permit = self.turn().await?;
        tokio::task::spawn_blocking(move || {
            let hashed = hash(password.as_bytes());
            drop(permit);
            hashed.map_err(Fault::internal)
        })
        .await?
    }

    /// Verifies a password against a stored hash, or against nothing at the same cost.
    pub(super) async fn verify(&self, password: String, stored: Option<String>) -> Result<Verified, Fault> {
        let decoy = self.decoy.clone();
        let permit = self.turn().await?;
        tokio::task::spawn_blocking(move || {
            // An account without a password has an empty hash, and costs what others cost.
            let stored = stored.filter(|stored| !stored.is_empty());
            let known = stored.is_some();
            let phc = stored.as_deref().unwrap_or(&decoy);
            let parsed = PasswordHash::new(phc).map_err(Fault::internal)?;
            let right = argon2().verify_password(password.as_bytes(), &parsed).is_ok();
            let verdict = match right && known {
                false => Verified::No,
                true if is_weak(&parsed) => Verified::Rehashed(hash(password.as_bytes()).map_err(Fault::internal)?),
                true => Verified::Yes,
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
