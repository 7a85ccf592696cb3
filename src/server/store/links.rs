//! Links with a secret token, for one purpose and a limited number of uses. Only the hash of the token is stored.

use uuid::Uuid;

use super::{
    Admin, Owned, StoreError, Tx, UnknownValue,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{Invitation, InvitationId, Role, Timestamp, UserId};

/// The purpose of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkPurpose {
    /// Verifies the e-mail address of an account.
    VerifyAddress,
    /// Resets the password of an account.
    ResetPassword,
    /// Changes the e-mail address of an account.
    ChangeAddress,
    /// Invites a new user to sign up.
    Invitation,
}

impl LinkPurpose {
    /// The name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyAddress => "verify_address",
            Self::ResetPassword => "reset_password",
            Self::ChangeAddress => "change_address",
            Self::Invitation => "invitation",
        }
    }
}

impl TryFrom<String> for LinkPurpose {
    type Error = UnknownValue;

    fn try_from(value: String) -> Result<Self, UnknownValue> {
        let all = [Self::VerifyAddress, Self::ResetPassword, Self::ChangeAddress, Self::Invitation];
        let known = all.into_iter().find(|purpose| purpose.as_str() == value);
        known.ok_or_else(|| UnknownValue::new("the purpose of a link", value))
    }
}

/// The SHA-256 of a link's token.
pub type TokenHash = [u8; 32];

/// A link to insert.
#[derive(Debug)]
pub struct NewLink<'a> {
    /// The link's id, which is not secret.
    pub id: Uuid,
    /// The hash of the token.
    pub token_hash: &'a TokenHash,
    /// The purpose.
    pub purpose: LinkPurpose,
    /// The account that the link is for; `None` for an invitation.
    pub user: Option<UserId>,
    /// The e-mail address that the link is for.
    pub email: Option<&'a str>,
    /// The role of an invited user.
    pub role: Option<Role>,
    /// How often the link can be used.
    pub uses: u32,
    /// The current time.
    pub created_at: Timestamp,
    /// When the link expires.
    pub expires_at: Timestamp,
    /// The administrator who created the invitation, which is revoked with their role. `None` for other links.
    pub created_by: Option<UserId>,
}

/// A link that is valid, or was just used.
#[derive(Debug)]
pub struct LinkRow {
    /// The account that the link is for.
    pub user: Option<UserId>,
    /// The e-mail address that the link is for.
    pub email: Option<String>,
    /// The role of an invited user.
    pub role: Role,
}

type LinkColumns = (Option<UserId>, Option<String>, Option<String>);

fn link((user, email, role): LinkColumns) -> Result<LinkRow, StoreError> {
    Ok(LinkRow { user, email, role: invited_role(role)? })
}

/// The role in an invitation; other links have no role.
fn invited_role(role: Option<String>) -> Result<Role, UnknownValue> {
    role.map_or(Ok(Role::Member), Role::try_from)
}

type InvitationColumns = (InvitationId, Option<String>, Option<String>, i64, Timestamp, Timestamp);

fn invitation(
    (id, email, role, uses_left, created_at, expires_at): InvitationColumns,
) -> Result<Invitation, StoreError> {
    let role = invited_role(role)?;
    let uses_left = u32::try_from(uses_left).unwrap_or(0);
    Ok(Invitation { id, email, role, uses_left, created_at, expires_at })
}

impl Tx {
    /// Inserts a link.
    pub async fn insert_link(&mut self, link: &NewLink<'_>) -> Result<(), StoreError> {
        execute!(
            self,
            "insert into links (id, token_hash, purpose, user_id, email, role, uses_left, created_at, expires_at, created_by)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            link.id,
            link.token_hash.as_slice(),
            link.purpose.as_str(),
            link.user,
            link.email,
            link.role.map(Role::as_str),
            i64::from(link.uses),
            link.created_at,
            link.expires_at,
            link.created_by,
        )?;
        Ok(())
    }

    /// The link with this token, if it is valid. Does not use it.
    pub async fn find_link(
        &mut self,
        token_hash: &TokenHash,
        purpose: LinkPurpose,
        now: Timestamp,
    ) -> Result<Option<LinkRow>, StoreError> {
        let row = fetch_optional!(
            self,
            LinkColumns,
            "select user_id, email, role from links
             where token_hash = $1 and purpose = $2 and uses_left > 0 and expires_at > $3",
            token_hash.as_slice(),
            purpose.as_str(),
            now,
        )?;
        row.map(link).transpose()
    }

    /// Uses a link once and returns it, if it is valid. Of several transactions that race for the last use, one gets
    /// the link.
    pub async fn use_link(
        &mut self,
        token_hash: &TokenHash,
        purpose: LinkPurpose,
        now: Timestamp,
    ) -> Result<Option<LinkRow>, StoreError> {
        let row = fetch_optional!(
            self,
            LinkColumns,
            "update links set uses_left = uses_left - 1, used_at = $3
             where token_hash = $1 and purpose = $2 and uses_left > 0 and expires_at > $3
             returning user_id, email, role",
            token_hash.as_slice(),
            purpose.as_str(),
            now,
        )?;
        row.map(link).transpose()
    }

    /// The invitation with this token, if it is valid.
    pub async fn find_invitation(
        &mut self,
        token_hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<Invitation>, StoreError> {
        let row = fetch_optional!(
            self,
            InvitationColumns,
            "select id, email, role, uses_left, created_at, expires_at from links
             where token_hash = $1 and purpose = 'invitation' and uses_left > 0 and expires_at > $2",
            token_hash.as_slice(),
            now,
        )?;
        row.map(invitation).transpose()
    }
}

impl Owned<'_> {
    /// Revokes all links of an account with this purpose.
    pub async fn delete_links(&mut self, purpose: LinkPurpose) -> Result<(), StoreError> {
        execute!(self.tx, "delete from links where user_id = $1 and purpose = $2", self.owner, purpose.as_str())?;
        Ok(())
    }
}

impl Admin<'_> {
    /// The valid invitations, newest first, at most 500.
    pub async fn list_invitations(&mut self, now: Timestamp) -> Result<Vec<Invitation>, StoreError> {
        let rows = fetch_all!(
            self.tx,
            InvitationColumns,
            "select id, email, role, uses_left, created_at, expires_at from links
             where purpose = 'invitation' and uses_left > 0 and expires_at > $1
             order by created_at desc, id desc limit 500",
            now,
        )?;
        rows.into_iter().map(invitation).collect()
    }

    /// Revokes all valid invitations of an administrator. Returns their number.
    pub async fn delete_invitations_of(&mut self, creator: UserId, now: Timestamp) -> Result<u64, StoreError> {
        let deleted = execute!(
            self.tx,
            "delete from links where created_by = $1 and purpose = 'invitation' and uses_left > 0 and expires_at > $2",
            creator,
            now,
        )?;
        Ok(deleted)
    }

    /// Revokes an invitation; `false` if there is no valid one with this id.
    pub async fn delete_invitation(&mut self, id: InvitationId, now: Timestamp) -> Result<bool, StoreError> {
        let deleted = execute!(
            self.tx,
            "delete from links where id = $1 and purpose = 'invitation' and uses_left > 0 and expires_at > $2",
            id,
            now,
        )?;
        Ok(deleted == 1)
    }
}
