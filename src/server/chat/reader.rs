//! Readers of an answer that is being generated. A reader owns no state of the run: it may disconnect and reconnect at
//! any time.

use std::time::Duration;

use futures::{Stream, stream};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::{
    Chats,
    event::{Event, EventId},
    live::LiveState,
};
use crate::{
    domain::{AppError, ChatId, Phase, RunId, UserId, event},
    server::fault::Fault,
};

/// How often a reader polls the database for a run of another process.
const POLL_INTERVAL: Duration = Duration::from_millis(300);

/// Reads the events of one run for one user.
pub struct RunReader {
    chats: Chats,
    owner: UserId,
    chat: ChatId,
    run: RunId,
    last: Option<EventId>,
    source: Source,
}

enum Source {
    /// The run has not been located yet.
    Unlocated,
    /// A run of this process.
    Local(Receiver<Event>),
    /// A run of another process, read from the database.
    Stored { epoch: i64, state: Box<LiveState> },
    /// The stream has ended.
    Ended,
}

impl Chats {
    /// Starts to read a run. `last` is the id of the last event that the client has. `None` starts with a snapshot.
    ///
    /// # Errors
    /// `NotFound` if the run does not exist or belongs to another user.
    pub async fn read_run(
        &self,
        owner: UserId,
        chat: ChatId,
        run: RunId,
        last: Option<EventId>,
    ) -> Result<RunReader, Fault> {
        self.0.store.read().await?.owned_by(owner).find_run(chat, run).await?.ok_or(AppError::NotFound)?;
        Ok(RunReader { chats: self.clone(), owner, chat, run, last, source: Source::Unlocated })
    }
}

impl RunReader {
    /// The events, until the answer has ended or the client has to reconnect.
    pub fn into_stream(self) -> impl Stream<Item = Event> + Send + 'static {
        stream::unfold(self, |mut reader| async move {
            let event = reader.next().await?;
            Some((event, reader))
        })
    }

    async fn next(&mut self) -> Option<Event> {
        let shutdown = self.chats.0.shutdown.clone();
        loop {
            let event = match &mut self.source {
                Source::Ended => return None,
                Source::Local(events) => tokio::select! {
                    received = events.recv() => Some(Self::event_or_reconnect(received)),
                    () = shutdown.cancelled() => Some(Event::reconnect()),
                },
                Source::Unlocated => self.locate().await,
                Source::Stored { .. } => {
                    tokio::select! {
                        () = self.chats.0.hub.wait_until_live(self.run) => {}
                        () = tokio::time::sleep(POLL_INTERVAL) => {}
                        () = shutdown.cancelled() => {
                            self.source = Source::Ended;
                            return Some(Event::reconnect());
                        }
                    }
                    self.locate().await
                }
            };
            if let Some(event) = event {
                if matches!(event.name, event::END | event::RECONNECT) {
                    self.source = Source::Ended;
                }
                return Some(event);
            }
        }
    }

    fn event_or_reconnect(received: Result<Event, RecvError>) -> Event {
        // The reader lagged or the run was dropped. The next connection starts with a snapshot.
        received.unwrap_or_else(|_| Event::reconnect())
    }

    /// Locates the run and returns what is new there.
    async fn locate(&mut self) -> Option<Event> {
        if let Some(live) = self.chats.0.hub.get(self.run) {
            let (snapshot, events) = live.subscribe(self.last.take());
            self.source = Source::Local(events);
            return snapshot;
        }
        self.read_from_store().await.unwrap_or_else(|fault| {
            tracing::warn!(%fault, run = %self.run, "cannot read a run from the database");
            Some(Event::reconnect())
        })
    }

    async fn read_from_store(&mut self) -> Result<Option<Event>, Fault> {
        // The first event from the database replaces what the client has.
        self.last = None;
        let mut tx = self.chats.0.store.read().await?;
        let mut own = tx.owned_by(self.owner);
        let Some(run) = own.find_run(self.chat, self.run).await? else {
            self.source = Source::Ended;
            return Ok(None);
        };
        let Some(row) = own.find_message(self.chat, run.message_id).await? else {
            self.source = Source::Ended;
            return Ok(None);
        };
        let versions = if run.ended { own.find_versions(self.chat, row.node()).await? } else { None };
        drop(tx);
        if run.ended {
            if run.unread {
                self.chats.mark_read(self.owner, self.chat).await;
            }
            let message = self.chats.to_message(row, versions).await?;
            return Ok(Some(Event::json(event::END, None, &message)));
        }
        let truncated_messages = u32::try_from(row.truncated_messages).unwrap_or(0);
        let waiting = Phase::Waiting { position: self.chats.queue_position(run.runs_ahead) };
        if let Source::Stored { epoch, state } = &mut self.source
            && *epoch == run.epoch
            && let Some(text) = row.text().strip_prefix(state.text())
            && let Some(reasoning) = row.reasoning().strip_prefix(state.reasoning())
        {
            if !reasoning.is_empty() {
                state.push_reasoning(reasoning);
            }
            if !text.is_empty() {
                state.push_text(text);
            } else if reasoning.is_empty() {
                if !matches!(state.phase(), Phase::Waiting { .. }) || state.phase() == waiting {
                    return Ok(None);
                }
                state.set_phase(waiting);
            }
            state.set_truncated_messages(truncated_messages);
            state.mark_changed();
            let update = state.next_update();
            let id = EventId { epoch: EventId::REMOTE_EPOCH, sequence: state.sequence };
            return Ok(update.map(|update| Event::json(event::UPDATE, Some(id), &update)));
        }
        let mut state = Box::new(LiveState::new(&row.text(), &row.reasoning(), truncated_messages, (&row).into()));
        state.set_phase(waiting);
        state.next_update();
        let id = EventId { epoch: EventId::REMOTE_EPOCH, sequence: state.sequence };
        let snapshot = Event::json(event::SNAPSHOT, Some(id), &state.published);
        self.source = Source::Stored { epoch: run.epoch, state };
        Ok(Some(snapshot))
    }
}
