//! Who is asking: accounts, passwords, second factors, identity providers, sign-ins and sessions.

mod account;
mod admission;
mod caller;
mod common;
mod deferred;
mod devices;
mod email;
mod entry;
mod factors;
mod links;
mod oidc;
mod password;
mod password_change;
mod proof;
mod recovery;
mod rule;
mod safeguards;
mod session;
mod session_cache;
mod sign_up;

pub(crate) use admission::Admission;
pub use caller::{Caller, Credentials};
pub use deferred::Reading;
pub use factors::{Factors, Unenrolled, path_after};
pub(crate) use links::Token;
pub use oidc::{AuthorizationRedirect, Callback, FLOW_SECONDS, FlowKind, Identities};
pub use password::Passwords;
pub use session::SessionBackend;
pub use sign_up::NewAccount;

use std::sync::{Arc, atomic::AtomicBool};

use tokio::sync::Notify;

use self::{deferred::Deferred, entry::Interlude};
use super::{
    clock::Clock,
    config::{Config, SessionConfig},
    limits::RateLimits,
    mail::Notices,
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
    open: bool,
    /// Domains whose addresses may sign up.
    domains: Arc<[String]>,
    notices: Notices,
    /// What links begin with.
    base_url: Arc<str>,
    /// Whether it is known that there was a first account.
    installed: Arc<AtomicBool>,
    interlude: Interlude,
    deferred: Deferred,
    /// Wakes whoever mails links for new passwords.
    reset_asked: Arc<Notify>,
}

impl Accounts {
    /// Accounts in this store. The configuration says how long sign-ins last, who may join, and whether mails are sent.
    pub fn new(store: Store, clock: Clock, factors: Factors, config: &Config) -> Self {
        let notices = Notices::new(clock.clone(), config.mail.is_some());
        Self {
            limits: RateLimits::new(store.clone(), clock.clone()),
            store,
            clock,
            factors,
            passwords: Passwords::default(),
            lifetimes: config.sessions.clone(),
            open: config.sign_up_open,
            domains: config.sign_up_domains.clone().into(),
            notices,
            base_url: config.base_url().into(),
            installed: Arc::default(),
            interlude: Interlude::default(),
            deferred: Deferred::default(),
            reset_asked: Arc::default(),
        }
    }
}
