//! Linked identities of users at identity providers, and OpenID Connect authorization flows in progress.

use super::{
    CredentialsVersion, Owned, StoreError, Tx,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{Timestamp, UserId};

/// A linked identity to insert.
#[derive(Debug)]
pub struct NewIdentity<'a> {
    /// The issuer of the identity provider.
    pub issuer: &'a str,
    /// The user's id at the issuer (the `sub` claim).
    pub subject: &'a str,
    /// The e-mail address that the issuer reported.
    pub email: &'a str,
    /// The current time.
    pub created_at: Timestamp,
}

/// A linked identity of a user.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct IdentityRow {
    /// The issuer of the identity provider.
    pub issuer: String,
    /// The user's id at the issuer (the `sub` claim).
    pub subject: String,
    /// The e-mail address that the issuer reported when the identity was linked.
    pub email: String,
    /// When it was linked.
    pub created_at: Timestamp,
    /// When it was last used to sign in.
    pub last_used_at: Timestamp,
}

/// The account that an identity is linked to.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct IdentityOwner {
    /// The user's id.
    pub user_id: UserId,
    /// When an administrator disabled the account; `None` for an enabled account.
    pub disabled_at: Option<Timestamp>,
    /// The current version of the account's credentials.
    pub credentials_version: CredentialsVersion,
}

/// The purpose of an authorization flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "snake_case", type_name = "text")]
pub enum FlowPurpose {
    /// Signs in or signs up.
    SignIn,
    /// Links the identity to the user's account.
    Link,
    /// Re-authenticates the user.
    Confirm,
}

/// An authorization flow to insert, before the redirect to the provider.
#[derive(Debug)]
pub struct NewFlow<'a> {
    /// The hash of the flow's id (the `state` parameter).
    pub id: &'a str,
    /// The hash of the secret in the browser's cookie.
    pub browser: &'a str,
    /// The provider's name.
    pub provider: &'a str,
    /// The nonce that the ID token must contain.
    pub nonce: &'a str,
    /// The PKCE code verifier.
    pub verifier: &'a str,
    /// The purpose.
    pub purpose: FlowPurpose,
    /// The user who links an identity or re-authenticates; `None` for a sign-in.
    pub user: Option<UserId>,
    /// The path to redirect to afterwards.
    pub next: &'a str,
    /// The hash of the token of the invitation that is being used, in base64.
    pub invitation: Option<&'a str>,
    /// The current time.
    pub created_at: Timestamp,
    /// When the flow expires.
    pub expires_at: Timestamp,
}

/// An authorization flow, read at the callback from the provider.
#[derive(Debug, sqlx::FromRow)]
pub struct FlowRow {
    /// The nonce that the ID token must contain.
    pub nonce: String,
    /// The PKCE code verifier.
    pub verifier: String,
    /// The purpose.
    pub purpose: FlowPurpose,
    /// The user who links an identity or re-authenticates; `None` for a sign-in.
    pub user_id: Option<UserId>,
    /// The path to redirect to afterwards.
    pub next: String,
    /// The hash of the token of the invitation that is being used, in base64.
    pub invitation: Option<String>,
    /// When the flow began.
    pub created_at: Timestamp,
}

impl Tx {
    /// The account that this identity is linked to.
    pub async fn find_identity(&mut self, issuer: &str, subject: &str) -> Result<Option<IdentityOwner>, StoreError> {
        Ok(fetch_optional!(
            self,
            IdentityOwner,
            "select i.user_id, u.disabled_at, u.credentials_version from identities i join users u on u.id = i.user_id
             where i.issuer = $1 and i.subject = $2",
            issuer,
            subject
        )?)
    }

    /// Records the use of an identity. Never sets the time back.
    pub async fn touch_identity(&mut self, issuer: &str, subject: &str, now: Timestamp) -> Result<(), StoreError> {
        execute!(
            self,
            "update identities set last_used_at = $3 where issuer = $1 and subject = $2 and last_used_at < $3",
            issuer,
            subject,
            now
        )?;
        Ok(())
    }

    /// Inserts an authorization flow and deletes some expired ones.
    pub async fn insert_flow(&mut self, flow: &NewFlow<'_>) -> Result<(), StoreError> {
        // Only a few; a background job deletes the rest.
        let expired =
            "delete from provider_flows where id in (select id from provider_flows where expires_at <= $1 limit 4)";
        execute!(self, expired, flow.created_at)?;
        execute!(
            self,
            "insert into provider_flows
               (id, browser, provider, nonce, verifier, purpose, user_id, next, invitation, created_at, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            flow.id,
            flow.browser,
            flow.provider,
            flow.nonce,
            flow.verifier,
            flow.purpose,
            flow.user,
            flow.next,
            flow.invitation,
            flow.created_at,
            flow.expires_at,
        )?;
        Ok(())
    }

    /// Deletes and returns an authorization flow. Of several concurrent calls, only one gets it. `None` for another
    /// browser, another provider, or an expired flow.
    pub async fn take_flow(
        &mut self,
        id: &str,
        browser: &str,
        provider: &str,
        now: Timestamp,
    ) -> Result<Option<FlowRow>, StoreError> {
        Ok(fetch_optional!(
            self,
            FlowRow,
            "delete from provider_flows where id = $1 and browser = $2 and provider = $3 and expires_at > $4
             returning nonce, verifier, purpose, user_id, next, invitation, created_at",
            id,
            browser,
            provider,
            now
        )?)
    }
}

impl Owned<'_> {
    /// The owner's linked identities, oldest first.
    pub async fn list_identities(&mut self) -> Result<Vec<IdentityRow>, StoreError> {
        Ok(fetch_all!(
            self.tx,
            IdentityRow,
            "select issuer, subject, email, created_at, last_used_at from identities
             where user_id = $1 order by created_at, issuer, subject",
            self.owner
        )?)
    }

    /// Unlinks an identity; `false` if the owner has no such identity.
    pub async fn delete_identity(&mut self, issuer: &str, subject: &str) -> Result<bool, StoreError> {
        let changed = execute!(
            self.tx,
            "delete from identities where user_id = $1 and issuer = $2 and subject = $3",
            self.owner,
            issuer,
            subject
        )?;
        Ok(changed == 1)
    }

    /// Whether the owner has a password. Locks the account until the transaction ends: of two transactions that each
    /// remove one of two sign-in methods, the second sees the change of the first.
    pub async fn lock_password(&mut self) -> Result<bool, StoreError> {
        let row = fetch_optional!(
            self.tx,
            (String,),
            "update users set password_hash = password_hash where id = $1 returning password_hash",
            self.owner
        )?;
        Ok(row.is_some_and(|(hash,)| !hash.is_empty()))
    }

    /// Inserts a linked identity.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] if the identity is already linked to an account.
    pub async fn insert_identity(&mut self, identity: &NewIdentity<'_>) -> Result<(), StoreError> {
        execute!(
            self.tx,
            "insert into identities (issuer, subject, user_id, email, created_at, last_used_at) values ($1, $2, $3, $4, $5, $5)",
            identity.issuer,
            identity.subject,
            self.owner,
            identity.email,
            identity.created_at,
        )?;
        Ok(())
    }
}
