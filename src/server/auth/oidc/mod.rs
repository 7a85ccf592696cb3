//! Sign-in with Google and other OpenID Connect providers.
//!
//! A flow stores what the callback is checked against: it is a database row that is used once, by the browser that
//! started it, within ten minutes. On the callback, the code is exchanged for an ID token. Its `(issuer, subject)` pair
//! is the identity, and only this pair selects the account; the email address never does.

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use self::{
    error::{ProviderError, SetupError, refused},
    provider::Provider,
    token::IdTokenClaims,
};
use super::{Accounts, Caller, SessionChange, SessionState, admission::parse_invitation, redirect_path};
use crate::{
    domain::{AppError, AuditAction, IdentityProvider, Outcome, UserId},
    server::{
        audit::{AuditEvent, RefusedEvent, RequestMeta},
        clock::Clock,
        config::{Config, IdentityProviderConfig},
        egress::Egress,
        fault::Fault,
        limits::RateLimits,
        store::{FlowPurpose, FlowRow, NewFlow, Store},
    },
};

mod client;
mod error;
mod identity;
mod jwt;
mod metadata;
mod provider;
mod reauth;
mod token;

/// Lifetime of a flow, in seconds.
pub const FLOW_SECONDS: i64 = 600;

/// The identity providers of this installation, and the identities of its users.
#[derive(Clone)]
pub struct Identities {
    store: Store,
    clock: Clock,
    limits: RateLimits,
    accounts: Accounts,
    providers: Arc<[Provider]>,
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.providers.iter().map(|provider| &provider.config.name);
        f.debug_list().entries(names).finish()
    }
}

/// The purpose of a flow.
#[derive(Debug, Clone, Copy)]
pub enum FlowKind<'a> {
    /// To sign in.
    SignIn,
    /// To link the identity to the caller's account.
    Link(&'a Caller),
    /// To re-authenticate the caller.
    Confirm(&'a Caller),
}

impl FlowKind<'_> {
    const fn purpose(self) -> FlowPurpose {
        match self {
            Self::SignIn => FlowPurpose::SignIn,
            Self::Link(_) => FlowPurpose::Link,
            Self::Confirm(_) => FlowPurpose::Confirm,
        }
    }

    fn user(self) -> Option<UserId> {
        match self {
            Self::SignIn => None,
            Self::Link(caller) | Self::Confirm(caller) => Some(caller.user.id),
        }
    }
}

/// The redirect to a provider's authorization endpoint.
pub struct AuthorizationRedirect {
    /// The URL to redirect to.
    pub url: String,
    /// A secret that the browser must return with the callback, in a cookie.
    pub browser_secret: String,
}

/// The callback: a browser that returns from a provider.
#[derive(Debug, Default)]
pub struct Callback {
    /// The `state` parameter.
    pub state: Option<String>,
    /// The secret from the browser's cookie.
    pub browser_secret: Option<String>,
    /// The authorization code; `None` if the provider returns an error.
    pub code: Option<String>,
    /// The error code, if the provider returns one.
    pub error: Option<String>,
    /// The `iss` parameter, if the provider sends it (RFC 9207).
    pub issuer: Option<String>,
    /// Where the request comes from.
    pub meta: RequestMeta,
}

/// The hash under which browser secrets and flow ids are stored.
fn hashed(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret))
}

fn random_secret() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

impl Identities {
    /// Creates the configured providers. Sends no requests yet.
    pub fn new(config: &Config, egress: &Egress, store: Store, clock: Clock, accounts: Accounts) -> Self {
        let origin = config.origin();
        let provider =
            |one: &IdentityProviderConfig| Provider::new(one.clone(), &origin, egress.clone(), clock.clone());
        let providers = config.identity_providers.iter().map(provider).collect();
        let limits = RateLimits::new(store.clone(), clock.clone());
        Self { store, clock, limits, accounts, providers }
    }

    /// Fetches the metadata of all providers in the background, so that the first user need not wait.
    pub fn prepare(&self) {
        for index in 0..self.providers.len() {
            let identities = self.clone();
            tokio::spawn(async move {
                let provider = &identities.providers[index];
                if let Err(error) = provider.prepare().await {
                    identities.log_error(provider, &error).await;
                }
            });
        }
    }

    /// The providers, in the order of the configuration.
    pub fn list_providers(&self) -> Vec<IdentityProvider> {
        self.providers.iter().map(Provider::summary).collect()
    }

    /// The providers that allow sign-up. The sign-up policy applies as well.
    pub fn list_sign_up_providers(&self) -> Vec<IdentityProvider> {
        let is_closed = |name: &str| self.providers.iter().any(|one| one.config.name == name && !one.config.sign_up);
        self.list_providers().into_iter().filter(|one| !is_closed(&one.name)).collect()
    }

    /// The origins that a sign-in form may redirect to, for the Content-Security-Policy.
    pub fn origins(&self) -> Vec<String> {
        self.providers.iter().filter_map(Provider::origin).collect()
    }

    fn provider(&self, name: &str) -> Result<&Provider, AppError> {
        self.providers.iter().find(|provider| provider.config.name == name).ok_or(AppError::NotFound)
    }

    /// Starts a flow. `next` is a path of this site to redirect to afterwards, `invitation` the token of an invitation,
    /// if any.
    ///
    /// # Errors
    /// `NotFound` for an unknown provider; `Invalid` for a malformed invitation; `RateLimited`; `Unavailable` if the
    /// provider does not answer; `ReauthRequired` if the caller links an identity and has not authenticated recently.
    pub async fn begin_flow(
        &self,
        provider: &str,
        kind: FlowKind<'_>,
        next: &str,
        invitation: Option<&str>,
        meta: &RequestMeta,
    ) -> Result<AuthorizationRedirect, Fault> {
        let provider = self.provider(provider)?;
        if let FlowKind::Link(caller) = kind {
            self.accounts.require_recent_authentication(caller)?;
        }
        self.limits.count_provider_flow(meta).await?;
        let invitation = parse_invitation(invitation)?.map(|hash| URL_SAFE_NO_PAD.encode(hash));
        let (state, browser_secret, nonce, verifier) =
            (random_secret(), random_secret(), random_secret(), random_secret());
        let target = provider
            .authorization_url(state.clone(), nonce.clone(), &verifier, matches!(kind, FlowKind::Confirm(_)))
            .await;
        let target = match target {
            Ok(target) => target,
            Err(error) => return Err(self.report_error(provider, &error).await.into()),
        };
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        tx.insert_flow(&NewFlow {
            id: &hashed(&state),
            browser: &hashed(&browser_secret),
            provider: &provider.config.name,
            nonce: &nonce,
            verifier: &verifier,
            purpose: kind.purpose(),
            user: kind.user(),
            next,
            invitation: invitation.as_deref(),
            created_at: now,
            expires_at: now.plus_seconds(FLOW_SECONDS),
        })
        .await?;
        tx.commit().await?;
        Ok(AuthorizationRedirect { url: target.into(), browser_secret })
    }

    /// Finishes a flow on the callback: signs in, links or re-authenticates. Returns the path to redirect to, and the
    /// change of the session, if any.
    ///
    /// # Errors
    /// `Invalid` if the callback is forged, replayed or expired (the provider is not asked then), if the provider does
    /// not vouch for the user, or if the account is disabled; `Conflict` if the address or the identity belongs to
    /// another account; `Forbidden` if there is no account and sign-up is not allowed; `Unavailable` if the provider
    /// does not answer.
    pub async fn finish_flow(
        &self,
        provider: &str,
        callback: Callback,
        caller: Option<&Caller>,
        session: &SessionState,
    ) -> Result<(String, Option<SessionChange>), Fault> {
        let provider = self.provider(provider)?;
        let verified = self.verify_callback(provider, &callback, caller).await;
        if verified.is_err() {
            // Rate-limited, so that an attacker cannot flood the audit log.
            self.limits.count_provider_flow(&callback.meta).await?;
        }
        let refusal = RefusedEvent { subject: None, action: AuditAction::SignIn, detail: &provider.config.label };
        let (flow, claims) = callback.meta.record_if_refused(&self.store, &self.clock, refusal, verified).await?;
        let change = match (flow.purpose, caller) {
            (FlowPurpose::SignIn, _) => {
                let invitation = flow.invitation.and_then(|hash| URL_SAFE_NO_PAD.decode(hash).ok()?.try_into().ok());
                let began = flow.created_at;
                let (step, change) =
                    self.sign_in((claims, began), provider, invitation, &callback.meta, session).await?;
                return Ok((redirect_path(&step, &flow.next), Some(change)));
            }
            (FlowPurpose::Link, Some(caller)) => {
                self.link(caller, &provider.config.label, &claims, &callback.meta).await?;
                None
            }
            (FlowPurpose::Confirm, Some(caller)) => {
                Some(self.reauthenticate(caller, (provider, &claims, flow.created_at), &callback.meta).await?)
            }
            (_, None) => return Err(refused().into()),
        };
        Ok((flow.next, change))
    }

    /// Takes the flow that a callback belongs to, and fetches the claims from the provider.
    async fn verify_callback(
        &self,
        provider: &Provider,
        callback: &Callback,
        caller: Option<&Caller>,
    ) -> Result<(FlowRow, IdTokenClaims), Fault> {
        let flow = self.take_flow(provider, callback).await?;
        if callback.issuer.as_ref().is_some_and(|issuer| *issuer != provider.config.issuer) {
            return Err(refused().into());
        }
        if flow.user_id.is_some_and(|user| caller.is_none_or(|caller| caller.user.id != user)) {
            return Err(refused().into());
        }
        let claims = match callback.code.as_deref().filter(|code| !code.is_empty()) {
            Some(code) => provider.exchange_code(code, &flow.nonce, &flow.verifier).await,
            None => match authorization_error(callback.error.as_deref()) {
                Some(error) => Err(error),
                None => {
                    let reason = reason!("provider_declined", provider = provider.config.label);
                    return Err(AppError::invalid("provider", reason).into());
                }
            },
        };
        match claims {
            Ok(claims) => Ok((flow, claims)),
            Err(error) => Err(self.report_error(provider, &error).await.into()),
        }
    }

    async fn take_flow(&self, provider: &Provider, callback: &Callback) -> Result<FlowRow, Fault> {
        let (Some(state), Some(browser_secret)) = (&callback.state, &callback.browser_secret) else {
            return Err(refused().into());
        };
        let mut tx = self.store.write().await?;
        let name = &provider.config.name;
        let flow = tx.take_flow(&hashed(state), &hashed(browser_secret), name, self.clock.now()).await?;
        tx.commit().await?;
        Ok(flow.ok_or_else(refused)?)
    }

    /// Reports a provider error to the log and the audit. Returns the error for the user.
    async fn report_error(&self, provider: &Provider, error: &ProviderError) -> AppError {
        self.log_error(provider, error).await;
        error.to_app_error(&provider.config.label)
    }

    /// Logs a provider error. If only a change of a setting helps, records it in the audit too.
    async fn log_error(&self, provider: &Provider, error: &ProviderError) {
        // Quoted (`Debug`), because the provider controls parts of it.
        tracing::warn!(provider = provider.config.name, reason = ?error.to_string(), "identity provider request failed");
        if let ProviderError::Setup(setup) = error
            && let Err(fault) = self.audit_setup_error(provider, setup).await
        {
            tracing::warn!(provider = provider.config.name, error = %fault, "cannot record the setup error in the audit log");
        }
    }

    /// Records a setup error in the audit: each kind at most once an hour per provider.
    async fn audit_setup_error(&self, provider: &Provider, setup: &SetupError) -> Result<(), Fault> {
        let mut tx = self.store.write().await?;
        if self.limits.should_record_setup_error(&mut tx, &provider.config.name, setup.kind()).await? {
            let detail = format!("{}: {setup}", provider.config.label);
            let (action, outcome) = (AuditAction::SetupFault, Outcome::Refused);
            let event = AuditEvent { actor: None, subject: None, action, outcome, detail: &detail };
            RequestMeta::server().record(&mut tx, &self.clock, &event).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// The meaning of an error code in the callback (RFC 6749, section 4.1.2.1; OpenID Connect Core, section 3.1.2.6);
/// `None` if the user declined or the code is unknown.
fn authorization_error(error: Option<&str>) -> Option<ProviderError> {
    const SETUP_ERRORS: [&str; 8] = [
        "invalid_request",
        "unauthorized_client",
        "unsupported_response_type",
        "invalid_scope",
        "invalid_client",
        "request_not_supported",
        "registration_not_supported",
        "invalid_redirect_uri",
    ];
    let error = error?;
    match error {
        "server_error" | "temporarily_unavailable" => {
            Some(ProviderError::Unavailable("the provider returned the user with a temporary error".to_owned()))
        }
        // Only the codes of the standards: anyone can put other text into the URL.
        _ => SETUP_ERRORS.into_iter().find(|known| *known == error).map(|known| SetupError::Request(known).into()),
    }
}
