//! Sign-up: creating accounts.

use super::{
    Accounts, Admission, Credentials, SessionChange, SessionState, admission::parse_invitation,
    email::VERIFICATION_SECONDS, password_policy, sign_in_attempt::SignInAttempt,
};
use crate::{
    domain::{
        AppError, AuditAction, CurrentUser, Email, Outcome, PasswordRating, PendingSignInId, Role, SignInStep, UserId,
        limits,
    },
    server::{
        audit::{AuditEvent, RefusedEvent, RequestMeta},
        fault::Fault,
        limits::CountedAttempts,
        names::parse_name,
        store::{CredentialsVersion, NewUser, PendingSignIn, StoreError, Tx},
    },
};

/// A refused sign-up.
const REFUSED_SIGN_UP: RefusedEvent<'_> = RefusedEvent { subject: None, action: AuditAction::SignUp, detail: "" };

/// An account to create and sign in.
#[derive(Debug)]
pub struct NewAccount {
    /// The name as typed.
    pub name: String,
    /// The token of an invitation, if any.
    pub invitation: Option<String>,
    /// Email address, password and request data.
    pub credentials: Credentials,
}

impl Accounts {
    /// Rates the strength of a password. The work is bounded and runs off the async threads.
    ///
    /// # Errors
    /// `Invalid` if an input is too long to be rated.
    pub async fn rate_password(&self, email: String, name: String, password: String) -> Result<PasswordRating, Fault> {
        let too_long = email.len() > limits::MAX_EMAIL_BYTES || name.len() > 4 * limits::MAX_NAME_CHARS;
        if too_long || password.len() > 4 * limits::MAX_PASSWORD_BYTES {
            return Err(AppError::invalid("password", reason!("password_endless")).into());
        }
        Ok(tokio::task::spawn_blocking(move || password_policy::rate(&password, &email, &name)).await?)
    }

    /// Creates an account and signs it in. The first account becomes an administrator; later ones need open sign-up, an
    /// allowed domain or an invitation. Returns `SignedUp` if the address must be verified first; the mail with the link
    /// is queued. In that case an address that is already in use gets the same response.
    ///
    /// # Errors
    /// `Invalid` with the field; `Forbidden` if sign-up is closed; `Conflict` if the address is in use and no mail can
    /// report it; `RateLimited`.
    pub async fn sign_up(&self, account: NewAccount, session: &SessionState) -> Result<SessionChange, Fault> {
        let NewAccount { name, invitation, credentials } = account;
        let email = Email::parse(&credentials.email)?;
        if invitation.as_deref().is_some_and(|token| !token.is_empty()) {
            self.limits.count_link(&credentials.meta).await?;
        }
        let meta = &credentials.meta;
        let admission = match parse_invitation(invitation.as_deref()) {
            Ok(invitation) => self.check_admission(&email, invitation).await,
            Err(invalid) => Err(invalid.into()),
        };
        let admission = match admission {
            // Rate-limited, so that an attacker cannot flood the audit log.
            refused @ Err(_) => {
                self.limits.count_sign_up(meta).await?;
                meta.record_if_refused(&self.store, &self.clock, REFUSED_SIGN_UP, refused).await?
            }
            admission => admission?,
        };
        let name = parse_name(&name)?;
        password_policy::check(&credentials.password, email.as_entered(), &name)?;
        self.limits.count_sign_up(meta).await?;
        let password_hash = self.passwords.hash(credentials.password.clone()).await?;
        let mut tx = self.store.write().await?;
        // If a mail is sent in any case, only the mail reveals whether the address is in use; the response does not.
        let is_answered_by_mail = admission == Admission::OnceVerified;
        if is_answered_by_mail && tx.find_user_by_email(email.key()).await?.is_some() {
            return self.refuse_taken(tx, &email, meta).await;
        }
        if is_answered_by_mail {
            // A mail is sent in both cases and counts the same, since a client could observe the difference.
            let _ = self.limits.count_mail_in(&mut tx, meta, "sign-up", &email).await?;
        }
        let inserted = self.insert_account(&mut tx, &email, &name, &password_hash, &admission, (meta, "")).await;
        let (user, may_sign_in) = match inserted {
            Ok(inserted) => inserted,
            // A concurrent sign-up with the same address was faster.
            Err(Fault::App(AppError::Conflict { .. })) if is_answered_by_mail => {
                drop(tx);
                let tx = self.store.write().await?;
                return self.refuse_taken(tx, &email, meta).await;
            }
            Err(fault) => {
                drop(tx);
                return meta.record_if_refused(&self.store, &self.clock, REFUSED_SIGN_UP, Err(fault)).await;
            }
        };
        if !may_sign_in {
            return self.await_verification(tx, user.id, credentials.remember).await;
        }
        tx.commit().await?;
        let attempt = SignInAttempt {
            remember: credentials.remember,
            meta,
            method: "",
            credentials: CredentialsVersion::FIRST,
            // The new account has been disabled in the meantime.
            refusal: AppError::Unauthenticated,
            counted: CountedAttempts::Uncounted,
        };
        self.create_sign_in(user, &attempt, session).await
    }

    /// Stores that the browser of a sign-up may sign in once the address is verified, and commits the sign-up.
    async fn await_verification(&self, mut tx: Tx, user: UserId, remember: bool) -> Result<SessionChange, Fault> {
        let id = PendingSignInId::from_uuid(self.clock.new_id());
        let pending = PendingSignIn { id, user, remember, credentials: CredentialsVersion::FIRST };
        let now = self.clock.now();
        tx.insert_pending_sign_in(&pending, now, now.plus_seconds(VERIFICATION_SECONDS)).await?;
        tx.commit().await?;
        Ok(SessionChange::SignedUp(id))
    }

    /// Signs in the owner of an address that was just verified, if their account was created in this browser. `None` in
    /// any other browser: others than the owner may have followed the link, such as a mail scanner.
    pub async fn sign_in_after_sign_up(
        &self,
        user: UserId,
        meta: &RequestMeta,
        session: &SessionState,
    ) -> Result<Option<(SignInStep, SessionChange)>, Fault> {
        let Some(id) = session.sign_up else { return Ok(None) };
        let mut tx = self.store.write().await?;
        let pending = tx.find_pending_sign_in(id, self.clock.now()).await?;
        let Some(pending) = pending.filter(|pending| pending.user == user) else { return Ok(None) };
        let is_first = tx.delete_pending_sign_in(id).await?;
        let owner = tx.owned_by(user).find_user().await?;
        tx.commit().await?;
        let Some(owner) = owner.filter(|_| is_first) else { return Ok(None) };
        let attempt = SignInAttempt {
            remember: pending.remember,
            meta,
            method: "",
            credentials: pending.credentials,
            refusal: AppError::Unauthenticated,
            counted: CountedAttempts::Uncounted,
        };
        Ok(Some(self.complete_first_factor(owner, &attempt, session).await?))
    }

    /// Notifies the owner of an address about a sign-up attempt with it. It takes one write transaction, like creating
    /// an account, so the response time does not reveal that the address is in use. Nor does the session, which gets an
    /// id that nothing has.
    async fn refuse_taken(&self, mut tx: Tx, email: &Email, meta: &RequestMeta) -> Result<SessionChange, Fault> {
        let RefusedEvent { subject, action, detail } = REFUSED_SIGN_UP;
        let event = AuditEvent { actor: None, subject, action, outcome: Outcome::Refused, detail };
        meta.record(&mut tx, &self.clock, &event).await?;
        self.notify_owner_of_sign_up(&mut tx, email, meta).await?;
        tx.commit().await?;
        Ok(SessionChange::SignedUp(PendingSignInId::from_uuid(self.clock.new_id())))
    }

    /// Inserts an account; the caller commits. Returns it, and whether it may sign in immediately. An empty
    /// `password_hash` means no password. `method` is the sign-up method for the audit log; empty for the form.
    pub(crate) async fn insert_account(
        &self,
        tx: &mut Tx,
        email: &Email,
        name: &str,
        password_hash: &str,
        admission: &Admission,
        (meta, method): (&RequestMeta, &str),
    ) -> Result<(CurrentUser, bool), Fault> {
        let (id, now) = (UserId::from_uuid(self.clock.new_id()), self.clock.now());
        let user = NewUser {
            id,
            email: email.as_entered(),
            email_key: email.key(),
            name,
            password_hash,
            role: Role::Member,
            language: meta.language.tag(),
            created_at: now,
        };
        match tx.insert_user(&user).await {
            Err(StoreError::Duplicate) => return Err(email_taken().into()),
            other => other?,
        }
        let (role, may_sign_in) = if tx.admin().claim_installation(id, now).await? {
            tx.admin().update_role(id, Role::Administrator).await?;
            (Role::Administrator, true)
        } else {
            self.apply_admission(tx, admission, (id, email), meta).await?
        };
        // If the operator creates the account, its owner is not the actor.
        let actor = (!matches!(admission, Admission::Operator(_))).then_some(id);
        let detail = if matches!(admission, Admission::Invited(_)) { "invitation" } else { method };
        let event =
            AuditEvent { actor, subject: Some(id), action: AuditAction::SignUp, outcome: Outcome::Done, detail };
        meta.record(tx, &self.clock, &event).await?;
        Ok((CurrentUser { id, name: name.to_owned(), email: email.as_entered().to_owned(), role }, may_sign_in))
    }
}

fn email_taken() -> AppError {
    AppError::conflict(reason!("email_taken_sign_in"))
}
