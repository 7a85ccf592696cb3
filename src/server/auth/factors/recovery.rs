//! Recovery codes: ten codes, each valid for one sign-in without the app or the passkey.

use rand::{TryRngCore, rngs::OsRng};
use sha2::{Digest, Sha256};

use super::Factors;
use crate::{
    domain::{AppError, AuditAction, UserId},
    server::{
        audit::RequestMeta,
        auth::{Caller, caller::require_signed_in},
        fault::Fault,
        mail::Notice,
        store::{Owned, Tx, sealed_context},
    },
};

/// Number of codes per user.
const CODE_COUNT: usize = 10;
/// Characters per code, without hyphens. Each is one of 32, so a code has 80 bits.
const CODE_CHARS: usize = 16;
/// Crockford's base 32: no two characters look alike.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl Factors {
    /// Replaces the caller's recovery codes; the old ones become invalid. They are shown only once; the database stores
    /// hashes.
    ///
    /// # Errors
    /// `Conflict` if the caller has no second factor.
    pub async fn new_recovery_codes(&self, caller: &Caller, meta: &RequestMeta) -> Result<Vec<String>, Fault> {
        let mut tx = self.store.write().await?;
        require_signed_in(&mut tx, caller, self.clock.now()).await?;
        let mut owned = tx.owned_by(caller.user.id);
        if owned.list_factors().await?.is_empty() {
            return Err(AppError::conflict(reason!("factor_missing")).into());
        }
        let codes = replace_codes(&mut owned, caller.user.id).await?;
        meta.record_own_with_detail(&mut tx, &self.clock, caller.user.id, AuditAction::NewRecoveryCodes, "").await?;
        self.notifier.notify(&mut tx, &caller.user.email, Notice::NewRecoveryCodes, meta).await?;
        tx.commit().await?;
        Ok(codes)
    }
}

/// The context label for sealing codes for the browser.
const SEAL_LABEL: &str = "codes";

impl Factors {
    /// Seals new codes for the browser that requested them, which keeps them until the user dismisses them. The server
    /// does not store them, and a page without scripts can still show them after its form was sent.
    ///
    /// # Errors
    /// If the key cannot be used.
    pub fn seal_codes(&self, caller: &Caller, codes: &[String]) -> Result<String, Fault> {
        let context = sealed_context(SEAL_LABEL, caller.sign_in.uuid());
        self.secrets.seal(&context, codes.join(" ").as_bytes()).map_err(Fault::internal)
    }

    /// The codes that the caller's browser holds; empty if they cannot be opened.
    pub fn open_codes(&self, caller: &Caller, sealed: &str) -> Vec<String> {
        let context = sealed_context(SEAL_LABEL, caller.sign_in.uuid());
        let opened = self.secrets.open_sealed(&context, sealed).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        opened.iter().flat_map(|text| text.split(' ')).map(str::to_owned).collect()
    }
}

/// Creates recovery codes for a user who has none: with the first factor, or if all are used. Otherwise returns an
/// empty list.
pub(super) async fn create_initial_codes(tx: &mut Tx, user: UserId) -> Result<Vec<String>, Fault> {
    let mut owned = tx.owned_by(user);
    let is_first = owned.list_factors().await?.len() == 1;
    if is_first || owned.count_recovery_codes().await? == 0 {
        replace_codes(&mut owned, user).await
    } else {
        Ok(Vec::new())
    }
}

async fn replace_codes(owned: &mut Owned<'_>, user: UserId) -> Result<Vec<String>, Fault> {
    let mut codes = Vec::new();
    for _ in 0..CODE_COUNT {
        codes.push(generate_code()?);
    }
    let hashes: Vec<String> = codes.iter().filter_map(|code| hash(user, code)).collect();
    owned.replace_recovery_codes(&hashes).await?;
    Ok(codes)
}

/// Generates a code, in groups of four.
fn generate_code() -> Result<String, Fault> {
    let mut bytes = [0_u8; CODE_CHARS];
    OsRng.try_fill_bytes(&mut bytes).map_err(|error| Fault::internal(error.to_string()))?;
    let letters = bytes.map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    Ok(groups.join("-"))
}

/// The hash of a code as typed. Whitespace, hyphens and case are ignored, and letters that look like digits are
/// replaced. `None` if it cannot be a code.
pub(super) fn hash(user: UserId, typed: &str) -> Option<String> {
    if typed.len() > 4 * CODE_CHARS {
        return None;
    }
    let letters: String = typed
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .map(|c| match c.to_ascii_lowercase() {
            'i' | 'l' => '1',
            'o' => '0',
            other => other,
        })
        .collect();
    if letters.len() != CODE_CHARS || !letters.bytes().all(|byte| ALPHABET.contains(&byte)) {
        return None;
    }
    let digest = Sha256::new().chain_update(user.uuid().as_bytes()).chain_update(letters).finalize();
    Some(digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> UserId {
        text.parse().expect("an id")
    }

    #[test]
    fn recovery_codes_are_unique_and_use_the_whole_alphabet() {
        let codes: std::collections::BTreeSet<String> = (0..1_000).map(|_| generate_code().expect("a code")).collect();
        assert_eq!(codes.len(), 1_000);
        let mut seen = std::collections::BTreeSet::new();
        for code in &codes {
            assert_eq!(code.len(), 19, "{code}");
            assert!(code.split('-').all(|group| group.len() == 4), "{code}");
            seen.extend(code.bytes().filter(|byte| *byte != b'-'));
        }
        assert_eq!(seen.len(), 32, "every letter of the alphabet comes up");
    }

    #[test]
    fn recovery_codes_are_normalized_and_bound_to_the_user() {
        let (ada, bob) = (user("0190e2a4-7b1c-7def-8123-456789abcdef"), user("0190e2a4-7b1c-7def-8123-456789abcdee"));
        let expected = hash(ada, "abcd-efgh-jkmn-p10s").expect("a code");
        for typed in [" ABCD EFGH JKMN P10S ", "abcdefghjkmnp10s", "abcd-efgh-jkmn-pios", "abcd-efgh-jkmn-pLOs"] {
            assert_eq!(hash(ada, typed).as_ref(), Some(&expected), "{typed}");
        }
        assert_ne!(hash(bob, "abcd-efgh-jkmn-p10s"), Some(expected));
        for bad in ["", "123456", "abcd-efgh-jkmn-p10", "abcd-efgh-jkmn-p10su", "abcd-efgh-jkmn-p10ü", &"a".repeat(65)]
        {
            assert_eq!(hash(ada, bad), None, "{bad}");
        }
    }
}
