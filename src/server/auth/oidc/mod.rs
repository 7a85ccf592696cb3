//! Signing in by Google and by any other OpenID Connect provider.
//!
//! A person is sent to a provider with a flow: a row that is used once, by the browser that began it, within ten minutes.
//! Back with a code, the provider is asked for whom it vouches. That is an identity, `(issuer, subject)`, and nothing
//! else says whose account it is: an address never does.

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use tower_sessions::Session;

use self::{
    fault::{ProviderError, Setup, refused},
    provider::Provider,
    token::IdTokenClaims,
};
use super::{Accounts, Caller, admission::invitation_of, path_after};
use crate::{
    domain::{AppError, AuditAction, IdentityProvider, Outcome, UserId},
    server::{
        audit::{AuditEvent, Refusal, RequestMeta},
        clock::Clock,
        config::{Config, IdentityProviderConfig},
        egress::Egress,
        fault::Fault,
        limits::RateLimits,
        store::{FlowPurpose, FlowRow, NewFlow, Store},
    },
};

mod confirm;
mod fault;
mod fetch;
mod identity;
mod jwt;
mod metadata;
mod provider;
mod token;

/// How long somebody may take at a provider, in seconds.
pub const FLOW_SECONDS: i64 = 600;

/// The identity providers of this installation, and who people are there.
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

/// What somebody goes to a provider for.
#[derive(Debug, Clone, Copy)]
pub enum FlowKind<'a> {
    /// To sign in.
    SignIn,
    /// To link who they are there to the caller's account.
    Link(&'a Caller),
    /// To prove again that they are the caller.
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

/// Somebody who is about to go to a provider.
pub struct AuthorizationRedirect {
    /// Where to send them.
    pub address: String,
    /// What their browser must show when it is back.
    pub browser: String,
}

/// Somebody who is back from a provider.
#[derive(Debug, Default)]
pub struct Callback {
    /// The `state` that came back.
    pub state: Option<String>,
    /// What their browser holds.
    pub browser: Option<String>,
    /// The code; none where the provider reports an error.
    pub code: Option<String>,
    /// Which error, where it reports one.
    pub error: Option<String>,
    /// Who the provider says it is, where it does (RFC 9207).
    pub issuer: Option<String>,
    /// Where from.
    pub meta: RequestMeta,
}

/// The form in which secrets of browsers and ids of flows are kept.
fn hashed(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret))
}

fn secret() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

impl Identities {
    /// The providers that the configuration names. None of them is asked yet.
    pub fn new(config: &Config, egress: &Egress, store: Store, clock: Clock, accounts: Accounts) -> Self {
        let origin = config.origin();
        let provider =
            |one: &IdentityProviderConfig| Provider::new(one.clone(), &origin, egress.clone(), clock.clone());
        let providers = config.identity_providers.iter().map(provider).collect();
        let limits = RateLimits::new(store.clone(), clock.clone());
        Self { store, clock, limits, accounts, providers }
    }

    /// Asks all providers about themselves in the background, so that the first person need not wait.
    pub fn prepare(&self) {
        for index in 0..self.providers.len() {
            let identities = self.clone();
            tokio::spawn(async move {
                let provider = &identities.providers[index];
                if let Err(error) = provider.prepare().await {
                    identities.note(provider, &error).await;
                }
            });
        }
    }

    /// The providers, in the order of the configuration.
    pub fn list_providers(&self) -> Vec<IdentityProvider> {
        self.providers.iter().map(Provider::shown).collect()
    }

    /// The providers by which strangers may make an account, where the policy lets them.
    pub fn list_sign_up_providers(&self) -> Vec<IdentityProvider> {
        let shut = |name: &str| self.providers.iter().any(|one| one.config.name == name && !one.config.sign_up);
        self.list_providers().into_iter().filter(|one| !shut(&one.name)).collect()
    }

    /// The origins to which a form may lead that begins a sign-in, for the policy of pages.
    pub fn origins(&self) -> Vec<String> {
        self.providers.iter().filter_map(Provider::origin).collect()
    }

    fn provider(&self, name: &str) -> Result<&Provider, AppError> {
        self.providers.iter().find(|provider| provider.config.name == name).ok_or(AppError::NotFound)
    }

    /// Sends somebody to a provider. `next` is a path of this site to go to afterwards, `invitation` the token of the
    /// invitation with which they come, if any.
    ///
    /// # Errors
    /// `NotFound` for a provider that is none, `Invalid` for an invitation that cannot be one, `RateLimited`, `Unavailable` where the provider does not answer; `Stale`
    /// for whoever links and has not proved who they are a short while ago.
    pub async fn begin(
        &self,
        provider: &str,
        kind: FlowKind<'_>,
        next: &str,
        invitation: Option<&str>,
        meta: &RequestMeta,
    ) -> Result<AuthorizationRedirect, Fault> {
        let provider = self.provider(provider)?;
        if let FlowKind::Link(caller) = kind {
            self.accounts.require_fresh(caller)?;
        }
        self.limits.count_provider_flow(meta).await?;
        let invitation = invitation_of(invitation)?.map(|hash| URL_SAFE_NO_PAD.encode(hash));
        let (state, browser, nonce, verifier) = (secret(), secret(), secret(), secret());
        let target =
            provider.address(state.clone(), nonce.clone(), &verifier, matches!(kind, FlowKind::Confirm(_))).await;
        let target = match target {
            Ok(target) => target,
            Err(error) => return Err(self.told(provider, &error).await.into()),
        };
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        tx.insert_flow(&NewFlow {
            id: &hashed(&state),
            browser: &hashed(&browser),
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
        Ok(AuthorizationRedirect { address: target.into(), browser })
    }

    /// Signs in, links or confirms somebody who is back from a provider. Gives the path to go to.
    ///
    /// # Errors
    /// `Invalid` for whatever was forged, used before, or is too late, before the provider is asked; for whom the provider does
    /// not vouch, and for a shut account. `Conflict` where the address or the identity is somebody's, `Forbidden` where
    /// there is no account and none can be made, `Unavailable` where the provider does not answer.
    pub async fn finish(
        &self,
        provider: &str,
        callback: Callback,
        caller: Option<&Caller>,
        session: &Session,
    ) -> Result<String, Fault> {
        let provider = self.provider(provider)?;
        let arrived = self.arrive(provider, &callback, caller).await;
        if arrived.is_err() {
            // Counted, so that nobody fills the audit with it.
            self.limits.count_provider_flow(&callback.meta).await?;
        }
        let refusal = Refusal { subject: None, action: AuditAction::SignIn, detail: &provider.config.label };
        let (flow, claims) = callback.meta.record_if_refused(&self.store, &self.clock, refusal, arrived).await?;
        match (flow.purpose, caller) {
            (FlowPurpose::SignIn, _) => {
                let invitation = flow.invitation.and_then(|hash| URL_SAFE_NO_PAD.decode(hash).ok()?.try_into().ok());
                let began = flow.created_at;
                let step = self.sign_in((claims, began), provider, invitation, &callback.meta, session).await?;
                return Ok(path_after(&step, &flow.next));
            }
            (FlowPurpose::Link, Some(caller)) => {
                self.link(caller, &provider.config.label, &claims, &callback.meta).await?
            }
            (FlowPurpose::Confirm, Some(caller)) => {
                self.confirm(caller, (provider, &claims, flow.created_at), &callback.meta, session).await?
            }
            (_, None) => return Err(refused().into()),
        }
        Ok(flow.next)
    }

    /// Which flow somebody is back from, and for whom the provider vouches.
    async fn arrive(
        &self,
        provider: &Provider,
        callback: &Callback,
        caller: Option<&Caller>,
    ) -> Result<(FlowRow, IdTokenClaims), Fault> {
        let flow = self.take(provider, callback).await?;
        if callback.issuer.as_ref().is_some_and(|issuer| *issuer != provider.config.issuer) {
            return Err(refused().into());
        }
        if flow.user_id.is_some_and(|user| caller.is_none_or(|caller| caller.user.id != user)) {
            return Err(refused().into());
        }
        let claims = match callback.code.as_deref().filter(|code| !code.is_empty()) {
            Some(code) => provider.claims(code, &flow.nonce, &flow.verifier).await,
            None => match sent_back_with(callback.error.as_deref()) {
                Some(error) => Err(error),
                None => {
                    let reason = reason!("provider_declined", provider = provider.config.label);
                    return Err(AppError::invalid("provider", reason).into());
                }
            },
        };
        match claims {
            Ok(claims) => Ok((flow, claims)),
            Err(error) => Err(self.told(provider, &error).await.into()),
        }
    }

    async fn take(&self, provider: &Provider, callback: &Callback) -> Result<FlowRow, Fault> {
        let (Some(state), Some(browser)) = (&callback.state, &callback.browser) else { return Err(refused().into()) };
        let mut tx = self.store.write().await?;
        let name = &provider.config.name;
        let flow = tx.take_flow(&hashed(state), &hashed(browser), name, self.clock.now()).await?;
        tx.commit().await?;
        Ok(flow.ok_or_else(refused)?)
    }

    /// Notes why a provider did not serve. Gives what the person is told of it.
    async fn told(&self, provider: &Provider, error: &ProviderError) -> AppError {
        self.note(provider, error).await;
        error.told(&provider.config.label)
    }

    /// Writes into the log why a provider did not serve, and into the audit where only a change of a setting helps.
    async fn note(&self, provider: &Provider, error: &ProviderError) {
        // As a quoted text: parts of it may be the provider's.
        tracing::warn!(provider = provider.config.name, reason = ?error.to_string(), "an identity provider did not serve");
        if let ProviderError::Setup(setup) = error
            && let Err(fault) = self.tell_administrators(provider, setup).await
        {
            tracing::warn!(provider = provider.config.name, error = %fault, "the audit could not be told of it");
        }
    }

    /// Writes into the audit what is set up wrongly: each fault of a provider once an hour, however many people meet it.
    async fn tell_administrators(&self, provider: &Provider, setup: &Setup) -> Result<(), Fault> {
        let mut tx = self.store.write().await?;
        if self.limits.is_setup_fault_recorded(&mut tx, &provider.config.name, setup.kind()).await? {
            let detail = format!("{}: {setup}", provider.config.label);
            let (action, outcome) = (AuditAction::SetupFault, Outcome::Refused);
            let event = AuditEvent { actor: None, subject: None, action, outcome, detail: &detail };
            RequestMeta::server().record(&mut tx, &self.clock, &event).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// What the error means with which a provider sends somebody back (RFC 6749, section 4.1.2.1; OpenID Connect Core, section
/// 3.1.2.6), where it is not the person's own doing.
fn sent_back_with(error: Option<&str>) -> Option<ProviderError> {
    const SETUP: [&str; 8] = [
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
        "server_error" | "temporarily_unavailable" => Some(ProviderError::Unavailable(
            "the provider sent the person back and says that it cannot serve now".to_owned(),
        )),
        // Nothing but these words of the standards: anybody can write others into an address.
        _ => SETUP.into_iter().find(|known| *known == error).map(|known| Setup::Request(known).into()),
    }
}
