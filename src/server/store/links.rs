//! Links that let somebody do one thing once. The token itself is never here, only its hash.

use uuid::Uuid;

use super::{
    StoreError, Tx, UnknownWord,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{Invitation, InvitationId, Role, Timestamp, UserId};

/// What a link is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkPurpose {
    /// Shows that the address of an account is its owner's.
    VerifyAddress,
    /// Gives an account another password.
    ResetPassword,
    /// Gives an account another address.
    ChangeAddress,
    /// Lets somebody make an account.
    Invitation,
}

impl LinkPurpose {
    const fn text(self) -> &'static str {
        match self {
            Self::VerifyAddress => "verify_address",
            Self::ResetPassword => "reset_password",
            Self::ChangeAddress => "change_address",
            Self::Invitation => "invitation",
        }
    }
}

/// The SHA-256 of a link's token.
pub type TokenHash = [u8; 32];

/// A link to be kept.
#[derive(Debug)]
pub struct NewLink<'a> {
    /// Its id, which is no secret.
    pub id: Uuid,
    /// The hash of its token.
    pub token_hash: &'a TokenHash,
    /// What it is good for.
    pub purpose: LinkPurpose,
    /// Whose account it concerns.
    pub user: Option<UserId>,
    /// The address that it is for.
    pub email: Option<&'a str>,
    /// What an invited person becomes.
    pub role: Option<Role>,
    /// How often it can be used.
    pub uses: u32,
    /// Now.
    pub created_at: Timestamp,
    /// When it is dead.
    pub expires_at: Timestamp,
    /// The administrator whose invitation it is: it ends with their rights. Nobody for other links.
    pub created_by: Option<UserId>,
}

/// What a link says that holds, or was just used.
#[derive(Debug)]
pub struct LinkRow {
    /// Whose account it concerns.
    pub user: Option<UserId>,
    /// The address that it is for.
    pub email: Option<String>,
    /// What an invited person becomes.
    pub role: Role,
}

type LinkColumns = (Option<UserId>, Option<String>, Option<String>);

fn link((user, email, role): LinkColumns) -> Result<LinkRow, StoreError> {
    Ok(LinkRow { user, email, role: invited_role(role)? })
}

/// What an invitation makes of people; other links name no role.
fn invited_role(role: Option<String>) -> Result<Role, UnknownWord> {
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
    /// Keeps a link.
    pub async fn insert_link(&mut self, link: &NewLink<'_>) -> Result<(), StoreError> {
        execute!(
            self,
            "insert into links (id, token_hash, purpose, user_id, email, role, uses_left, created_at, expires_at, created_by)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            link.id,
            link.token_hash.as_slice(),
            link.purpose.text(),
            link.user,
            link.email,
            link.role.map(Role::word),
            i64::from(link.uses),
            link.created_at,
            link.expires_at,
            link.created_by,
        )?;
        Ok(())
    }

    /// The link with this token, if it can be used now. Does not use it.
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
            purpose.text(),
            now,
        )?;
        row.map(link).transpose()
    }

    /// Uses a link up by one. Of any number of transactions that use the last one, one is given the link.
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
            purpose.text(),
            now,
        )?;
        row.map(link).transpose()
    }

    /// Makes all links of one kind dead that concern an account.
    pub async fn delete_links(&mut self, user: UserId, purpose: LinkPurpose) -> Result<(), StoreError> {
        execute!(self, "delete from links where user_id = $1 and purpose = $2", user, purpose.text())?;
        Ok(())
    }

    /// The invitations that can be used now, newest first.
    pub async fn list_invitations(&mut self, now: Timestamp) -> Result<Vec<Invitation>, StoreError> {
        let rows = fetch_all!(
            self,
            InvitationColumns,
            "select id, email, role, uses_left, created_at, expires_at from links
             where purpose = 'invitation' and uses_left > 0 and expires_at > $1
             order by created_at desc, id desc limit 500",
            now,
        )?;
        rows.into_iter().map(invitation).collect()
    }

    /// The invitation with this token, if it can be used now.
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

    /// Makes all invitations dead that an administrator made. Gives how many could still be used.
    pub async fn delete_invitations_of(&mut self, creator: UserId, now: Timestamp) -> Result<u64, StoreError> {
        let deleted = execute!(
            self,
            "delete from links where created_by = $1 and purpose = 'invitation' and uses_left > 0 and expires_at > $2",
            creator,
            now,
        )?;
        Ok(deleted)
    }

    /// Makes an invitation dead; whether there was one that could be used.
    pub async fn delete_invitation(&mut self, id: InvitationId, now: Timestamp) -> Result<bool, StoreError> {
        let deleted = execute!(
            self,
            "delete from links where id = $1 and purpose = 'invitation' and uses_left > 0 and expires_at > $2",
            id,
            now,
        )?;
        Ok(deleted == 1)
    }
}
