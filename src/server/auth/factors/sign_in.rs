//! The second step of a sign-in.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::totp::wrong_code;
use crate::{
    domain::{AppError, AuditAction, CurrentUser, PendingSignInId, SignInStep},
    server::{
        audit::{RefusedEvent, RequestMeta},
        auth::{Accounts, SessionChange, SessionState, sign_in_attempt::SignInAttempt},
        fault::Fault,
        limits::CountedAttempts,
        store::PendingSignIn,
    },
};

/// How long a pending sign-in is valid, in seconds.
const PENDING_SECONDS: i64 = 600;

impl Accounts {
    /// Completes the first factor: signs the user in, or stores a pending sign-in if they have a second factor. Every
    /// sign-in method that is not itself a second factor ends here.
    pub(in crate::server::auth) async fn complete_first_factor(
        &self,
        user: CurrentUser,
        attempt: &SignInAttempt<'_>,
        session: &SessionState,
    ) -> Result<(SignInStep, SessionChange), Fault> {
        let step = self.factors.next_step(user.id).await?;
        if step == SignInStep::Done {
            return Ok((step, self.create_sign_in(user, attempt, session).await?));
        }
        let now = self.clock.now();
        let id = PendingSignInId::from_uuid(self.clock.new_id());
        let mut tx = self.begin_sign_in_tx(user.id, attempt).await?;
        let (remember, credentials) = (attempt.remember, attempt.credentials);
        let pending = PendingSignIn { id, user: user.id, remember, credentials };
        tx.insert_pending_sign_in(&pending, now, now.plus_seconds(PENDING_SECONDS)).await?;
        tx.commit().await?;
        // A signed-in user cannot sign in as a second user: the previous sign-in ends.
        self.end_previous_sign_in(attempt.meta, session).await?;
        Ok((step, SessionChange::Pending(id)))
    }

    /// Finishes a sign-in with a code of the user's app or a recovery code.
    ///
    /// # Errors
    /// `Unauthenticated` if no sign-in is pending; `Invalid` on the field `code`, with the sign-in pending for up to
    /// ten attempts; `RateLimited`.
    pub async fn finish_sign_in(
        &self,
        code: &str,
        meta: &RequestMeta,
        session: &SessionState,
    ) -> Result<SessionChange, Fault> {
        let pending = self.count_pending_attempt(meta, session).await?;
        if !self.factors.use_code(pending.user, code).await? {
            let refusal = RefusedEvent { subject: Some(pending.user), action: AuditAction::SecondFactor, detail: "" };
            return meta.record_if_refused(&self.store, &self.clock, refusal, Err(wrong_code().into())).await;
        }
        self.complete_second_factor(pending, meta, session).await
    }

    /// The step that is still required in this session; `None` if no sign-in is pending.
    pub async fn pending_step(&self, session: &SessionState) -> Result<Option<SignInStep>, Fault> {
        match self.pending(session).await? {
            Some(pending) => Ok(Some(self.factors.next_step(pending.user).await?)),
            None => Ok(None),
        }
    }

    /// The pending sign-in of this session.
    pub(super) async fn pending(&self, session: &SessionState) -> Result<Option<PendingSignIn>, Fault> {
        let Some(id) = session.pending else { return Ok(None) };
        Ok(self.store.read().await?.find_pending_sign_in(id, self.clock.now()).await?)
    }

    /// The pending sign-in of this session, with one more attempt counted against it, the IP address and the account.
    pub(super) async fn count_pending_attempt(
        &self,
        meta: &RequestMeta,
        session: &SessionState,
    ) -> Result<PendingSignIn, Fault> {
        self.limits.count_code(meta).await?;
        let id = session.pending.ok_or(AppError::Unauthenticated)?;
        let mut tx = self.store.write().await?;
        let pending = tx.count_pending_sign_in_attempt(id, self.clock.now()).await?;
        tx.commit().await?;
        let pending = pending.ok_or(AppError::Unauthenticated)?;
        self.limits.count_code_for_user(meta, pending.user).await?;
        Ok(pending)
    }

    /// Signs the user in after the second factor.
    pub(super) async fn complete_second_factor(
        &self,
        pending: PendingSignIn,
        meta: &RequestMeta,
        session: &SessionState,
    ) -> Result<SessionChange, Fault> {
        let mut tx = self.store.write().await?;
        let first = tx.delete_pending_sign_in(pending.id).await?;
        let user = tx.owned_by(pending.user).find_user().await?;
        tx.commit().await?;
        let user = user.filter(|_| first).ok_or(AppError::Unauthenticated)?;
        let attempt = SignInAttempt {
            remember: pending.remember,
            meta,
            method: "second factor",
            credentials: pending.credentials,
            // The same error as if no sign-in were pending.
            refusal: AppError::Unauthenticated,
            counted: CountedAttempts::Code,
        };
        self.create_sign_in(user, &attempt, session).await
    }
}

/// Where to redirect after a sign-in step: to `next`, a path of this site, or to the second factor first.
pub fn redirect_path(step: &SignInStep, next: &str) -> String {
    match step {
        SignInStep::Done => next.to_owned(),
        SignInStep::SecondFactor { .. } => {
            format!("/sign-in/code?next={}", utf8_percent_encode(next, NON_ALPHANUMERIC))
        }
    }
}
