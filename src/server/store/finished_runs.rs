//! The ends of runs.

use super::{Engine, RunClaim, RunProgress, StoreError, db::fetch_optional};
use crate::domain::{JobKind, Timestamp};

/// The end of a run.
#[derive(Debug, Clone)]
pub struct FinishedRun {
    /// The claim of the worker.
    pub claim: RunClaim,
    /// The final content. `None` if nothing was written under this claim; the answer then keeps its content.
    pub progress: Option<RunProgress>,
    /// `complete`, `stopped`, `interrupted` or `failed`.
    pub state: &'static str,
    /// The failure code of a failed answer.
    pub failure: Option<String>,
    /// The beginning of the text, for the chat lists. Empty to keep the previous preview.
    pub preview: String,
    /// Whether the model shall write the title of the chat, if this is its first answer and the title is automatic.
    pub write_title: bool,
    /// Whether the chat is marked as unread.
    pub unread: bool,
    /// The current time.
    pub now: Timestamp,
}

impl Engine<'_> {
    /// Ends a run and its answer. Of several concurrent calls, only one gets `true`.
    pub async fn finish_run(&mut self, ending: &FinishedRun) -> Result<bool, StoreError> {
        let RunClaim { run, epoch, message } = ending.claim;
        if let Some(progress) = &ending.progress
            && !self.write_progress(progress).await?
        {
            return Ok(false);
        }
        let ended = fetch_optional!(
            self.tx,
            (i64, i64),
            "update runs set state = 'ended', ended_at = $3, lease_until = null
             where id = $1 and epoch = $2 and state = 'running'
             returning prompt_tokens, answer_tokens",
            run,
            epoch,
            ending.now,
        )?;
        let Some((prompt_tokens, answer_tokens)) = ended else { return Ok(false) };
        let updated = fetch_optional!(
            self.tx,
            (i64,),
            "update messages set state = $2, failure = $3, prompt_tokens = prompt_tokens + $4,
               answer_tokens = answer_tokens + $5, thinking_ms = coalesce($6, thinking_ms),
               writing_ms = coalesce($7, writing_ms)
             where id = $1 returning depth",
            message,
            ending.state,
            &ending.failure,
            prompt_tokens,
            answer_tokens,
            ending.progress.as_ref().map(|progress| progress.thinking_ms),
            ending.progress.as_ref().map(|progress| progress.writing_ms),
        )?;
        let untitled = fetch_optional!(
            self.tx,
            (bool,),
            "update chats set active_at = $2, last_words = case when $3 = '' then last_words else $3 end,
               unread = unread or $4
             where id = (select chat_id from messages where id = $1) returning title_source = 'automatic'",
            message,
            ending.now,
            &ending.preview,
            ending.unread,
        )?;
        // The first message of a chat has the depth 0, its answers have the depth 1.
        if ending.write_title && updated == Some((1,)) && untitled == Some((true,)) {
            self.tx.enqueue(JobKind::WriteTitle, message.uuid(), ending.now, ending.now).await?;
        }
        Ok(true)
    }
}
