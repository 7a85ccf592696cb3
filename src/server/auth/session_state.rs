//! The content of a browser's session, as plain values.
//!
//! Services take a [`SessionState`] and return a [`SessionChange`], so that they can be called without a browser. Only
//! the entry points have a session, from which they read the state and to which they apply the change.

use tower_sessions::{Expiry, Session, cookie::time::Duration, session};

use crate::{
    domain::{AppError, CeremonyId, PendingSignInId, SignInId},
    server::fault::Fault,
};

/// Session key: the id of the sign-in.
pub(super) const SIGN_IN_KEY: &str = "sign_in";
/// Session key: the serial of this session record. It tells the record from earlier ones of the same sign-in; 0 if
/// absent.
const SERIAL_KEY: &str = "serial";
/// Session key: the id of a pending sign-in, which waits for the second factor.
pub(super) const PENDING_KEY: &str = "pending_sign_in";
/// Session key: the id of a pending sign-in, which waits until the address of a new account is verified.
pub(super) const SIGN_UP_KEY: &str = "pending_sign_up";
/// Session key: the id of a passkey ceremony before sign-in.
pub(super) const CEREMONY_KEY: &str = "ceremony";

/// What a session contains. A browser without a session has the default, which contains nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionState {
    /// The sign-in.
    pub sign_in: Option<SignInId>,
    /// The serial of the session record.
    pub serial: i64,
    /// The pending sign-in, which waits for the second factor.
    pub pending: Option<PendingSignInId>,
    /// The pending sign-in after a sign-up in this browser, which waits until the address is verified.
    pub sign_up: Option<PendingSignInId>,
    /// The passkey ceremony of a browser that is not signed in.
    pub ceremony: Option<CeremonyId>,
}

impl SessionState {
    /// Reads a session. It is loaded once per request.
    ///
    /// # Errors
    /// `Unavailable` if the session store does not answer.
    pub async fn read(session: &Session) -> Result<Self, Fault> {
        Self::try_read(session).await.map_err(|error| {
            tracing::warn!(%error, "cannot read from the session store");
            AppError::unavailable(reason!("session_unreadable")).into()
        })
    }

    async fn try_read(session: &Session) -> Result<Self, session::Error> {
        Ok(Self {
            sign_in: session.get(SIGN_IN_KEY).await?,
            serial: session.get(SERIAL_KEY).await?.unwrap_or_default(),
            pending: session.get(PENDING_KEY).await?,
            sign_up: session.get(SIGN_UP_KEY).await?,
            ceremony: session.get(CEREMONY_KEY).await?,
        })
    }
}

/// What a service changes in the session of the browser that called it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the session must be changed"]
pub enum SessionChange {
    /// The browser is signed in. The session gets a new id, and contains only this.
    SignedIn {
        /// The sign-in.
        sign_in: SignInId,
        /// The serial of the session record.
        serial: i64,
        /// The lifetime of the cookie in seconds; `None` for as long as the browser is open.
        cookie_seconds: Option<i64>,
    },
    /// The second factor is required. The session gets a new id, and contains only this.
    Pending(PendingSignInId),
    /// The address of a new account must be verified. The session keeps its id and the rest of its content.
    SignedUp(PendingSignInId),
    /// A passkey ceremony has begun. The session keeps its id and the rest of its content.
    Ceremony(CeremonyId),
    /// The browser is signed out: the session is deleted.
    SignedOut,
}

impl SessionChange {
    /// Changes a session and saves it. The service has already committed what the change refers to.
    pub async fn apply(self, session: &Session) -> Result<(), Fault> {
        self.try_apply(session).await.map_err(Fault::internal)
    }

    async fn try_apply(self, session: &Session) -> Result<(), session::Error> {
        match self {
            Self::SignedIn { sign_in, serial, cookie_seconds } => {
                renew(session).await?;
                session.insert(SIGN_IN_KEY, sign_in).await?;
                session.insert(SERIAL_KEY, serial).await?;
                // Must be set each time, because a session does not keep it from one request to the next.
                session.set_expiry(Some(match cookie_seconds {
                    Some(seconds) => Expiry::OnInactivity(Duration::seconds(seconds)),
                    None => Expiry::OnSessionEnd,
                }));
            }
            Self::Pending(pending) => {
                renew(session).await?;
                session.insert(PENDING_KEY, pending).await?;
                session.set_expiry(Some(Expiry::OnSessionEnd));
            }
            Self::SignedUp(pending) => session.insert(SIGN_UP_KEY, pending).await?,
            Self::Ceremony(ceremony) => session.insert(CEREMONY_KEY, ceremony).await?,
            Self::SignedOut => return session.flush().await,
        }
        session.save().await
    }
}

/// Gives a session a new id, under which it is empty. Its record under the previous id is deleted.
async fn renew(session: &Session) -> Result<(), session::Error> {
    session.cycle_id().await?;
    for key in [SIGN_IN_KEY, SERIAL_KEY, PENDING_KEY, SIGN_UP_KEY, CEREMONY_KEY] {
        session.remove_value(key).await?;
    }
    Ok(())
}
