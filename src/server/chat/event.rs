//! The events of a run's stream.

use std::{fmt, str::FromStr, sync::Arc};

use serde::Serialize;

use crate::domain::event;

/// One event of a run's stream. Cloning shares the data.
#[derive(Debug, Clone)]
pub struct Event {
    /// One of [`event`]'s names.
    pub name: &'static str,
    /// Its number, for `Last-Event-ID`.
    pub id: Option<EventId>,
    /// JSON without line breaks.
    pub data: Arc<str>,
}

impl Event {
    /// An event with this content.
    pub(super) fn json(name: &'static str, id: Option<EventId>, data: &impl Serialize) -> Self {
        let data = serde_json::to_string(data).expect("wire types have string keys and no failing serializers");
        Self { name, id, data: data.into() }
    }

    /// Sends the reader away, to come back.
    pub(super) fn reconnect() -> Self {
        Self { name: event::RECONNECT, id: None, data: "{}".into() }
    }
}

/// The number of an event: the claim under which it was made, and its place among its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventId {
    /// The run's epoch; `EventId::ELSEWHERE` where the reader watches a run of another process.
    pub epoch: i64,
    /// The step.
    pub sequence: u64,
}

impl EventId {
    /// No claim has this epoch: steps that were taken from the database are counted apart from those of the run
    /// itself, and whoever comes back with such a number gets a snapshot.
    pub(super) const ELSEWHERE: i64 = -1;
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
