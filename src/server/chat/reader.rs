//! Readers of an answer that is being written. A reader owns nothing: it may come, go and come back.

use std::{pin::pin, time::Duration};

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

/// How often a reader looks at a run that another process executes.
const POLL: Duration = Duration::from_millis(300);

/// Reads one run for one person.
pub struct Reader {
    chats: Chats,
    owner: UserId,
    chat: ChatId,
    run: RunId,
    last: Option<EventId>,
    from: Source,
}

enum Source {
    /// Not looked yet.
    Unknown,
    /// A run of this process.
    Here(Receiver<Event>),
    /// A run of another process, of which the database shows what is kept.
    Kept { epoch: i64, state: Box<LiveState> },
    /// Everything was said.
    Over,
}

impl Chats {
    /// Begins to read a run. `last` is the number of the last event that the reader has; anything that is not one
    /// means none.
    ///
    /// # Errors
    /// `NotFound` where the run is not there or not theirs.
    pub async fn read_run(
        &self,
        owner: UserId,
        chat: ChatId,
        run: RunId,
        last: Option<EventId>,
    ) -> Result<Reader, Fault> {
        self.0.store.read().await?.owned_by(owner).find_run(chat, run).await?.ok_or(AppError::NotFound)?;
        Ok(Reader { chats: self.clone(), owner, chat, run, last, from: Source::Unknown })
    }
}

impl Reader {
    /// The events, until the answer has ended or the reader has to come back.
    pub fn into_stream(self) -> impl Stream<Item = Event> + Send + 'static {
        stream::unfold(self, |mut reader| async move {
            let event = reader.next().await?;
            Some((event, reader))
        })
    }

    async fn next(&mut self) -> Option<Event> {
        let shutdown = self.chats.0.shutdown.clone();
        loop {
            let event = match &mut self.from {
                Source::Over => return None,
                Source::Here(events) => tokio::select! {
                    received = events.recv() => Some(Self::received(received)),
                    () = shutdown.cancelled() => Some(Event::reconnect()),
                },
                Source::Unknown => self.look().await,
                Source::Kept { .. } => {
                    let chats = self.chats.clone();
                    let mut arrivals = pin!(chats.0.hub.arrivals.notified());
                    // Listens from here on, so that a run that becomes live before the wait is not missed.
                    arrivals.as_mut().enable();
                    let is_live = chats.0.hub.get(self.run).is_some();
                    tokio::select! {
                        () = tokio::time::sleep(POLL), if !is_live => {}
                        () = arrivals, if !is_live => {}
                        () = std::future::ready(()), if is_live => {}
                        () = shutdown.cancelled() => {
                            self.from = Source::Over;
                            return Some(Event::reconnect());
                        }
                    }
                    self.look().await
                }
            };
            if let Some(event) = event {
                if matches!(event.name, event::END | event::RECONNECT) {
                    self.from = Source::Over;
                }
                return Some(event);
            }
        }
    }

    fn received(received: Result<Event, RecvError>) -> Event {
        // Too slow, or the run was dropped: the next connection begins with a snapshot.
        received.unwrap_or_else(|_| Event::reconnect())
    }

    /// Finds out where the run is now, and what is new there.
    async fn look(&mut self) -> Option<Event> {
        if let Some(live) = self.chats.0.hub.get(self.run) {
            let (snapshot, events) = live.listen(self.last.take());
            self.from = Source::Here(events);
            return snapshot;
        }
        self.look_into_store().await.unwrap_or_else(|fault| {
            tracing::warn!(%fault, run = %self.run, "a reader could not look");
            Some(Event::reconnect())
        })
    }

    async fn look_into_store(&mut self) -> Result<Option<Event>, Fault> {
        // What the reader had before is replaced by what stands here.
        self.last = None;
        let mut tx = self.chats.0.store.read().await?;
        let mut own = tx.owned_by(self.owner);
        let Some(run) = own.find_run(self.chat, self.run).await? else {
            self.from = Source::Over;
            return Ok(None);
        };
        let Some(row) = own.find_message(self.chat, run.message_id).await? else {
            self.from = Source::Over;
            return Ok(None);
        };
        drop(tx);
        if run.ended {
            let message = self.chats.view(row).await?;
            return Ok(Some(Event::json(event::END, None, &message)));
        }
        let left_out = u32::try_from(row.left_out).unwrap_or(0);
        let waiting = Phase::Waiting { place: self.chats.place_in_line(run.behind) };
        if let Source::Kept { epoch, state } = &mut self.from
            && *epoch == run.epoch
            && let Some(words) = row.text().strip_prefix(state.text())
            && let Some(thoughts) = row.reasoning().strip_prefix(state.reasoning())
        {
            if !thoughts.is_empty() {
                state.push_reasoning(thoughts);
            }
            if !words.is_empty() {
                state.push_text(words);
            } else if thoughts.is_empty() {
                if !matches!(state.phase(), Phase::Waiting { .. }) || state.phase() == waiting {
                    return Ok(None);
                }
                state.set_phase(waiting);
            }
            state.set_left_out(left_out);
            state.touch();
            let update = state.advance();
            let id = EventId { epoch: EventId::ELSEWHERE, sequence: state.sequence };
            return Ok(update.map(|update| Event::json(event::UPDATE, Some(id), &update)));
        }
        let mut state = Box::new(LiveState::new(&row.text(), &row.reasoning(), left_out));
        state.set_phase(waiting);
        state.advance();
        let id = EventId { epoch: EventId::ELSEWHERE, sequence: state.sequence };
        let snapshot = Event::json(event::SNAPSHOT, Some(id), &state.told);
        self.from = Source::Kept { epoch: run.epoch, state };
        Ok(Some(snapshot))
    }
}
