use leptos::prelude::*;

use crate::domain::ClientId;

/// The message id (idempotency key) of a form without scripts. Each page that the server renders has its own, so that a
/// form that is submitted twice creates one message.
#[derive(Clone, Copy)]
pub struct MessageFormId(pub ClientId);

impl MessageFormId {
    /// Gets the id from the context.
    pub fn expect() -> Self {
        expect_context()
    }
}
