use leptos::prelude::*;

use crate::domain::ClientId;

/// The id of the message that is written into a form without scripts. Each page that the server sends has another one,
/// so that a form that is sent twice writes one message.
#[derive(Clone, Copy)]
pub struct MessageFormId(pub ClientId);

impl MessageFormId {
    /// The id of this page.
    pub fn expect() -> Self {
        expect_context()
    }
}
