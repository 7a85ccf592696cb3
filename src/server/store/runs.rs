//! Runs: who writes which answer, and until when.
//!
//! A run is `queued`, then `running` under a worker's lease, then `ended`. Each claim raises its epoch; whoever
//! writes with an older epoch changes no row. Statements of the engine name the run and the epoch, not the owner:
//! they are about work that an owner has already asked for.

use uuid::Uuid;

use super::{
    Owned, StoreError, Tx,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{ChatId, MessageId, RunId, Timestamp, UserId};

/// A run to be written.
#[derive(Debug)]
pub struct NewRun<'a> {
    /// Its id.
    pub id: RunId,
    /// Its chat.
    pub chat: ChatId,
    /// The answer that it writes.
    pub message: MessageId,
    /// The id of the model that is asked.
    pub model: &'a str,
    /// Whether it goes on from what the answer has already.
    pub continues: bool,
    /// Now.
    pub now: Timestamp,
}

/// A run that this worker has.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Claimed {
    /// Its id.
    pub id: RunId,
    /// Its chat.
    pub chat_id: ChatId,
    /// The answer that it writes.
    pub message_id: MessageId,
    /// Whose.
    pub owner_id: UserId,
    /// The epoch of this claim.
    pub epoch: i64,
    /// The id of the model that is asked.
    pub model: String,
    /// Whether it goes on from what the answer has already.
    pub continues: bool,
    /// Whether a person has asked it to stop.
    pub stop_requested: bool,
}

/// A run as its readers see it.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct OpenRun {
    /// The answer that it writes.
    pub message_id: MessageId,
    /// The epoch of the last claim.
    pub epoch: i64,
    /// Whether it has ended.
    pub ended: bool,
}

/// What an answer has so far.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The run.
    pub run: RunId,
    /// The claim under which it was written.
    pub epoch: i64,
    /// The answer.
    pub message: MessageId,
    /// All of its text.
    pub text: String,
    /// All of the model's thinking.
    pub reasoning: String,
    /// How many of the oldest messages the model did not read.
    pub left_out: i64,
}

/// How an answer ended.
#[derive(Debug, Clone)]
pub struct Ending {
    /// All that it has.
    pub progress: Progress,
    /// `complete`, `stopped`, `interrupted` or `failed`.
    pub state: &'static str,
    /// Why it failed.
    pub failure: Option<String>,
    /// Tokens read.
    pub prompt_tokens: i64,
    /// Tokens written.
    pub answer_tokens: i64,
    /// The beginning of the text, for the lists.
    pub last_words: String,
    /// Now.
    pub now: Timestamp,
}

impl Owned<'_> {
    /// Writes a run, queued.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] where the chat has an open run.
    pub async fn insert_run(&mut self, run: &NewRun<'_>) -> Result<(), StoreError> {
        execute!(
            self.tx,
            "insert into runs (id, chat_id, message_id, owner_id, state, epoch, stop_requested, continues, model, created_at)
             values ($1, $2, $3, $4, 'queued', 0, false, $5, $6, $7)",
            run.id,
            run.chat,
            run.message,
            self.owner,
            run.continues,
            run.model,
            run.now,
        )?;
        Ok(())
    }

    /// A run of a chat that is not deleted.
    ///
    /// # Errors
    /// As the database says.
    pub async fn find_run(&mut self, chat: ChatId, run: RunId) -> Result<Option<OpenRun>, StoreError> {
        Ok(fetch_optional!(
            self.tx,
            OpenRun,
            "select r.message_id, r.epoch, r.state = 'ended' as ended
             from runs r join chats c on c.id = r.chat_id
             where r.owner_id = $1 and r.chat_id = $2 and r.id = $3 and c.deleted_at is null",
            self.owner,
            chat,
            run,
        )?)
    }

    /// The run that wrote, or writes, an answer last.
    ///
    /// # Errors
    /// As the database says.
    pub async fn find_last_run(&mut self, message: MessageId) -> Result<Option<RunId>, StoreError> {
        let row = fetch_optional!(
            self.tx,
            (RunId,),
            "select id from runs where owner_id = $1 and message_id = $2 order by id desc limit 1",
            self.owner,
            message,
        )?;
        Ok(row.map(|(id,)| id))
    }

    /// Asks the open run of an answer to stop, or all open runs of a chat. Gives the runs that were asked.
    ///
    /// # Errors
    /// As the database says.
    pub async fn request_stop(&mut self, chat: ChatId, message: Option<MessageId>) -> Result<Vec<RunId>, StoreError> {
        let rows = match message {
            Some(message) => fetch_all!(
                self.tx,
                (RunId,),
                "update runs set stop_requested = true
                 where owner_id = $1 and chat_id = $2 and message_id = $3 and state <> 'ended' returning id",
                self.owner,
                chat,
                message,
            ),
            None => fetch_all!(
                self.tx,
                (RunId,),
                "update runs set stop_requested = true
                 where owner_id = $1 and chat_id = $2 and state <> 'ended' returning id",
                self.owner,
                chat,
            ),
        }?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }
}

impl Tx {
    /// Claims a run that is queued. `None` where somebody else has it, or it has ended.
    ///
    /// # Errors
    /// As the database says.
    pub async fn claim_run(
        &mut self,
        run: RunId,
        worker: Uuid,
        lease_until: Timestamp,
    ) -> Result<Option<Claimed>, StoreError> {
        Ok(fetch_optional!(
            self,
            Claimed,
            "update runs set state = 'running', epoch = epoch + 1, worker = $2, lease_until = $3
             where id = $1 and state = 'queued'
             returning id, chat_id, message_id, owner_id, epoch, model, continues, stop_requested",
            run,
            worker,
            lease_until,
        )?)
    }

    /// Queued runs that were written before this moment: whoever wrote them did not get to claim them.
    ///
    /// # Errors
    /// As the database says.
    pub async fn list_runs_queued_before(&mut self, moment: Timestamp) -> Result<Vec<RunId>, StoreError> {
        let rows = fetch_all!(
            self,
            (RunId,),
            "select id from runs where state = 'queued' and created_at < $1 order by id limit 200",
            moment
        )?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Renews the lease of a run that this worker holds.
    ///
    /// # Errors
    /// As the database says.
    pub async fn renew_lease(&mut self, run: RunId, worker: Uuid, lease_until: Timestamp) -> Result<(), StoreError> {
        execute!(
            self,
            "update runs set lease_until = $3 where id = $1 and worker = $2 and state = 'running'",
            run,
            worker,
            lease_until
        )?;
        Ok(())
    }

    /// The runs of a worker that a person has asked to stop.
    ///
    /// # Errors
    /// As the database says.
    pub async fn list_stops(&mut self, worker: Uuid) -> Result<Vec<RunId>, StoreError> {
        let rows = fetch_all!(
            self,
            (RunId,),
            "select id from runs where state = 'running' and worker = $1 and stop_requested",
            worker
        )?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Writes what an answer has so far. `false` where the run is not held under this epoch any more.
    ///
    /// # Errors
    /// As the database says.
    pub async fn write_progress(&mut self, progress: &Progress) -> Result<bool, StoreError> {
        let changed = execute!(
            self,
            "update messages set text = $4, reasoning = $5, left_out = $6
             where id = $1 and exists (select 1 from runs where id = $2 and epoch = $3 and state = 'running')",
            progress.message,
            progress.run,
            progress.epoch,
            &progress.text,
            &progress.reasoning,
            progress.left_out,
        )?;
        Ok(changed == 1)
    }

    /// Ends a run and its answer. Of all who try, one is told `true`.
    ///
    /// # Errors
    /// As the database says.
    pub async fn finish_run(&mut self, ending: &Ending) -> Result<bool, StoreError> {
        let Progress { run, epoch, message, text, reasoning, left_out } = &ending.progress;
        let won = execute!(
            self,
            "update runs set state = 'ended', ended_at = $3, lease_until = null
             where id = $1 and epoch = $2 and state = 'running'",
            run,
            epoch,
            ending.now,
        )?;
        if won == 0 {
            return Ok(false);
        }
        execute!(
            self,
            "update messages set state = $2, text = $3, reasoning = $4, left_out = $5, failure = $6,
               prompt_tokens = prompt_tokens + $7, answer_tokens = answer_tokens + $8
             where id = $1",
            message,
            ending.state,
            text,
            reasoning,
            left_out,
            &ending.failure,
            ending.prompt_tokens,
            ending.answer_tokens,
        )?;
        execute!(
            self,
            "update chats set active_at = $2, last_words = case when $3 = '' then last_words else $3 end
             where id = (select chat_id from messages where id = $1)",
            message,
            ending.now,
            &ending.last_words,
        )?;
        Ok(true)
    }

    /// Ends the runs whose lease ran out, and marks their answers as interrupted. Gives how many.
    ///
    /// # Errors
    /// As the database says.
    pub async fn interrupt_expired(&mut self, now: Timestamp) -> Result<usize, StoreError> {
        let rows = fetch_all!(
            self,
            (RunId, MessageId, bool),
            "update runs set state = 'ended', ended_at = $1, lease_until = null, epoch = epoch + 1
             where state = 'running' and lease_until < $1
             returning id, message_id, stop_requested",
            now
        )?;
        for (_, message, stopped) in &rows {
            execute!(
                self,
                "update messages set state = $2 where id = $1 and state = 'open'",
                message,
                if *stopped { "stopped" } else { "interrupted" },
            )?;
        }
        Ok(rows.len())
    }
}
