//! Making accounts.

use tower_sessions::Session;

use super::{Accounts, Admission, Caller, Credentials, admission::invitation_of, entry::Entry, rule};
use crate::{
    domain::{AppError, AuditAction, CurrentUser, Email, Outcome, PasswordRating, Role, UserId, limits, parse_name},
    server::{
        audit::{AuditEvent, Refusal, RequestMeta},
        fault::Fault,
        limits::Tries,
        store::{CredentialsVersion, NewUser, StoreError, Tx},
    },
};

/// A refused sign-up.
const SIGN_UP: Refusal<'_> = Refusal { subject: None, action: AuditAction::SignUp, detail: "" };

/// An account to be made, which is then signed in.
#[derive(Debug)]
pub struct NewAccount {
    /// The person's name as typed.
    pub name: String,
    /// The token of an invitation, where they have one.
    pub invitation: Option<String>,
    /// The rest.
    pub credentials: Credentials,
}

impl Accounts {
    /// Rates a password, with the work bounded and off the async threads.
    ///
    /// # Errors
    /// `Invalid` where an input is too long to be looked at.
    pub async fn rate_password(&self, email: String, name: String, password: String) -> Result<PasswordRating, Fault> {
        let too_long = email.len() > limits::EMAIL_BYTES || name.len() > 4 * limits::NAME_CHARS;
        if too_long || password.len() > 4 * limits::PASSWORD_MAX_BYTES {
            return Err(AppError::invalid("password", reason!("password_endless")).into());
        }
        Ok(tokio::task::spawn_blocking(move || rule::rate(&password, &email, &name)).await?)
    }

    /// Makes an account and signs it in. The first one becomes the administrator's; after it strangers may join
    /// only where the configuration opens sign-up, or with an invitation. Gives `None` for an account whose address
    /// must be verified first; the link for that is on its way. Where that is so, a taken address is answered alike.
    ///
    /// # Errors
    /// `Invalid` with the field, `Forbidden` where sign-up is closed, `Conflict` where the address is taken and no mail could tell so,
    /// `RateLimited`.
    pub async fn sign_up(&self, account: NewAccount, session: &Session) -> Result<Option<Caller>, Fault> {
        let NewAccount { name, invitation, credentials } = account;
        let email = Email::parse(&credentials.email)?;
        if invitation.as_deref().is_some_and(|token| !token.is_empty()) {
            self.limits.count_link(&credentials.meta).await?;
        }
        let meta = &credentials.meta;
        let admission = match invitation_of(invitation.as_deref()) {
            Ok(invitation) => self.admit(&email, invitation).await,
            Err(dead) => Err(dead.into()),
        };
        let admission = match admission {
            // Counted, so that nobody fills the audit with it.
            refused @ Err(_) => {
                self.limits.count_sign_up(meta).await?;
                meta.record_if_refused(&self.store, &self.clock, SIGN_UP, refused).await?
            }
            admission => admission?,
        };
        let name = parse_name(&name)?;
        rule::check(&credentials.password, email.given(), &name)?;
        self.limits.count_sign_up(meta).await?;
        let password_hash = self.passwords.hash(credentials.password.clone()).await?;
        let mut tx = self.store.write().await?;
        // Who gets a mail in any case is told by the mail, and nobody else is told anything.
        let is_told_by_mail = admission == Admission::OnceVerified;
        if is_told_by_mail && tx.find_user_by_email(email.key()).await?.is_some() {
            return self.refuse_taken(tx, &email, meta).await.map(|()| None);
        }
        if is_told_by_mail {
            // A mail goes out either way, and counts alike: who asks could count too.
            let _ = self.limits.count_mail_in(&mut tx, meta, "sign-up", &email).await?;
        }
        let made = self.insert_account(&mut tx, &email, &name, &password_hash, &admission, (meta, "")).await;
        let made = match made {
            Ok(made) => made,
            // Somebody else was faster.
            Err(Fault::App(AppError::Conflict { .. })) if is_told_by_mail => {
                drop(tx);
                let tx = self.store.write().await?;
                return self.refuse_taken(tx, &email, meta).await.map(|()| None);
            }
            refused => {
                drop(tx);
                return meta.record_if_refused(&self.store, &self.clock, SIGN_UP, refused).await.map(|_| None);
            }
        };
        tx.commit().await?;
        let (user, true) = made else { return Ok(None) };
        let entry = Entry {
            remember: credentials.remember,
            meta,
            by: "",
            credentials: CredentialsVersion::FIRST,
            // Somebody has shut the account that was made a moment ago.
            refusal: AppError::Unauthenticated,
            tries: Tries::Uncounted,
        };
        Ok(Some(self.begin(user, &entry, session).await?))
    }

    /// Has the owner of an address told that somebody wanted to make an account with it. Written in one transaction, as an
    /// account would be, so that the time does not tell the address from one that is free.
    async fn refuse_taken(&self, mut tx: Tx, email: &Email, meta: &RequestMeta) -> Result<(), Fault> {
        let Refusal { subject, action, detail } = SIGN_UP;
        let event = AuditEvent { actor: None, subject, action, outcome: Outcome::Refused, detail };
        meta.record(&mut tx, &self.clock, &event).await?;
        self.tell_of_sign_up(&mut tx, email, meta).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Writes an account; the caller commits. Gives it, and whether it may sign in at once. An empty hash is no password.
    /// `by` says by which way it came, where that is no form.
    pub(crate) async fn insert_account(
        &self,
        tx: &mut Tx,
        email: &Email,
        name: &str,
        password_hash: &str,
        admission: &Admission,
        (meta, by): (&RequestMeta, &str),
    ) -> Result<(CurrentUser, bool), Fault> {
        let (id, now) = (UserId::from_uuid(self.clock.new_id()), self.clock.now());
        let user = NewUser {
            id,
            email: email.given(),
            email_key: email.key(),
            name,
            password_hash,
            role: Role::Member,
            language: meta.language.tag(),
            created_at: now,
        };
        match tx.insert_user(&user).await {
            Err(StoreError::Duplicate) => return Err(taken().into()),
            other => other?,
        }
        let (role, may_sign_in) = if tx.claim_installation(id, now).await? {
            tx.update_role(id, Role::Administrator).await?;
            (Role::Administrator, true)
        } else {
            self.settle_admission(tx, admission, (id, email), meta).await?
        };
        // Whom the operator made an account for has done nothing yet.
        let actor = (!matches!(admission, Admission::Operator(_))).then_some(id);
        let detail = if matches!(admission, Admission::Invited(_)) { "invitation" } else { by };
        let event =
            AuditEvent { actor, subject: Some(id), action: AuditAction::SignUp, outcome: Outcome::Done, detail };
        meta.record(tx, &self.clock, &event).await?;
        Ok((CurrentUser { id, name: name.to_owned(), email: email.given().to_owned(), role }, may_sign_in))
    }
}

fn taken() -> AppError {
    AppError::conflict(reason!("email_taken_sign_in"))
}
