//! Runs: the generation of answers by workers.
//!
//! A run is `queued`, then `running` under a worker's lease, then `ended`. Each claim increments its epoch; a write
//! with an older epoch changes no row. Statements of the workers filter by run and epoch, not by owner, because the
//! owner has already requested the work.
//!
//! Some conditions contain both `state = 'running'` and `state <> 'ended'`: SQLite only uses the index of open runs if
//! the condition of the index is repeated literally.

use std::collections::HashSet;

use uuid::Uuid;

use super::{
    Engine, Owned, PartKind, StoreError,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{ChatId, MessageId, RunId, Timestamp, UserId};

/// A run to insert.
#[derive(Debug)]
pub struct NewRun<'a> {
    /// The run's id.
    pub id: RunId,
    /// The chat's id.
    pub chat: ChatId,
    /// The answer that it writes.
    pub message: MessageId,
    /// The model's id.
    pub model: &'a str,
    /// Whether it continues the existing text of the answer.
    pub continues: bool,
    /// The maximum number of open runs that its owner can have, this one included.
    pub max_open: i64,
    /// The current time.
    pub now: Timestamp,
}

/// A run that this worker has claimed.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ClaimedRun {
    /// The run's id.
    pub id: RunId,
    /// The chat's id.
    pub chat_id: ChatId,
    /// The answer that it writes.
    pub message_id: MessageId,
    /// The owner.
    pub owner_id: UserId,
    /// The epoch of this claim.
    pub epoch: i64,
    /// The model's id.
    pub model: String,
    /// Whether it continues the existing text of the answer.
    pub continues: bool,
    /// Whether the user has requested a stop.
    pub stop_requested: bool,
}

/// The status of a run, for its readers.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct RunStatus {
    /// The answer that it writes.
    pub message_id: MessageId,
    /// The epoch of the last claim.
    pub epoch: i64,
    /// Whether it has ended.
    pub ended: bool,
    /// For a queued run: the number of older open runs of its owner. `None` after it was claimed.
    pub runs_ahead: Option<i64>,
    /// Whether its chat is marked as unread.
    pub unread: bool,
}

/// The current content of an answer and the token counts of its run.
#[derive(Debug, Clone)]
pub struct RunProgress {
    /// The run's id.
    pub run: RunId,
    /// The epoch of the claim.
    pub epoch: i64,
    /// The answer's id.
    pub message: MessageId,
    /// The complete text.
    pub text: String,
    /// The complete reasoning of the model.
    pub reasoning: String,
    /// The number of oldest messages that were truncated because the context is too short.
    pub truncated_messages: i64,
    /// How long the model reasoned, in milliseconds, over all runs of the answer. Stored when the run ends.
    pub thinking_ms: i64,
    /// From its first token to its last one, likewise.
    pub writing_ms: i64,
    /// Prompt tokens of this run.
    pub prompt_tokens: i64,
    /// Tokens that the model has generated in this run.
    pub answer_tokens: i64,
    /// The tokens of the prompt sections by name, as a JSON object.
    pub prompt_sections: String,
}

/// The claim of a worker on a run.
#[derive(Debug, Clone, Copy)]
pub struct RunClaim {
    /// The run's id.
    pub run: RunId,
    /// The epoch of the claim.
    pub epoch: i64,
    /// The answer's id.
    pub message: MessageId,
}

impl From<&ClaimedRun> for RunClaim {
    fn from(claimed: &ClaimedRun) -> Self {
        Self { run: claimed.id, epoch: claimed.epoch, message: claimed.message_id }
    }
}

/// A run that was ended without its worker, with the tokens of its last progress.
#[derive(Debug, sqlx::FromRow)]
struct InterruptedRun {
    message_id: MessageId,
    stop_requested: bool,
    prompt_tokens: i64,
    answer_tokens: i64,
}

impl Owned<'_> {
    /// Inserts a queued run; `false` if its owner has too many open runs.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] if the chat already has an open run.
    pub async fn insert_run(&mut self, run: &NewRun<'_>) -> Result<bool, StoreError> {
        let inserted = execute!(
            self.tx,
            "insert into runs (id, chat_id, message_id, owner_id, state, epoch, stop_requested, continues, model, created_at)
             select $1, id, $3, owner_id, 'queued', 0, false, $5, $6, $7 from chats
             where id = $2 and owner_id = $4
               and (select count(*) from runs where owner_id = $4 and state <> 'ended') < $8",
            run.id,
            run.chat,
            run.message,
            self.owner,
            run.continues,
            run.model,
            run.now,
            run.max_open,
        )?;
        Ok(inserted > 0)
    }

    /// The status of a run in a chat that is not deleted.
    pub async fn find_run(&mut self, chat: ChatId, run: RunId) -> Result<Option<RunStatus>, StoreError> {
        Ok(fetch_optional!(
            self.tx,
            RunStatus,
            "select r.message_id, r.epoch, r.state = 'ended' as ended,
               case when r.state = 'queued' then (select count(*) from runs o
                 where o.owner_id = $1 and o.state <> 'ended' and o.id < r.id) end as runs_ahead,
               c.unread
             from runs r join chats c on c.id = r.chat_id
             where r.owner_id = $1 and r.chat_id = $2 and r.id = $3 and c.deleted_at is null",
            self.owner,
            chat,
            run,
        )?)
    }

    /// The newest run of an answer.
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

    /// Whether an answer of this chat is queued or being generated.
    pub async fn has_open_run(&mut self, chat: ChatId) -> Result<bool, StoreError> {
        let sql = "select id from runs where owner_id = $1 and chat_id = $2 and state <> 'ended' limit 1";
        Ok(fetch_optional!(self.tx, (RunId,), sql, self.owner, chat)?.is_some())
    }

    /// Stops the open run of an answer, or all open runs of a chat. A queued run ends immediately; for a running one, a
    /// stop is requested from its worker. Returns the ids of these running runs.
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
            self.tx.engine().interrupt_message(run).await?;
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

impl Engine<'_> {
    /// Claims a queued run. `None` if another worker has claimed it, it has ended, or its owner already has
    /// `max_per_user` running runs; then it stays queued. Two instances that claim at the same time can exceed the
    /// limit by one.
    pub async fn claim_run(
        &mut self,
        run: RunId,
        worker: Uuid,
        lease_until: Timestamp,
        max_per_user: u32,
    ) -> Result<Option<ClaimedRun>, StoreError> {
        Ok(fetch_optional!(
            self.tx,
            ClaimedRun,
            "update runs set state = 'running', epoch = epoch + 1, worker = $2, lease_until = $3
             where id = $1 and state = 'queued' and (select count(*) from runs o
               where o.owner_id = runs.owner_id and o.state = 'running' and o.state <> 'ended') < $4
             returning id, chat_id, message_id, owner_id, epoch, model, continues, stop_requested",
            run,
            worker,
            lease_until,
            i64::from(max_per_user),
        )?)
    }

    /// The oldest queued runs that were created before this time and whose owners have fewer than `max_per_user`
    /// running runs.
    pub async fn list_claimable_runs(
        &mut self,
        before: Timestamp,
        max_per_user: u32,
        limit: u32,
    ) -> Result<Vec<RunId>, StoreError> {
        let rows = fetch_all!(
            self.tx,
            (RunId,),
            "select q.id from runs q
             where q.state = 'queued' and q.state <> 'ended' and q.created_at <= $1 and (select count(*) from runs o
               where o.owner_id = q.owner_id and o.state = 'running' and o.state <> 'ended') < $2
             order by q.id limit $3",
            before,
            i64::from(max_per_user),
            i64::from(limit),
        )?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Renews the lease of a run that this worker holds.
    pub async fn renew_lease(&mut self, run: RunId, worker: Uuid, lease_until: Timestamp) -> Result<(), StoreError> {
        execute!(
            self.tx,
            "update runs set lease_until = $3 where id = $1 and worker = $2 and state = 'running'",
            run,
            worker,
            lease_until
        )?;
        Ok(())
    }

    /// The running runs of a worker for which a stop was requested.
    pub async fn list_stop_requests(&mut self, worker: Uuid) -> Result<Vec<RunId>, StoreError> {
        let rows = fetch_all!(
            self.tx,
            (RunId,),
            "select id from runs where state = 'running' and state <> 'ended' and worker = $1 and stop_requested",
            worker
        )?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Writes the current content of an answer; `false` if the run is no longer claimed with this epoch.
    pub async fn write_progress(&mut self, progress: &RunProgress) -> Result<bool, StoreError> {
        let changed = execute!(
            self.tx,
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

    async fn write_parts(&mut self, progress: &RunProgress) -> Result<(), StoreError> {
        if progress.truncated_messages > 0 {
            execute!(
                self.tx,
                "update messages set left_out = $2 where id = $1",
                progress.message,
                progress.truncated_messages
            )?;
        }
        self.write_part(progress.message, PartKind::Reasoning, &progress.reasoning).await?;
        self.write_part(progress.message, PartKind::Text, &progress.text).await
    }

    /// Whether any running run has an expired lease.
    pub async fn has_expired_run(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "select id from runs where state = 'running' and state <> 'ended' and lease_until < $1 limit 1";
        Ok(fetch_optional!(self.tx, (RunId,), sql, now)?.is_some())
    }

    /// Ends the runs whose lease has expired, except those in `held`, which this worker is still running. Marks their
    /// answers as interrupted. Returns the number of ended runs.
    pub async fn interrupt_expired(&mut self, now: Timestamp, held: &HashSet<RunId>) -> Result<usize, StoreError> {
        let expired = fetch_all!(
            self.tx,
            (RunId,),
            "select id from runs where state = 'running' and state <> 'ended' and lease_until < $1",
            now
        )?;
        let mut count = 0;
        for (run,) in expired.into_iter().filter(|(run,)| !held.contains(run)) {
            let row = fetch_optional!(
                self.tx,
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

    /// Ends the runs of a worker that is known to be dead, and marks their answers as interrupted. Returns the number
    /// of ended runs.
    pub async fn interrupt_runs_of(&mut self, worker: Uuid, now: Timestamp) -> Result<usize, StoreError> {
        let rows = fetch_all!(
            self.tx,
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
            self.tx,
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
