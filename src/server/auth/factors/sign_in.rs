//! The second step of a sign-in.

use tower_sessions::{Expiry, Session};

use super::totp::wrong_code;
use crate::{
    domain::{AppError, AuditAction, CurrentUser, PendingSignInId, SignInId, SignInStep},
    server::{
        audit::{Refusal, RequestMeta},
        auth::{Accounts, Caller, account::SIGN_IN, entry::Entry},
        fault::Fault,
        limits::Tries,
        store::PendingSignIn,
    },
};

/// The key of a session record's entry for somebody whose password was right.
pub(in crate::server::auth) const PENDING: &str = "pending_sign_in";
/// How long the second factor may take.
const PENDING_SECONDS: i64 = 600;

impl Accounts {
    /// Whether the installation asks this person for a second factor that they do not have yet.
    pub async fn must_enrol(&self, caller: &Caller) -> Result<bool, Fault> {
        self.factors.must_enrol(&caller.user).await
    }

    /// Lets somebody in whose first factor was right: signs them in, or where they have a second factor notes that it is to
    /// come. Every way in that is not a second factor itself ends here.
    pub(in crate::server::auth) async fn enter(
        &self,
        user: CurrentUser,
        entry: &Entry<'_>,
        session: &Session,
    ) -> Result<SignInStep, Fault> {
        let step = self.factors.step_after_password(user.id).await?;
        if step == SignInStep::Done {
            self.begin(user, entry, session).await?;
            return Ok(step);
        }
        let now = self.clock.now();
        let id = PendingSignInId::from_uuid(self.clock.new_id());
        let mut tx = self.begin_entry(user.id, entry).await?;
        let (remember, credentials) = (entry.remember, entry.credentials);
        let pending = PendingSignIn { id, user: user.id, remember, credentials };
        tx.insert_pending_sign_in(&pending, now, now.plus_seconds(PENDING_SECONDS)).await?;
        tx.commit().await?;
        // Nobody is two people: whoever was signed in here is so no more.
        self.end_former(entry.meta, session).await?;
        session.cycle_id().await.map_err(Fault::internal)?;
        session.remove::<SignInId>(SIGN_IN).await.map_err(Fault::internal)?;
        session.insert(PENDING, id).await.map_err(Fault::internal)?;
        session.set_expiry(Some(Expiry::OnSessionEnd));
        session.save().await.map_err(Fault::internal)?;
        Ok(step)
    }

    /// Finishes a sign-in with a code of the person's app or with a recovery code.
    ///
    /// # Errors
    /// `Unauthenticated` where nothing is pending, or no more; `Invalid` on the field `code`, after which the sign-in
    /// stays pending until the tenth time; `RateLimited`.
    pub async fn finish_sign_in(&self, code: &str, meta: &RequestMeta, session: &Session) -> Result<Caller, Fault> {
        let pending = self.try_pending(meta, session).await?;
        if !self.factors.use_code(pending.user, code).await? {
            let refusal = Refusal { subject: Some(pending.user), action: AuditAction::SecondFactor, detail: "" };
            return meta.record_if_refused(&self.store, &self.clock, refusal, Err(wrong_code().into())).await;
        }
        self.complete(pending, meta, session).await
    }

    /// What must still be shown in this session; `None` where nothing is pending.
    ///
    /// # Errors
    /// As the database and the session store say.
    pub async fn pending_step(&self, session: &Session) -> Result<Option<SignInStep>, Fault> {
        match self.pending(session).await? {
            Some(pending) => Ok(Some(self.factors.step_after_password(pending.user).await?)),
            None => Ok(None),
        }
    }

    /// The sign-in that is pending in this session.
    pub(super) async fn pending(&self, session: &Session) -> Result<Option<PendingSignIn>, Fault> {
        let id: Option<PendingSignInId> = session.get(PENDING).await.map_err(Fault::internal)?;
        let Some(id) = id else { return Ok(None) };
        Ok(self.store.read().await?.find_pending_sign_in(id, self.clock.now()).await?)
    }

    /// The pending sign-in of this session, with one more try counted against it, the address and the account.
    pub(super) async fn try_pending(&self, meta: &RequestMeta, session: &Session) -> Result<PendingSignIn, Fault> {
        self.limits.count_code(meta).await?;
        let id: Option<PendingSignInId> = session.get(PENDING).await.map_err(Fault::internal)?;
        let id = id.ok_or(AppError::Unauthenticated)?;
        let mut tx = self.store.write().await?;
        let pending = tx.try_pending_sign_in(id, self.clock.now()).await?;
        tx.commit().await?;
        let pending = pending.ok_or(AppError::Unauthenticated)?;
        self.limits.count_code_of(meta, pending.user).await?;
        Ok(pending)
    }

    /// Signs in whoever has shown the second factor.
    pub(super) async fn complete(
        &self,
        pending: PendingSignIn,
        meta: &RequestMeta,
        session: &Session,
    ) -> Result<Caller, Fault> {
        let mut tx = self.store.write().await?;
        let first = tx.delete_pending_sign_in(pending.id).await?;
        let user = tx.find_user(pending.user).await?;
        tx.commit().await?;
        let user = user.filter(|_| first).ok_or(AppError::Unauthenticated)?;
        session.remove::<PendingSignInId>(PENDING).await.map_err(Fault::internal)?;
        let entry = Entry {
            remember: pending.remember,
            meta,
            by: "second factor",
            credentials: pending.credentials,
            // As where nothing is pending any more.
            refusal: AppError::Unauthenticated,
            tries: Tries::Code,
        };
        self.begin(user, &entry, session).await
    }
}

/// Where a sign-in leads: to `next`, a path of this site, or to the second factor and then there.
pub fn path_after(step: &SignInStep, next: &str) -> String {
    match step {
        SignInStep::Done => next.to_owned(),
        SignInStep::SecondFactor { .. } => format!("/sign-in/code?next={}", leptos_router::location::Url::escape(next)),
    }
}
