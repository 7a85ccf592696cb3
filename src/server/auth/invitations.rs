//! Who is let in: the policy of sign-up, and invitations.

use std::sync::atomic::Ordering;

use super::{
    Accounts, By, Caller, Origin,
    links::{Token, hash_of},
    origin::Act,
    throttle,
};
use crate::{
    domain::{
        AppError, AuditAction, Email, Invitation, InvitationId, Invited, NewInvitation, Outcome, Role, SignUpPolicy,
        UserId, limits,
    },
    server::{
        fault::Fault,
        mail::{Letter, moment},
        store::{LinkPurpose, NewLink, TokenHash, Tx},
    },
};

/// What is kept of an invitation with whose token somebody comes; nothing for an empty one.
pub(super) fn invitation_of(token: Option<&str>) -> Result<Option<TokenHash>, AppError> {
    let token = token.filter(|token| !token.is_empty());
    token.map(|token| hash_of(token).ok_or_else(dead_invitation)).transpose()
}

/// The right by which somebody makes an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Admission {
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

/// An invitation that an administrator wants to make.
#[derive(Debug)]
pub struct InvitationRequest {
    /// The only address that it is for, as typed; empty for whoever has the link.
    pub email: String,
    /// What the invited become.
    pub role: Role,
    /// How many people can use it.
    pub uses: u32,
    /// For how many days it holds.
    pub days: u32,
}

impl InvitationRequest {
    fn check(&self) -> Result<Option<Email>, AppError> {
        let email = (!self.email.trim().is_empty()).then(|| Email::parse(&self.email)).transpose()?;
        let at_most = if email.is_some() || self.role == Role::Administrator { 1 } else { limits::INVITATION_USES };
        if !(1..=at_most).contains(&self.uses) {
            let reason = match at_most {
                1 => "An invitation to one address, or of an administrator, is for one person.".to_owned(),
                _ => format!("Invite 1 to {at_most} people at once."),
            };
            return Err(AppError::invalid("uses", reason));
        }
        if !(1..=limits::INVITATION_DAYS).contains(&self.days) {
            let reason = format!("An invitation holds for 1 to {} days.", limits::INVITATION_DAYS);
            return Err(AppError::invalid("days", reason));
        }
        Ok(email)
    }
}

pub(super) fn require_administrator(caller: &Caller) -> Result<(), AppError> {
    if caller.user.role == Role::Administrator { Ok(()) } else { Err(AppError::Forbidden) }
}

pub(super) fn dead_invitation() -> AppError {
    AppError::invalid("invitation", "This invitation cannot be used any more. Ask for a new one.")
}

impl Accounts {
    /// Makes an invitation, and mails it where it is for one address and mails are sent. It holds no longer than its maker is an
    /// administrator.
    ///
    /// # Errors
    /// `Forbidden` for members; `Invalid` on `email`, `uses` or `days`; `RateLimited` (3 an hour to one address).
    pub async fn create_invitation(
        &self,
        caller: &Caller,
        request: &InvitationRequest,
        origin: &Origin,
    ) -> Result<NewInvitation, Fault> {
        require_administrator(caller)?;
        let email = request.check()?;
        if let Some(email) = &email {
            throttle::count_mail_to(&self.store, &self.clock, origin, "invitation", email).await?;
        }
        let (token, now) = (Token::new(), self.clock.now());
        let (id, link) = (self.clock.new_id(), self.link("/sign-up?invitation", &token));
        let mut tx = self.begin_change(&By::administrator(caller, origin)).await?;
        tx.insert_link(&NewLink {
            id,
            token_hash: &token.hash(),
            purpose: LinkPurpose::Invitation,
            user: None,
            email: email.as_ref().map(Email::given),
            role: Some(request.role),
            uses: request.uses,
            created_at: now,
            expires_at: now.plus_seconds(i64::from(request.days) * 86_400),
            created_by: Some(caller.user.id),
        })
        .await?;
        if let Some(email) = &email {
            self.post(&mut tx, email.given(), &Letter::invitation(&caller.user.name, &link, request.days)).await?;
        }
        let bound = email.as_ref().map_or("whoever has the link", |email| email.domain());
        let detail = format!("{} for {bound}, {} uses, {} days", request.role.word(), request.uses, request.days);
        let act = Act {
            actor: Some(caller.user.id),
            subject: None,
            action: AuditAction::CreateInvitation,
            outcome: Outcome::Done,
            detail: &detail,
        };
        origin.write(&mut tx, &self.clock, &act).await?;
        tx.commit().await?;
        Ok(NewInvitation { id: InvitationId::from_uuid(id), link, mailed: self.notices.are_sent() && email.is_some() })
    }

    /// The invitations that can be used now, newest first.
    ///
    /// # Errors
    /// `Forbidden` for members.
    pub async fn list_invitations(&self, caller: &Caller) -> Result<Vec<Invitation>, Fault> {
        require_administrator(caller)?;
        Ok(self.store.read().await?.list_invitations(self.clock.now()).await?)
    }

    /// Makes an invitation dead. Accounts that were made with it stay.
    ///
    /// # Errors
    /// `Forbidden` for members, `NotFound` where there is none that could be used.
    pub async fn revoke_invitation(&self, caller: &Caller, id: InvitationId, origin: &Origin) -> Result<(), Fault> {
        let mut tx = self.begin_change(&By::administrator(caller, origin)).await?;
        if !tx.delete_invitation(id, self.clock.now()).await? {
            return Err(AppError::NotFound.into());
        }
        let act = Act {
            actor: Some(caller.user.id),
            subject: None,
            action: AuditAction::RevokeInvitation,
            outcome: Outcome::Done,
            detail: "",
        };
        origin.write(&mut tx, &self.clock, &act).await?;
        tx.commit().await?;
        Ok(())
    }

    /// What an invitation says to whoever holds its link.
    ///
    /// # Errors
    /// As the database says.
    pub async fn find_invitation(&self, token: &str) -> Result<Invited, Fault> {
        let Some(hash) = hash_of(token) else { return Ok(Invited::Dead) };
        let found = self.store.read().await?.find_invitation(&hash, self.clock.now()).await?;
        Ok(found.map_or(Invited::Dead, |invitation| Invited::Holds {
            email: invitation.email,
            role: invitation.role,
            until: moment(invitation.expires_at),
        }))
    }

    /// Whether a stranger can make an account now.
    ///
    /// # Errors
    /// As the database says.
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
                return Err(AppError::invalid("email", "This invitation is for another e-mail address.").into());
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
            SignUpPolicy::Domains => {
                let reason = format!("Use an address of {}.", self.domains.join(" or "));
                Err(AppError::invalid("email", reason).into())
            }
        }
    }

    /// Does for a new account, which is not the first, what its right asks for. Gives its role, and whether it may
    /// sign in at once.
    pub(super) async fn settle_admission(
        &self,
        tx: &mut Tx,
        admission: &Admission,
        (user, email): (UserId, &Email),
        origin: &Origin,
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
                    origin.note_of(tx, &self.clock, user, AuditAction::VerifyAddress, "by an invitation").await?;
                }
                Ok((link.role, true))
            }
        }
    }
}
