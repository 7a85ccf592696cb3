//! Authenticator apps: codes of six digits that change every 30 seconds (TOTP, RFC 6238).

use rand::{TryRngCore, rngs::OsRng};
use totp_rs::{Algorithm, Builder, Totp};

use super::{Factors, check_factor_limit, qr, recovery};
use crate::{
    domain::{AppError, FactorId, FactorKind, Timestamp, TotpEnrolment, UserId},
    server::{
        audit::RequestMeta,
        auth::{Caller, caller::require_signed_in},
        fault::Fault,
        store::{FactorData, FactorRow, NewFactor, StoreError, Tx, sealed_context},
    },
};

/// Bytes of a secret, as RFC 4226 recommends.
const SECRET_BYTES: usize = 20;
/// The context label for sealing secrets.
const SEAL_LABEL: &str = "totp";
const DEFAULT_NAME: &str = "Authenticator app";

impl Factors {
    /// Starts the enrolment of an app. It becomes a factor once it is confirmed by a code. Replaces an earlier
    /// unconfirmed enrolment.
    ///
    /// # Errors
    /// `Conflict` if the caller has an app already, or too many factors.
    pub async fn begin_totp(&self, caller: &Caller) -> Result<TotpEnrolment, Fault> {
        let user = &caller.user;
        let mut secret = [0_u8; SECRET_BYTES];
        OsRng.try_fill_bytes(&mut secret).map_err(|error| Fault::internal(error.to_string()))?;
        let sealed =
            self.secrets.seal(&sealed_context(SEAL_LABEL, user.id.uuid()), &secret).map_err(Fault::internal)?;
        let id = FactorId::from_uuid(self.clock.new_id());
        let mut tx = self.store.write().await?;
        let mut owned = tx.owned_by(user.id);
        check_factor_limit(&mut owned).await?;
        if owned.list_factors().await?.iter().any(|factor| factor.kind() == FactorKind::Totp) {
            return Err(totp_exists().into());
        }
        owned.delete_unconfirmed_factors().await?;
        let data = FactorData::Totp { secret: &sealed };
        owned.insert_factor(&NewFactor { id, name: DEFAULT_NAME, data, created_at: self.clock.now() }).await?;
        tx.commit().await?;
        enrolment(&secret, &user.email)
    }

    /// The caller's unconfirmed enrolment, to show it again. The callers of this function check for recent
    /// authentication.
    ///
    /// # Errors
    /// Database errors, and if the secret cannot be opened.
    pub async fn find_pending_totp(&self, tx: &mut Tx, caller: &Caller) -> Result<Option<TotpEnrolment>, Fault> {
        let begun = tx.owned_by(caller.user.id).find_unconfirmed_totp().await?;
        let Some(FactorRow { secret: Some(sealed), .. }) = begun else { return Ok(None) };
        let context = sealed_context(SEAL_LABEL, caller.user.id.uuid());
        let secret = self.secrets.open_sealed(&context, &sealed).map_err(Fault::internal)?;
        enrolment(&secret, &caller.user.email).map(Some)
    }

    /// Cancels an unconfirmed enrolment.
    pub async fn cancel_totp(&self, caller: &Caller) -> Result<(), Fault> {
        let mut tx = self.store.write().await?;
        tx.owned_by(caller.user.id).delete_unconfirmed_factors().await?;
        tx.commit().await?;
        Ok(())
    }

    /// Confirms the caller's enrolment by a code. Returns recovery codes with the first factor, which are shown only
    /// once; empty if the caller already has codes.
    ///
    /// # Errors
    /// `Invalid` on the field `code`, also if there is no enrolment; `Conflict` if the caller has an app already;
    /// `RateLimited`.
    pub async fn confirm_totp(&self, caller: &Caller, code: &str, meta: &RequestMeta) -> Result<Vec<String>, Fault> {
        self.attempt_to_add(caller, DEFAULT_NAME, meta, self.add_totp(caller, code, meta)).await
    }

    async fn add_totp(&self, caller: &Caller, code: &str, meta: &RequestMeta) -> Result<Vec<String>, Fault> {
        let (user, now) = (caller.user.id, self.clock.now());
        let begun = self.store.read().await?.owned_by(user).find_unconfirmed_totp().await?;
        let begun = begun.ok_or_else(wrong_code)?;
        let step = self.matching_step(&begun, code, now)?.ok_or_else(wrong_code)?;
        let mut tx = self.store.write().await?;
        require_signed_in(&mut tx, caller, now).await?;
        match tx.owned_by(user).confirm_factor(begun.id, step, now).await {
            Ok(true) => {}
            Ok(false) => return Err(wrong_code().into()),
            Err(StoreError::Duplicate) => return Err(totp_exists().into()),
            Err(error) => return Err(error.into()),
        }
        // A concurrent request may have started another enrolment.
        tx.owned_by(user).delete_unconfirmed_factors().await?;
        let codes = recovery::create_initial_codes(&mut tx, user).await?;
        self.record_added(&mut tx, caller, DEFAULT_NAME, meta).await?;
        tx.owned_by(user).renew_credentials(Some(caller.sign_in), now).await?;
        tx.commit().await?;
        Ok(codes)
    }

    /// Consumes a code of the user's app, or a recovery code. Each code is accepted once, also with concurrent
    /// requests.
    pub(in crate::server::auth) async fn use_code(&self, user: UserId, typed: &str) -> Result<bool, Fault> {
        let now = self.clock.now();
        if let Some(hash) = recovery::hash(user, typed) {
            let mut tx = self.store.write().await?;
            let used = tx.owned_by(user).use_recovery_code(&hash, now).await?;
            tx.commit().await?;
            return Ok(used);
        }
        let factors = self.store.read().await?.owned_by(user).list_factors().await?;
        let Some(factor) = factors.into_iter().find(|factor| factor.kind() == FactorKind::Totp) else {
            return Ok(false);
        };
        let Some(step) = self.matching_step(&factor, typed, now)? else { return Ok(false) };
        let mut tx = self.store.write().await?;
        let used = tx.owned_by(user).use_factor_step(factor.id, step, now).await?;
        tx.commit().await?;
        Ok(used)
    }

    /// The time step that a code belongs to: the current one or one of its neighbours; `None` if neither.
    fn matching_step(&self, factor: &FactorRow, typed: &str, now: Timestamp) -> Result<Option<i64>, Fault> {
        let Some(sealed) = &factor.secret else { return Ok(None) };
        let context = sealed_context(SEAL_LABEL, factor.user_id.uuid());
        let secret = self.secrets.open_sealed(&context, sealed).map_err(Fault::internal)?;
        let seconds = u64::try_from(now.micros().div_euclid(1_000_000)).unwrap_or_default();
        // Apps show codes in two groups, and people copy them with whitespace around.
        let code: String = typed.chars().filter(|c| !c.is_whitespace()).take(7).collect();
        let step = totp(&secret, "-")?.check(&code, seconds);
        Ok(step.and_then(|step| i64::try_from(step).ok()))
    }
}

fn totp(secret: &[u8], account: &str) -> Result<Totp, Fault> {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(30)
        .with_skew(1)
        .with_secret(secret)
        .with_issuer(Some("Colloquy"))
        .with_account_name(account)
        .build()
        .map_err(|error| Fault::internal(error.to_string()))
}

fn enrolment(secret: &[u8], email: &str) -> Result<TotpEnrolment, Fault> {
    let totp = totp(secret, email)?;
    let uri = totp.to_url().map_err(|error| Fault::internal(error.to_string()))?;
    let letters: Vec<char> = totp.secret().to_base32().chars().collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    Ok(TotpEnrolment { qr: qr::svg(&uri)?, uri, secret: groups.join(" ") })
}

fn totp_exists() -> AppError {
    AppError::conflict(reason!("totp_exists"))
}

/// The one error for every code that is not accepted.
pub(in crate::server::auth) fn wrong_code() -> AppError {
    AppError::invalid("code", reason!("code_wrong"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totp_codes_match_rfc_6238() {
        // RFC 6238, appendix B, for SHA-1: the last six of eight digits.
        let totp = totp(b"12345678901234567890", "-").expect("a secret");
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(totp.generate(seconds).to_string(), code);
            for (at, step) in [(seconds, true), (seconds + 30, true), (seconds - 30, true), (seconds + 60, false)] {
                assert_eq!(totp.check(code, at).is_some(), step, "{code} at {at}");
            }
        }
    }

    #[test]
    fn enrolment_has_a_valid_uri_and_a_readable_secret() {
        let enrolment = enrolment(b"12345678901234567890", "ada+x@example.org").expect("an enrolment");
        assert!(enrolment.uri.starts_with("otpauth://totp/Colloquy:ada"), "{}", enrolment.uri);
        let read = Totp::from_url(&enrolment.uri).expect("an address that apps read");
        assert_eq!((read.secret().as_bytes(), read.digits(), read.step()), (b"12345678901234567890".as_slice(), 6, 30));
        assert_eq!(read.account_name(), "ada+x@example.org");
        assert_eq!(enrolment.secret, "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    }
}
