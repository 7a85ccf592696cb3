//! The one error that crosses the wire.

use std::cell::RefCell;

use serde::{Deserialize, Serialize};
use server_fn::{
    Bytes, Decodes,
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};

use crate::i18n::{self, Reason, Texts};

/// What went wrong, in the terms of the person who asked: a code, and what the sentence needs. The sentence is made where it
/// is read, in the language of whoever reads it. Carries nothing internal: without scripts it travels in a URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "error")]
pub enum AppError {
    /// Nobody is signed in, or the sign-in has ended.
    #[error("not signed in")]
    Unauthenticated,
    /// Signed in, but not allowed.
    #[error("not allowed")]
    Forbidden,
    /// They must prove again who they are, because the last time was too long ago.
    #[error("not authenticated recently")]
    Stale,
    /// It does not exist, or it is somebody else's.
    #[error("not found")]
    NotFound,
    /// An input is wrong.
    #[error("invalid {field}: {reason}")]
    Invalid {
        /// The name of the input.
        field: String,
        /// What to change.
        reason: Reason,
    },
    /// The thing has changed in the meantime, or the id was used for something else.
    #[error("conflict: {reason}")]
    Conflict {
        /// What stands in the way.
        reason: Reason,
    },
    /// The sender's id of this message was used for another message. Sent under a new id it is taken.
    #[error("the message id was used for another message")]
    MessageIdUsed,
    /// Too many tries.
    #[error("rate limited, retry after {retry_after} s")]
    RateLimited {
        /// Seconds to wait.
        retry_after: u32,
    },
    /// A part that is needed does not answer now.
    #[error("unavailable: {reason}")]
    Unavailable {
        /// What is missing and what to do.
        reason: Reason,
    },
    /// A fault of ours.
    #[error("internal error, request {request_id}")]
    Internal {
        /// The id under which the fault was logged.
        request_id: String,
    },
    /// The server could not be reached, or did not answer in our form.
    #[error("the server was not reached")]
    Transport,
    /// Signed in, but without the second factor that the installation asks for.
    #[error("not enrolled in a second factor")]
    Unenrolled,
}

impl AppError {
    /// An input is wrong: `reason` says what to change.
    pub fn invalid(field: impl Into<String>, reason: Reason) -> Self {
        Self::Invalid { field: field.into(), reason }
    }

    /// Something stands in the way: `reason` says what.
    pub const fn conflict(reason: Reason) -> Self {
        Self::Conflict { reason }
    }

    /// A needed part does not answer: `reason` says which, and what to do.
    pub const fn unavailable(reason: Reason) -> Self {
        Self::Unavailable { reason }
    }

    /// The sentence for whoever reads the page that is being made or shown.
    pub fn text(&self) -> String {
        self.text_in(i18n::current())
    }

    /// The sentence in these texts.
    pub fn text_in(&self, texts: &Texts) -> String {
        match self {
            Self::Unauthenticated => t!(in texts, "error.unauthenticated").to_owned(),
            Self::Forbidden => t!(in texts, "error.forbidden").to_owned(),
            Self::Stale => t!(in texts, "error.stale").to_owned(),
            Self::NotFound => t!(in texts, "error.not_found").to_owned(),
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
            Self::Unenrolled => t!(in texts, "error.unenrolled").to_owned(),
        }
    }

    /// The HTTP status of this error.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Unauthenticated => 401,
            Self::Forbidden | Self::Stale | Self::Unenrolled => 403,
            Self::NotFound => 404,
            Self::Conflict { .. } | Self::MessageIdUsed => 409,
            Self::Invalid { .. } => 422,
            Self::RateLimited { .. } => 429,
            Self::Internal { .. } => 500,
            Self::Unavailable { .. } | Self::Transport => 503,
        }
    }

    /// The input that is wrong, where one is.
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
        match error {
            // The texts of these name types and inputs, so they stay on the server.
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => {
                Self::invalid("request", reason!("malformed_request"))
            }
            _ => Self::Transport,
        }
    }

    fn de(data: Bytes) -> Self {
        let error = JsonEncoding::decode(data).unwrap_or(Self::Transport);
        if error == Self::Unauthenticated {
            SIGNED_OUT.with_borrow(|hook| hook.iter().for_each(|hook| hook()));
        }
        error
    }
}

thread_local! {
    static SIGNED_OUT: RefCell<Option<Box<dyn Fn()>>> = const { RefCell::new(None) };
}

/// Has `hook` called whenever a server function answers that nobody is signed in. For the browser: the server reads no
/// answers of its own. There is one hook; another one takes its place.
pub fn on_signed_out(hook: impl Fn() + 'static) {
    SIGNED_OUT.set(Some(Box::new(hook)));
}
