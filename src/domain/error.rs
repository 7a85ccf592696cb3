//! The error type of the API, which the server sends to the browser.

use std::cell::RefCell;

use serde::{Deserialize, Serialize};
use server_fn::{
    Bytes, Decodes,
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};

use crate::i18n::{self, Reason, Texts};

/// An error that is shown to the user: a code and the values for its message. The message is formatted where it is
/// shown, in the language of the page. Must not contain internal details: without JavaScript, it is passed in a URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "error")]
pub enum AppError {
    /// The client is not signed in, or the sign-in has expired or was revoked.
    #[error("not signed in")]
    Unauthenticated,
    /// The user does not have permission.
    #[error("not allowed")]
    Forbidden,
    /// The user must re-authenticate, because the last authentication was too long ago.
    #[error("not authenticated recently")]
    #[serde(rename = "stale")]
    ReauthRequired,
    /// The resource does not exist, or belongs to another user.
    #[error("not found")]
    NotFound,
    /// The user has deleted this chat, and can still restore it.
    #[error("the chat is deleted")]
    ChatDeleted,
    /// An input is invalid.
    #[error("invalid {field}: {reason}")]
    Invalid {
        /// The name of the input.
        field: String,
        /// Why it is invalid.
        reason: Reason,
    },
    /// The request conflicts with the current state, which may have changed in the meantime.
    #[error("conflict: {reason}")]
    Conflict {
        /// The conflict.
        reason: Reason,
    },
    /// The client id of this message was already used for another message. The client can retry with a new id.
    #[error("the message id was used for another message")]
    MessageIdUsed,
    /// A rate limit was exceeded.
    #[error("rate limited, retry after {retry_after} s")]
    RateLimited {
        /// Seconds until the next attempt is allowed.
        retry_after: u32,
    },
    /// A required service is temporarily unavailable.
    #[error("unavailable: {reason}")]
    Unavailable {
        /// Which service is unavailable, and what to do.
        reason: Reason,
    },
    /// An internal server error.
    #[error("internal error, request {request_id}")]
    Internal {
        /// The request id with which the error was logged.
        request_id: String,
    },
    /// The server could not be reached.
    #[error("the server was not reached")]
    Transport,
    /// The answer cannot be read: it is not from this server, but of a proxy before it, say, while the server restarts.
    #[error("the answer cannot be read")]
    Unreadable,
    /// The user must first enrol a second factor, as the installation requires.
    #[error("not enrolled in a second factor")]
    #[serde(rename = "unenrolled")]
    MfaEnrolmentRequired,
}

impl AppError {
    /// Creates an error for an invalid input.
    pub fn invalid(field: impl Into<String>, reason: Reason) -> Self {
        Self::Invalid { field: field.into(), reason }
    }

    /// Creates an error for a conflict with the current state.
    pub const fn conflict(reason: Reason) -> Self {
        Self::Conflict { reason }
    }

    /// Creates an error for a service that is unavailable.
    pub const fn unavailable(reason: Reason) -> Self {
        Self::Unavailable { reason }
    }

    /// Whether a sign-in was refused because the address is not verified, and another link was mailed.
    pub fn is_unverified(&self) -> bool {
        matches!(self, Self::Conflict { reason } if reason.code == "email_unverified")
    }

    /// The message in the language of the page.
    pub fn text(&self) -> String {
        self.text_in(i18n::current())
    }

    /// The message in the language of `texts`.
    pub fn text_in(&self, texts: &Texts) -> String {
        match self {
            Self::Unauthenticated => t!(in texts, "error.unauthenticated").to_owned(),
            Self::Forbidden => t!(in texts, "error.forbidden").to_owned(),
            Self::ReauthRequired => t!(in texts, "error.stale").to_owned(),
            Self::NotFound => t!(in texts, "error.not_found").to_owned(),
            Self::ChatDeleted => t!(in texts, "error.chat_deleted").to_owned(),
            Self::Invalid { reason, .. } | Self::Conflict { reason } | Self::Unavailable { reason } => {
                reason.text_in(texts)
            }
            Self::MessageIdUsed => t!(in texts, "error.message_id_used").to_owned(),
            Self::RateLimited { retry_after: seconds @ 0..=90 } => {
                t!(in texts, "error.rate_limited_seconds", count = (*seconds).max(1))
            }
            Self::RateLimited { retry_after } => {
                t!(in texts, "error.rate_limited_minutes", count = retry_after.div_ceil(60))
            }
            Self::Internal { request_id } => t!(in texts, "error.internal", request = request_id),
            Self::Transport => t!(in texts, "error.transport").to_owned(),
            Self::Unreadable => t!(in texts, "error.unreadable").to_owned(),
            Self::MfaEnrolmentRequired => t!(in texts, "error.unenrolled").to_owned(),
        }
    }

    /// The HTTP status code.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Unauthenticated => 401,
            Self::Forbidden | Self::ReauthRequired | Self::MfaEnrolmentRequired => 403,
            Self::NotFound => 404,
            Self::Conflict { .. } | Self::MessageIdUsed => 409,
            Self::ChatDeleted => 410,
            Self::Invalid { .. } => 422,
            Self::RateLimited { .. } => 429,
            Self::Internal { .. } => 500,
            Self::Unavailable { .. } | Self::Transport | Self::Unreadable => 503,
        }
    }

    /// The name of the invalid input, if the error is about one.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            _ => None,
        }
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        let error = match error {
            // Their messages contain names of types and inputs, and are not sent to the client.
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => malformed_request(),
            // The server reads requests, the browser reads answers.
            ServerFnErrorErr::Deserialization(_) if cfg!(feature = "ssr") => malformed_request(),
            ServerFnErrorErr::Deserialization(_) => Self::Unreadable,
            _ => Self::Transport,
        };
        report(&error);
        error
    }

    fn de(data: Bytes) -> Self {
        let error = JsonEncoding::decode(data).unwrap_or(Self::Unreadable);
        report(&error);
        error
    }
}

fn malformed_request() -> AppError {
    AppError::invalid("request", reason!("malformed_request"))
}

type Hook = Box<dyn Fn(&AppError)>;

thread_local! {
    static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
}

fn report(error: &AppError) {
    HOOK.with_borrow(|hook| hook.iter().for_each(|hook| hook(error)));
}

/// Registers a hook that is called with every error of a server function. Only for the browser. There is only one hook;
/// a new one replaces it.
pub fn on_error(hook: impl Fn(&AppError) + 'static) {
    HOOK.set(Some(Box::new(hook)));
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_not_an_error_of_ours_is_unreadable() {
        for body in ["{}", "", "<html>502 Bad Gateway</html>", "{\"error\":\"unknown\"}"] {
            assert_eq!(AppError::de(Bytes::from_static(body.as_bytes())), AppError::Unreadable, "{body}");
        }
        let ours = AppError::de(Bytes::from_static(b"{\"error\":\"rate_limited\",\"retry_after\":7}"));
        assert_eq!(ours, AppError::RateLimited { retry_after: 7 });
    }

    #[test]
    fn malformed_arguments_are_a_fault_of_the_request() {
        let error = AppError::from_server_fn_error(ServerFnErrorErr::Args("missing field `chat`".to_owned()));
        assert_eq!(error.field(), Some("request"));
        assert_eq!(AppError::from_server_fn_error(ServerFnErrorErr::Request(String::new())), AppError::Transport);
    }
}
