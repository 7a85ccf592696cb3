//! Who may create an account: the sign-up policy and invitations.

use std::sync::atomic::Ordering;

use super::{Accounts, links::hash_token};
use crate::{
    domain::{AppError, AuditAction, Email, InvitationStatus, Role, SignUpPolicy, UserId},
    i18n::{Reason, Texts},
    server::{
        audit::RequestMeta,
        fault::Fault,
        mail::format_time,
        store::{LinkPurpose, TokenHash, Tx},
    },
};

/// Parses the token of an invitation into its hash; `None` for an empty one.
pub(super) fn parse_invitation(token: Option<&str>) -> Result<Option<TokenHash>, AppError> {
    let token = token.filter(|token| !token.is_empty());
    token.map(|token| hash_token(token).ok_or_else(invalid_invitation)).transpose()
}

/// What permits a new account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is the first account of the installation.
    First,
    /// Sign-up is open, and addresses cannot be verified.
    Open,
    /// Sign-up is open to everyone or to certain domains, once the address is verified.
    OnceVerified,
    /// An invitation, by the hash of its token.
    Invited(TokenHash),
    /// The operator creates the account, with this role.
    Operator(Role),
}

pub(super) fn invalid_invitation() -> AppError {
    AppError::invalid("invitation", reason!("invitation_dead"))
}

/// The error for an address outside the allowed domains.
fn required_domain(domains: &[String]) -> Reason {
    match domains {
        [others @ .., last] if !others.is_empty() => reason!("email_domains", others = others.join(", "), last = last),
        domains => reason!("email_domain", domain = domains.concat()),
    }
}

impl Accounts {
    /// The email domains that may sign up.
    pub fn sign_up_domains(&self) -> &[String] {
        &self.domains
    }

    /// The details of an invitation, for the person who opens its link.
    pub async fn find_invitation(&self, token: &str, texts: &Texts) -> Result<InvitationStatus, Fault> {
        let Some(hash) = hash_token(token) else { return Ok(InvitationStatus::Invalid) };
        let found = self.store.read().await?.find_invitation(&hash, self.clock.now()).await?;
        Ok(found.map_or(InvitationStatus::Invalid, |invitation| InvitationStatus::Valid {
            email: invitation.email,
            role: invitation.role,
            until: format_time(texts, invitation.expires_at),
        }))
    }

    /// Who can sign up now.
    pub async fn sign_up_policy(&self) -> Result<SignUpPolicy, Fault> {
        let installed = self.is_installed().await?;
        Ok(match (installed, self.sign_up_open, self.domains.is_empty()) {
            (false, ..) => SignUpPolicy::First,
            (true, true, _) => SignUpPolicy::Open,
            (true, false, false) => SignUpPolicy::Domains,
            (true, false, true) => SignUpPolicy::Closed,
        })
    }

    /// Whether the first account has been created. Once true, it is cached permanently, because every visit of the
    /// sign-in page needs it.
    async fn is_installed(&self) -> Result<bool, Fault> {
        if self.installed.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let installed = self.store.read().await?.is_installed().await?;
        self.installed.fetch_or(installed, Ordering::Relaxed);
        Ok(installed)
    }

    /// Decides whether an account with this address may be created. An invitation takes precedence over the policy.
    pub(super) async fn check_admission(
        &self,
        email: &Email,
        invitation: Option<TokenHash>,
    ) -> Result<Admission, Fault> {
        let policy = self.sign_up_policy().await?;
        if let Some(hash) = invitation.filter(|_| policy != SignUpPolicy::First) {
            let link = self.store.read().await?.find_link(&hash, LinkPurpose::Invitation, self.clock.now()).await?;
            let bound = link.ok_or_else(invalid_invitation)?.email;
            if bound.is_some_and(|bound| !bound.eq_ignore_ascii_case(email.as_entered())) {
                return Err(AppError::invalid("email", reason!("invitation_for_another")).into());
            }
            return Ok(Admission::Invited(hash));
        }
        match policy {
            SignUpPolicy::First => Ok(Admission::First),
            // A mail is sent in any case, so the response does not reveal whether the address is in use.
            SignUpPolicy::Open if self.notifier.is_enabled() => Ok(Admission::OnceVerified),
            SignUpPolicy::Open => Ok(Admission::Open),
            SignUpPolicy::Closed => Err(AppError::Forbidden.into()),
            SignUpPolicy::Domains if self.domains.iter().any(|domain| domain == email.domain()) => {
                Ok(Admission::OnceVerified)
            }
            SignUpPolicy::Domains => Err(AppError::invalid("email", required_domain(&self.domains)).into()),
        }
    }

    /// Applies an admission to a new account that is not the first. Returns its role, and whether it may sign in
    /// immediately.
    pub(super) async fn apply_admission(
        &self,
        tx: &mut Tx,
        admission: &Admission,
        (user, email): (UserId, &Email),
        meta: &RequestMeta,
    ) -> Result<(Role, bool), Fault> {
        let now = self.clock.now();
        match admission {
            Admission::Open => Ok((Role::Member, true)),
            // Another account was created first in the meantime.
            Admission::First if self.sign_up_open => Ok((Role::Member, true)),
            Admission::First => Err(AppError::Forbidden.into()),
            Admission::Operator(role) => {
                tx.admin().update_role(user, *role).await?;
                Ok((*role, true))
            }
            Admission::OnceVerified => {
                tx.owned_by(user).require_verified_address().await?;
                self.insert_verification(tx, user, email).await?;
                Ok((Role::Member, false))
            }
            Admission::Invited(hash) => {
                let link = tx.use_link(hash, LinkPurpose::Invitation, now).await?.ok_or_else(invalid_invitation)?;
                tx.admin().update_role(user, link.role).await?;
                // The invitation was mailed to this address, or an administrator vouches for it.
                if link.email.is_some() && tx.owned_by(user).verify_address(email, now).await? {
                    meta.record_own_with_detail(tx, &self.clock, user, AuditAction::VerifyAddress, "by an invitation")
                        .await?;
                }
                Ok((link.role, true))
            }
        }
    }
}
