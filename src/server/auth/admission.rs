//! Who may make an account: the sign-up policy, and invitations.

use std::sync::atomic::Ordering;

use super::{Accounts, links::hash_of};
use crate::{
    domain::{AppError, AuditAction, Email, Invited, Role, SignUpPolicy, UserId},
    i18n::{Reason, Texts},
    server::{
        audit::RequestMeta,
        fault::Fault,
        mail::moment,
        store::{LinkPurpose, TokenHash, Tx},
    },
};

/// What is kept of an invitation with whose token somebody comes; nothing for an empty one.
pub(super) fn invitation_of(token: Option<&str>) -> Result<Option<TokenHash>, AppError> {
    let token = token.filter(|token| !token.is_empty());
    token.map(|token| hash_of(token).ok_or_else(dead_invitation)).transpose()
}

/// The right by which somebody makes an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Nobody was there yet.
    First,
    /// Everybody may, and it cannot be asked whose address it is.
    Open,
    /// Everybody may, or whose address is of certain domains, once they have shown that the address is theirs.
    OnceVerified,
    /// By this invitation.
    Invited(TokenHash),
    /// The operator makes it, for somebody with this role.
    Operator(Role),
}

pub(super) fn dead_invitation() -> AppError {
    AppError::invalid("invitation", reason!("invitation_dead"))
}

/// Of which domains an address must be.
fn required_domain(domains: &[String]) -> Reason {
    match domains {
        [others @ .., last] if !others.is_empty() => reason!("email_domains", others = others.join(", "), last = last),
        domains => reason!("email_domain", domain = domains.concat()),
    }
}

impl Accounts {
    /// The domains whose addresses may sign up.
    pub fn sign_up_domains(&self) -> &[String] {
        &self.domains
    }

    /// What an invitation says to whoever holds its link.
    pub async fn find_invitation(&self, token: &str, texts: &Texts) -> Result<Invited, Fault> {
        let Some(hash) = hash_of(token) else { return Ok(Invited::Dead) };
        let found = self.store.read().await?.find_invitation(&hash, self.clock.now()).await?;
        Ok(found.map_or(Invited::Dead, |invitation| Invited::Holds {
            email: invitation.email,
            role: invitation.role,
            until: moment(texts, invitation.expires_at),
        }))
    }

    /// Whether a stranger can make an account now.
    pub async fn sign_up_policy(&self) -> Result<SignUpPolicy, Fault> {
        let installed = self.is_installed().await?;
        Ok(match (installed, self.open, self.domains.is_empty()) {
            (false, ..) => SignUpPolicy::First,
            (true, true, _) => SignUpPolicy::Open,
            (true, false, false) => SignUpPolicy::Domains,
            (true, false, true) => SignUpPolicy::Closed,
        })
    }

    /// Whether there was ever a first account. Once there was, this holds for good, and is not asked again: every visit of the
    /// sign-in page wants to know.
    async fn is_installed(&self) -> Result<bool, Fault> {
        if self.installed.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let installed = self.store.read().await?.is_installed().await?;
        self.installed.fetch_or(installed, Ordering::Relaxed);
        Ok(installed)
    }

    /// By which right somebody with this address makes an account. An invitation goes before the policy.
    pub(super) async fn admit(&self, email: &Email, invitation: Option<TokenHash>) -> Result<Admission, Fault> {
        let policy = self.sign_up_policy().await?;
        if let Some(hash) = invitation.filter(|_| policy != SignUpPolicy::First) {
            let link = self.store.read().await?.find_link(&hash, LinkPurpose::Invitation, self.clock.now()).await?;
            let bound = link.ok_or_else(dead_invitation)?.email;
            if bound.is_some_and(|bound| !bound.eq_ignore_ascii_case(email.given())) {
                return Err(AppError::invalid("email", reason!("invitation_for_another")).into());
            }
            return Ok(Admission::Invited(hash));
        }
        match policy {
            SignUpPolicy::First => Ok(Admission::First),
            // Whoever had to wait for a mail in any case is not told by the page whether the address is taken.
            SignUpPolicy::Open if self.notices.are_sent() => Ok(Admission::OnceVerified),
            SignUpPolicy::Open => Ok(Admission::Open),
            SignUpPolicy::Closed => Err(AppError::Forbidden.into()),
            SignUpPolicy::Domains if self.domains.iter().any(|domain| domain == email.domain()) => {
                Ok(Admission::OnceVerified)
            }
            SignUpPolicy::Domains => Err(AppError::invalid("email", required_domain(&self.domains)).into()),
        }
    }

    /// Does for a new account, which is not the first, what its right asks for. Gives its role, and whether it may
    /// sign in at once.
    pub(super) async fn settle_admission(
        &self,
        tx: &mut Tx,
        admission: &Admission,
        (user, email): (UserId, &Email),
        meta: &RequestMeta,
    ) -> Result<(Role, bool), Fault> {
        let now = self.clock.now();
        match admission {
            Admission::Open => Ok((Role::Member, true)),
            // Somebody else was first in the meantime.
            Admission::First if self.open => Ok((Role::Member, true)),
            Admission::First => Err(AppError::Forbidden.into()),
            Admission::Operator(role) => {
                tx.update_role(user, *role).await?;
                Ok((*role, true))
            }
            Admission::OnceVerified => {
                tx.require_verified_address(user).await?;
                self.insert_verification(tx, user, email).await?;
                Ok((Role::Member, false))
            }
            Admission::Invited(hash) => {
                let link = tx.use_link(hash, LinkPurpose::Invitation, now).await?.ok_or_else(dead_invitation)?;
                tx.update_role(user, link.role).await?;
                // The link went to this address, or an administrator vouches for it.
                if link.email.is_some() && tx.verify_address(user, email, now).await? {
                    meta.record_own_on(tx, &self.clock, user, AuditAction::VerifyAddress, "by an invitation").await?;
                }
                Ok((link.role, true))
            }
        }
    }
}
