//! Where an act comes from.

use super::ClientAddress;

/// Bytes of a browser's name that are kept.
const AGENT_BYTES: usize = 300;

/// The machine and the browser that a request comes from.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The machine.
    pub address: ClientAddress,
    /// The browser, as it names itself: cut, and without control characters.
    pub user_agent: String,
}

impl Origin {
    /// An origin with what a browser says of itself.
    pub fn new(address: ClientAddress, user_agent: &str) -> Self {
        let user_agent: String = user_agent.chars().filter(|c| !c.is_control()).collect();
        let end = user_agent.floor_char_boundary(AGENT_BYTES);
        Self { address, user_agent: user_agent[..end].to_owned() }
    }

    /// The machine's address for people.
    pub(super) fn place(&self) -> String {
        self.address.0.to_canonical().to_string()
    }
}
