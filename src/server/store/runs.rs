//! Runs: who writes which answer, and until when.
//!
//! A run is `queued`, then `running` under a worker's lease, then `ended`. Each claim raises its epoch; whoever writes with
//! an older epoch changes no row. Statements of the engine name the run and the epoch, not the owner: they are about work
//! that an owner has already asked for.
//!
//! Some conditions say both `state = 'running'` and `state <> 'ended'`: SQLite uses an index of open runs only where the
//! condition of the index stands word for word.

use std::collections::HashSet;

use uuid::Uuid;

use super::{
    Owned, PartKind, StoreError, Tx,
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
    /// For a queued run: how many open runs of its owner are older. `None` once it was claimed.
    pub behind: Option<i64>,
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
    /// Tokens that this run has read.
    pub prompt_tokens: i64,
    /// Tokens that this run has written.
    pub answer_tokens: i64,
    /// The tokens of the prompt's sections by their names, as JSON.
    pub prompt_sections: String,
}

/// A run of this worker that ends without having written anything: the answer keeps the text that it has.
#[derive(Debug, Clone, Copy)]
pub struct RunClaim {
    /// The run.
    pub run: RunId,
    /// The claim under which it ends.
    pub epoch: i64,
    /// The answer.
    pub message: MessageId,
}

impl From<&Claimed> for RunClaim {
    fn from(claimed: &Claimed) -> Self {
        Self { run: claimed.id, epoch: claimed.epoch, message: claimed.message_id }
    }
}

/// A run that ends without its worker, with the tokens of its last progress.
#[derive(Debug, sqlx::FromRow)]
struct InterruptedRun {
    message_id: MessageId,
    stop_requested: bool,
    prompt_tokens: i64,
    answer_tokens: i64,
}

/// How an answer ended.
#[derive(Debug, Clone)]
pub struct Ending {
    /// The claim under which it ends.
    pub claim: RunClaim,
    /// All that it has. `None` where nothing was written under this claim: then the answer keeps what it had.
    pub progress: Option<Progress>,
    /// `complete`, `stopped`, `interrupted` or `failed`.
    pub state: &'static str,
    /// Why it failed.
    pub failure: Option<String>,
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
    pub async fn find_run(&mut self, chat: ChatId, run: RunId) -> Result<Option<OpenRun>, StoreError> {
        Ok(fetch_optional!(
            self.tx,
            OpenRun,
            "select r.message_id, r.epoch, r.state = 'ended' as ended,
               case when r.state = 'queued' then (select count(*) from runs o
                 where o.owner_id = $1 and o.state <> 'ended' and o.id < r.id) end as behind
             from runs r join chats c on c.id = r.chat_id
             where r.owner_id = $1 and r.chat_id = $2 and r.id = $3 and c.deleted_at is null",
            self.owner,
            chat,
            run,
        )?)
    }

    /// How many runs have not ended, those that wait in line included.
    pub async fn count_open_runs(&mut self) -> Result<i64, StoreError> {
        let row = fetch_optional!(
            self.tx,
            (i64,),
            "select count(*) from runs where owner_id = $1 and state <> 'ended'",
            self.owner
        )?;
        Ok(row.map_or(0, |(count,)| count))
    }

    /// The run that wrote, or writes, an answer last.
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

    /// Stops the open run of an answer, or all open runs of a chat. One that is queued ends at once; one that is being
    /// executed is asked to stop. Gives those that were asked.
    pub async fn request_stop(
        &mut self,
        chat: ChatId,
        message: Option<MessageId>,
        now: Timestamp,
    ) -> Result<Vec<RunId>, StoreError> {
        let queued = fetch_all!(
            self.tx,
            InterruptedRun,
            "update runs set stop_requested = true, state = 'ended', ended_at = $4, epoch = epoch + 1
             where owner_id = $1 and chat_id = $2 and ($3 is null or message_id = $3) and state = 'queued'
             returning message_id, stop_requested, prompt_tokens, answer_tokens",
            self.owner,
            chat,
            message,
            now,
        )?;
        for run in &queued {
            self.tx.interrupt_message(run).await?;
        }
        let running = fetch_all!(
            self.tx,
            (RunId,),
            "update runs set stop_requested = true
             where owner_id = $1 and chat_id = $2 and ($3 is null or message_id = $3) and state = 'running'
             returning id",
            self.owner,
            chat,
            message,
        )?;
        Ok(running.into_iter().map(|(id,)| id).collect())
    }
}

impl Tx {
    /// Claims a run that is queued. `None` where somebody else has it, it has ended, or its owner has `per_person` runs
    /// that are being executed: then it stays in line. Two instances that claim at the same moment can exceed the bound
    /// by one.
    pub async fn claim_run(
        &mut self,
        run: RunId,
        worker: Uuid,
        lease_until: Timestamp,
        per_person: u32,
    ) -> Result<Option<Claimed>, StoreError> {
        Ok(fetch_optional!(
            self,
            Claimed,
            "update runs set state = 'running', epoch = epoch + 1, worker = $2, lease_until = $3
             where id = $1 and state = 'queued' and (select count(*) from runs o
               where o.owner_id = runs.owner_id and o.state = 'running' and o.state <> 'ended') < $4
             returning id, chat_id, message_id, owner_id, epoch, model, continues, stop_requested",
            run,
            worker,
            lease_until,
            i64::from(per_person),
        )?)
    }

    /// The oldest queued runs that were written before this moment and whose owners have fewer than `per_person` runs
    /// that are being executed.
    pub async fn list_claimable_runs(
        &mut self,
        before: Timestamp,
        per_person: u32,
        limit: u32,
    ) -> Result<Vec<RunId>, StoreError> {
        let rows = fetch_all!(
            self,
            (RunId,),
            "select q.id from runs q
             where q.state = 'queued' and q.state <> 'ended' and q.created_at <= $1 and (select count(*) from runs o
               where o.owner_id = q.owner_id and o.state = 'running' and o.state <> 'ended') < $2
             order by q.id limit $3",
            before,
            i64::from(per_person),
            i64::from(limit),
        )?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Renews the lease of a run that this worker holds.
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
    pub async fn list_stops(&mut self, worker: Uuid) -> Result<Vec<RunId>, StoreError> {
        let rows = fetch_all!(
            self,
            (RunId,),
            "select id from runs where state = 'running' and state <> 'ended' and worker = $1 and stop_requested",
            worker
        )?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Writes what an answer has so far. `false` where the run is not held under this epoch any more.
    pub async fn write_progress(&mut self, progress: &Progress) -> Result<bool, StoreError> {
        let changed = execute!(
            self,
            "update runs set prompt_tokens = $3, answer_tokens = $4, prompt_sections = $5
             where id = $1 and epoch = $2 and state = 'running'",
            progress.run,
            progress.epoch,
            progress.prompt_tokens,
            progress.answer_tokens,
            &progress.prompt_sections,
        )?;
        if changed == 0 {
            return Ok(false);
        }
        self.write_parts(progress).await?;
        Ok(true)
    }

    async fn write_parts(&mut self, progress: &Progress) -> Result<(), StoreError> {
        if progress.left_out > 0 {
            execute!(self, "update messages set left_out = $2 where id = $1", progress.message, progress.left_out)?;
        }
        self.write_part(progress.message, PartKind::Reasoning, &progress.reasoning).await?;
        self.write_part(progress.message, PartKind::Text, &progress.text).await
    }

    /// Ends a run and its answer. Of all who try, one is told `true`.
    pub async fn finish_run(&mut self, ending: &Ending) -> Result<bool, StoreError> {
        let RunClaim { run, epoch, message } = ending.claim;
        if let Some(progress) = &ending.progress
            && !self.write_progress(progress).await?
        {
            return Ok(false);
        }
        let ended = fetch_optional!(
            self,
            (i64, i64),
            "update runs set state = 'ended', ended_at = $3, lease_until = null
             where id = $1 and epoch = $2 and state = 'running'
             returning prompt_tokens, answer_tokens",
            run,
            epoch,
            ending.now,
        )?;
        let Some((prompt_tokens, answer_tokens)) = ended else { return Ok(false) };
        execute!(
            self,
            "update messages set state = $2, failure = $3, prompt_tokens = prompt_tokens + $4,
               answer_tokens = answer_tokens + $5
             where id = $1",
            message,
            ending.state,
            &ending.failure,
            prompt_tokens,
            answer_tokens,
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

    /// Whether the lease of a run has run out.
    pub async fn has_expired_run(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "select id from runs where state = 'running' and state <> 'ended' and lease_until < $1 limit 1";
        Ok(fetch_optional!(self, (RunId,), sql, now)?.is_some())
    }

    /// Ends the runs whose lease ran out, but for those that this worker says it holds, and marks their answers as
    /// interrupted. Gives how many.
    pub async fn interrupt_expired(&mut self, now: Timestamp, held: &HashSet<RunId>) -> Result<usize, StoreError> {
        let expired = fetch_all!(
            self,
            (RunId,),
            "select id from runs where state = 'running' and state <> 'ended' and lease_until < $1",
            now
        )?;
        let mut count = 0;
        for (run,) in expired.into_iter().filter(|(run,)| !held.contains(run)) {
            let row = fetch_optional!(
                self,
                InterruptedRun,
                "update runs set state = 'ended', ended_at = $2, lease_until = null, epoch = epoch + 1
                 where id = $1 and state = 'running' and lease_until < $2
                 returning message_id, stop_requested, prompt_tokens, answer_tokens",
                run,
                now
            )?;
            if let Some(run) = row {
                self.interrupt_message(&run).await?;
                count += 1;
            }
        }
        Ok(count)
    }

    /// Ends the runs of a worker that is known to be dead, and marks their answers as interrupted. Gives how many.
    pub async fn interrupt_runs_of(&mut self, worker: Uuid, now: Timestamp) -> Result<usize, StoreError> {
        let rows = fetch_all!(
            self,
            InterruptedRun,
            "update runs set state = 'ended', ended_at = $2, lease_until = null, epoch = epoch + 1
             where state = 'running' and state <> 'ended' and worker = $1
             returning message_id, stop_requested, prompt_tokens, answer_tokens",
            worker,
            now
        )?;
        for run in &rows {
            self.interrupt_message(run).await?;
        }
        Ok(rows.len())
    }

    async fn interrupt_message(&mut self, run: &InterruptedRun) -> Result<(), StoreError> {
        execute!(
            self,
            "update messages set state = $2, prompt_tokens = prompt_tokens + $3, answer_tokens = answer_tokens + $4
             where id = $1 and state = 'open'",
            run.message_id,
            if run.stop_requested { "stopped" } else { "interrupted" },
            run.prompt_tokens,
            run.answer_tokens,
        )?;
        Ok(())
    }
}
