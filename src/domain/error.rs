//! The one error that crosses the wire.

use std::cell::RefCell;

use serde::{Deserialize, Serialize};
use server_fn::{
    Bytes, Decodes,
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};

/// What went wrong, in the terms of the person who asked. Carries nothing internal:
/// without scripts it travels in a URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "error")]
pub enum AppError {
    /// Nobody is signed in, or the sign-in has ended.
    #[error("Please sign in again.")]
    Unauthenticated,
    /// Signed in, but not allowed.
    #[error("You may not do that.")]
    Forbidden,
    /// They must prove again who they are, because the last time was too long ago.
    #[error("Please confirm that it is you.")]
    Stale,
    /// It does not exist, or it is somebody else's.
    #[error("That is not here, or not yours.")]
    NotFound,
    /// An input is wrong.
    #[error("{reason}")]
    Invalid {
        /// The name of the input.
        field: String,
        /// A sentence that says what to change.
        reason: String,
    },
    /// The thing has changed in the meantime, or the id was used for something else.
    #[error("{reason}")]
    Conflict {
        /// A sentence that says what stands in the way.
        reason: String,
    },
    /// The sender's id of this message was used for another message. Sent under a new id it is taken.
    #[error("This message id was used for another message. Reload the page and send again.")]
    MessageIdUsed,
    /// Too many tries.
    #[error("Too many tries. Please wait {} and try again.", wait(*.retry_after))]
    RateLimited {
        /// Seconds to wait.
        retry_after: u32,
    },
    /// A part that is needed does not answer now.
    #[error("{reason}")]
    Unavailable {
        /// A sentence that says what is missing and what to do.
        reason: String,
    },
    /// A fault of ours.
    #[error("Something went wrong on the server. Please try again. (Request {request_id})")]
    Internal {
        /// The id under which the fault was logged.
        request_id: String,
    },
    /// The server could not be reached, or did not answer in our form.
    #[error("The server could not be reached. Check the connection and try again.")]
    Transport,
    /// Signed in, but without the second factor that the installation asks for.
    #[error("Add a second factor in the settings first: this installation asks you for one.")]
    Unenrolled,
}

impl AppError {
    /// An input is wrong: `reason` is a sentence that says what to change.
    pub fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), reason: reason.into() }
    }

    /// Something stands in the way.
    pub fn conflict(reason: impl Into<String>) -> Self {
        Self::Conflict { reason: reason.into() }
    }

    /// A needed part does not answer.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable { reason: reason.into() }
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

fn wait(seconds: u32) -> String {
    match seconds {
        0..=90 => format!("{} seconds", seconds.max(1)),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            // The texts of these name types and inputs, so they stay on the server.
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => {
                Self::invalid("request", "The request is not in the expected form.")
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
