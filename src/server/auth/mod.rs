//! Authentication: accounts, passwords, second factors (MFA), identity providers (OpenID Connect), sign-ins and
//! sessions.

mod account;
mod admission;
mod caller;
mod common_passwords;
mod deferred;
mod devices;
mod email;
mod factors;
mod links;
mod mail_requests;
mod oidc;
mod password;
mod password_change;
mod password_policy;
mod password_reset;
mod reauth;
mod safeguards;
mod session;
mod session_cache;
mod session_state;
mod sign_in_attempt;
mod sign_up;

pub(crate) use admission::Admission;
pub use caller::{Caller, Credentials};
pub use deferred::DeferredEvent;
pub use factors::{Factors, redirect_path};
pub(crate) use links::Token;
pub use oidc::{AuthorizationRedirect, Callback, FLOW_SECONDS, FlowKind, Identities};
pub use password::Passwords;
pub use session::SessionBackend;
pub use session_state::{SessionChange, SessionState};
pub use sign_up::NewAccount;

use std::sync::{Arc, atomic::AtomicBool};

use tokio::sync::Notify;

use self::{deferred::DeferredWrites, sign_in_attempt::SignInHook};
use super::{
    clock::Clock,
    config::{Config, SessionConfig},
    limits::RateLimits,
    mail::Notifier,
    store::Store,
};

/// The accounts of this installation.
#[derive(Debug, Clone)]
pub struct Accounts {
    store: Store,
    clock: Clock,
    limits: RateLimits,
    factors: Factors,
    passwords: Passwords,
    lifetimes: SessionConfig,
    sign_up_open: bool,
    /// Email domains that may sign up.
    domains: Arc<[String]>,
    notifier: Notifier,
    /// The base URL of links in mails.
    base_url: Arc<str>,
    /// Caches whether the first account has been created. Never goes back to `false`.
    installed: Arc<AtomicBool>,
    sign_in_hook: SignInHook,
    deferred: DeferredWrites,
    /// Wakes the task that sends requested mails.
    mail_requested: Arc<Notify>,
}

impl Accounts {
    /// Creates the service. The configuration sets session lifetimes, the sign-up policy and whether mails are sent.
    pub fn new(store: Store, clock: Clock, factors: Factors, config: &Config) -> Self {
        let notifier = Notifier::new(clock.clone(), config.mail.is_some());
        Self {
            limits: RateLimits::new(store.clone(), clock.clone()),
            store,
            clock,
            factors,
            passwords: Passwords::default(),
            lifetimes: config.sessions.clone(),
            sign_up_open: config.sign_up_open,
            domains: config.sign_up_domains.clone().into(),
            notifier,
            base_url: config.base_url().into(),
            installed: Arc::default(),
            sign_in_hook: SignInHook::default(),
            deferred: DeferredWrites::default(),
            mail_requested: Arc::default(),
        }
    }
}
