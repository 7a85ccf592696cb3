//! Who people are at identity providers, and those who are on the way to one.

use super::{
    CredentialsVersion, Owned, StoreError, Tx,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{Timestamp, UserId};

/// An identity to be written.
#[derive(Debug)]
pub struct NewIdentity<'a> {
    /// Who vouches.
    pub issuer: &'a str,
    /// For whom, in the issuer's own terms.
    pub subject: &'a str,
    /// Whose account it is.
    pub user: UserId,
    /// The address that the issuer gave.
    pub email: &'a str,
    /// Now.
    pub created_at: Timestamp,
}

/// An identity of a person.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct IdentityRow {
    /// Who vouches.
    pub issuer: String,
    /// For whom, in the issuer's own terms.
    pub subject: String,
    /// The address that the issuer gave when it was linked.
    pub email: String,
    /// When it was linked.
    pub created_at: Timestamp,
    /// When somebody last came in by it.
    pub last_used_at: Timestamp,
}

/// Whose an identity is.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct IdentityOwner {
    /// Whose account it opens.
    pub user_id: UserId,
    /// Set where an administrator has shut the account.
    pub disabled_at: Option<Timestamp>,
    /// Which of the account's credentials are in force.
    pub credentials_version: CredentialsVersion,
}

/// What somebody is sent to a provider for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "snake_case", type_name = "text")]
pub enum FlowPurpose {
    /// To sign in.
    SignIn,
    /// To link who they are there to their account.
    Link,
    /// To prove again who they are.
    Confirm,
}

/// Somebody who is sent to a provider.
#[derive(Debug)]
pub struct NewFlow<'a> {
    /// The hash of the id.
    pub id: &'a str,
    /// The hash of the secret that the browser holds.
    pub browser: &'a str,
    /// The provider's name.
    pub provider: &'a str,
    /// What the ID token must repeat.
    pub nonce: &'a str,
    /// What proves to the provider that it is us who ask for the token.
    pub verifier: &'a str,
    /// What for.
    pub purpose: FlowPurpose,
    /// Who links or confirms, where it is not about signing in.
    pub user: Option<UserId>,
    /// Where to go afterwards.
    pub next: &'a str,
    /// The hash of the invitation's token with which they come, in base64.
    pub invitation: Option<&'a str>,
    /// Now.
    pub created_at: Timestamp,
    /// When it is too late to come back.
    pub expires_at: Timestamp,
}

/// Somebody who is back from a provider.
#[derive(Debug, sqlx::FromRow)]
pub struct FlowRow {
    /// What the ID token must repeat.
    pub nonce: String,
    /// What proves to the provider that it is us who ask for the token.
    pub verifier: String,
    /// What for.
    pub purpose: FlowPurpose,
    /// Who links or confirms, where it is not about signing in.
    pub user_id: Option<UserId>,
    /// Where to go afterwards.
    pub next: String,
    /// The hash of the invitation's token with which they come, in base64.
    pub invitation: Option<String>,
    /// When they were sent there.
    pub created_at: Timestamp,
}

impl Tx {
    /// Writes an identity.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] where it is somebody's already.
    pub async fn insert_identity(&mut self, identity: &NewIdentity<'_>) -> Result<(), StoreError> {
        execute!(
            self,
            "insert into identities (issuer, subject, user_id, email, created_at, last_used_at) values ($1, $2, $3, $4, $5, $5)",
            identity.issuer,
            identity.subject,
            identity.user,
            identity.email,
            identity.created_at,
        )?;
        Ok(())
    }

    /// Whose this identity is.
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

    /// Notes that somebody came in by an identity. Never turns the time back.
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

    /// Notes that somebody is sent to a provider, and forgets those who never came back.
    pub async fn insert_flow(&mut self, flow: &NewFlow<'_>) -> Result<(), StoreError> {
        // A few of them; the others go with all that has expired.
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

    /// Takes out somebody who is back: of any number who ask for the same one, one gets it. Nobody does who is
    /// another browser, comes from another provider, or too late.
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
    /// The person's identities, the oldest first.
    pub async fn list_identities(&mut self) -> Result<Vec<IdentityRow>, StoreError> {
        Ok(fetch_all!(
            self.tx,
            IdentityRow,
            "select issuer, subject, email, created_at, last_used_at from identities
             where user_id = $1 order by created_at, issuer, subject",
            self.owner
        )?)
    }

    /// Removes an identity. Gives `false` where the person has no such one.
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

    /// Whether the person has a password. Until the transaction ends, all others that ask wait: of two that each
    /// remove one of two ways to sign in, the second sees what the first has done.
    pub async fn lock_password(&mut self) -> Result<bool, StoreError> {
        let row = fetch_optional!(
            self.tx,
            (String,),
            "update users set password_hash = password_hash where id = $1 returning password_hash",
            self.owner
        )?;
        Ok(row.is_some_and(|(hash,)| !hash.is_empty()))
    }
}
