//! The events of a run's stream.

use std::{fmt, str::FromStr, sync::Arc};

use serde::Serialize;

use crate::domain::event;

/// One event of a run's stream. Cloning shares the data.
#[derive(Debug, Clone)]
pub struct Event {
    /// One of the names in [`event`].
    pub name: &'static str,
    /// The event id, for `Last-Event-ID`.
    pub id: Option<EventId>,
    /// JSON without line breaks.
    pub data: Arc<str>,
}

impl Event {
    /// An event with this data.
    pub(super) fn json(name: &'static str, id: Option<EventId>, data: &impl Serialize) -> Self {
        let data = serde_json::to_string(data).expect("wire types have string keys and no failing serializers");
        Self { name, id, data: data.into() }
    }

    /// Asks the client to reconnect.
    pub(super) fn reconnect() -> Self {
        Self { name: event::RECONNECT, id: None, data: "{}".into() }
    }
}

/// The id of an event: the claim under which it was created, and its sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventId {
    /// The run's epoch, or `EventId::REMOTE_EPOCH` if the reader follows a run of another process.
    pub epoch: i64,
    /// The sequence number of the update.
    pub sequence: u64,
}

impl EventId {
    /// The epoch of events that are built from the database. No claim has it, so their sequence numbers never mix with
    /// those of the run itself, and a client that reconnects with such an id gets a snapshot.
    pub(super) const REMOTE_EPOCH: i64 = -1;
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.sequence)
    }
}

impl FromStr for EventId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (epoch, sequence) = text.split_once('.').ok_or(())?;
        Ok(Self { epoch: epoch.parse().map_err(|_| ())?, sequence: sequence.parse().map_err(|_| ())? })
    }
}
