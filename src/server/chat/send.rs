//! Sending, retrying, continuing, stopping.

use super::Chats;
use crate::{
    domain::{
        AppError, ChatId, ClientId, MessageId, RunId, Sent, Timestamp, UserId, check_message, last_words, limits,
        title_from,
    },
    server::{
        fault::Fault,
        store::{MessageRow, NewChat, NewMessage, NewRun, Node, Owned, StoreError},
    },
};

/// A message to be sent.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The chat; a new one where there is none.
    pub chat: Option<ChatId>,
    /// The sender's id for it.
    pub client_id: ClientId,
    /// What is said.
    pub text: String,
    /// The id of the model to ask; the chat's, or the default, where none is named.
    pub model: Option<String>,
}

/// The model to ask.
struct Asked {
    id: String,
    label: String,
}

fn still_answering() -> AppError {
    AppError::conflict(reason!("answer_running"))
}

impl Chats {
    /// Writes a message and the run of its answer in one transaction, then starts the run. Returns when the message
    /// is on disk. The same sender's id with the same text gives the same answer again.
    ///
    /// # Errors
    /// `Invalid`, `NotFound`, `Conflict` where an answer is open, or `MessageIdUsed` where the id was used for another text
    /// or another chat.
    pub async fn send(&self, owner: UserId, outgoing: Outgoing) -> Result<Sent, Fault> {
        check_message(&outgoing.text)?;
        if let Some(sent) = self.find_sent(owner, &outgoing).await? {
            return Ok(sent);
        }
        let asked = self.choose_model(owner, outgoing.chat, outgoing.model.as_deref()).await?;
        let sent = match self.write_message(owner, &outgoing, &asked).await {
            // The same id was sent twice at once: the other one was quicker.
            Err(Fault::Internal(error)) if is_duplicate(&*error) => {
                return self.find_sent(owner, &outgoing).await?.ok_or_else(|| Fault::Internal(error));
            }
            other => other?,
        };
        self.execute(sent.run);
        Ok(sent)
    }

    async fn write_message(&self, owner: UserId, outgoing: &Outgoing, asked: &Asked) -> Result<Sent, Fault> {
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        let mut own = tx.owned_by(owner);
        let chat = match outgoing.chat {
            Some(chat) => chat,
            None => {
                let id = ChatId::from_uuid(self.0.clock.new_id());
                let (title, words) = (title_from(&outgoing.text), last_words(&outgoing.text));
                own.insert_chat(&NewChat { id, title: &title, model: &asked.id, last_words: &words, now }).await?;
                id
            }
        };
        let head = own.begin_writing(chat, &asked.id, now).await?.ok_or(AppError::NotFound)?;
        let message = MessageId::from_uuid(self.0.clock.new_id());
        own.insert_message(&NewMessage {
            id: message,
            chat,
            parent: head,
            author: "user",
            state: "complete",
            text: &outgoing.text,
            model: None,
            model_label: None,
            client_id: Some(outgoing.client_id),
            now,
        })
        .await?;
        let asks = Node { id: message, depth: head.map_or(0, |head| head.depth + 1) };
        let (answer, run) = self.insert_answer(&mut own, chat, Some(asks), asked, now).await?;
        own.update_head(chat, answer, Some(&last_words(&outgoing.text))).await?;
        tx.commit().await?;
        Ok(Sent { chat, message, answer, run })
    }

    async fn insert_answer(
        &self,
        own: &mut Owned<'_>,
        chat: ChatId,
        parent: Option<Node>,
        asked: &Asked,
        now: Timestamp,
    ) -> Result<(MessageId, RunId), Fault> {
        let answer = MessageId::from_uuid(self.0.clock.new_id());
        own.insert_message(&NewMessage {
            id: answer,
            chat,
            parent,
            author: "assistant",
            state: "open",
            text: "",
            model: Some(&asked.id),
            model_label: Some(&asked.label),
            client_id: None,
            now,
        })
        .await?;
        let run = self.insert_run(own, chat, answer, &asked.id, false, now).await?;
        Ok((answer, run))
    }

    async fn insert_run(
        &self,
        own: &mut Owned<'_>,
        chat: ChatId,
        message: MessageId,
        model: &str,
        continues: bool,
        now: Timestamp,
    ) -> Result<RunId, Fault> {
        if own.count_open_runs().await? >= limits::OPEN_RUNS_PER_PERSON {
            return Err(AppError::conflict(reason!("answers_too_many")).into());
        }
        let id = RunId::from_uuid(self.0.clock.new_id());
        match own.insert_run(&NewRun { id, chat, message, model, continues, now }).await {
            Err(StoreError::Duplicate) => Err(still_answering().into()),
            other => other.map(|()| id).map_err(Fault::from),
        }
    }

    /// What was answered to this sender's id before.
    async fn find_sent(&self, owner: UserId, outgoing: &Outgoing) -> Result<Option<Sent>, Fault> {
        let mut tx = self.0.store.read().await?;
        let mut own = tx.owned_by(owner);
        let Some(before) = own.find_message_by_client_id(outgoing.client_id).await? else { return Ok(None) };
        if before.text() != outgoing.text || outgoing.chat.is_some_and(|chat| chat != before.chat_id) {
            return Err(AppError::MessageIdUsed.into());
        }
        // Its chat was deleted since: what is sent again is a new message, not one that nobody can read.
        if own.find_chat(before.chat_id).await?.is_none() {
            return Err(AppError::MessageIdUsed.into());
        }
        let answer = own.find_first_child(before.chat_id, before.node()).await?.ok_or(AppError::NotFound)?;
        let run = own.find_last_run(answer).await?.ok_or(AppError::NotFound)?;
        Ok(Some(Sent { chat: before.chat_id, message: before.id, answer, run }))
    }

    /// The model that is named, else the chat's, else the default. One that is gone is replaced by the default
    /// unless the person named it.
    async fn choose_model(&self, owner: UserId, chat: Option<ChatId>, named: Option<&str>) -> Result<Asked, Fault> {
        if let Some(named) = named.filter(|named| !named.is_empty()) {
            let found = self.0.models.find(named).await;
            let (_, label) = found.ok_or_else(|| AppError::invalid("model", reason!("model_gone")))?;
            return Ok(Asked { id: named.to_owned(), label });
        }
        if let Some(chat) = chat {
            let row = self.0.store.read().await?.owned_by(owner).find_chat(chat).await?.ok_or(AppError::NotFound)?;
            if let Some((_, label)) = self.0.models.find(&row.model).await {
                return Ok(Asked { id: row.model, label });
            }
        }
        let default = self.0.models.list().await.default;
        if let Some(id) = default
            && let Some((_, label)) = self.0.models.find(&id).await
        {
            return Ok(Asked { id, label });
        }
        Err(AppError::unavailable(reason!("model_missing")).into())
    }

    /// Lets the last answer be written anew. The new one is shown; the old one stays as its sibling.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` where it is not the last answer, or is still being written.
    pub async fn retry(
        &self,
        owner: UserId,
        chat: ChatId,
        message: MessageId,
        model: Option<String>,
    ) -> Result<Sent, Fault> {
        let asked = self.choose_model(owner, Some(chat), model.as_deref()).await?;
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        let mut own = tx.owned_by(owner);
        // This locks the chat first, so that two retries queue up.
        let head = own.begin_writing(chat, &asked.id, now).await?.ok_or(AppError::NotFound)?;
        let old = last_answer(&mut own, chat, head, message).await?;
        let (answer, run) = self.insert_answer(&mut own, chat, old.parent(), &asked, now).await?;
        own.update_head(chat, answer, None).await?;
        tx.commit().await?;
        self.execute(run);
        Ok(Sent { chat, message: old.id, answer, run })
    }

    /// Lets a last answer that is not complete go on.
    ///
    /// # Errors
    /// As [`Chats::retry`]; also `Conflict` where the answer is complete, or has nothing to go on from.
    pub async fn continue_answer(&self, owner: UserId, chat: ChatId, message: MessageId) -> Result<Sent, Fault> {
        let found =
            self.0.store.read().await?.owned_by(owner).find_message(chat, message).await?.ok_or(AppError::NotFound)?;
        let asked = self.choose_model(owner, Some(chat), found.model.as_deref()).await?;
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        let mut own = tx.owned_by(owner);
        let head = own.begin_writing(chat, &asked.id, now).await?.ok_or(AppError::NotFound)?;
        let answer = last_answer(&mut own, chat, head, message).await?;
        if answer.state == "complete" || answer.text().trim().is_empty() {
            return Err(AppError::conflict(reason!("answer_complete")).into());
        }
        own.reopen_message(answer.id).await?;
        let run = self.insert_run(&mut own, chat, answer.id, &asked.id, true, now).await?;
        tx.commit().await?;
        self.execute(run);
        Ok(Sent { chat, message: answer.id, answer: answer.id, run })
    }

    /// Asks the run of an answer to stop, wherever it is executed. Harmless after its end.
    ///
    /// # Errors
    /// `NotFound` where there is no such message.
    pub async fn stop(&self, owner: UserId, chat: ChatId, message: MessageId) -> Result<(), Fault> {
        let mut tx = self.0.store.write().await?;
        let mut own = tx.owned_by(owner);
        own.find_message(chat, message).await?.ok_or(AppError::NotFound)?;
        let runs = own.request_stop(chat, Some(message), self.0.clock.now()).await?;
        tx.commit().await?;
        self.cancel_here(&runs);
        Ok(())
    }

    /// Ends the runs that this process executes at once; others hear of it through the database.
    pub(super) fn cancel_here(&self, runs: &[RunId]) {
        for live in runs.iter().filter_map(|run| self.0.hub.get(*run)) {
            live.stop.cancel();
        }
    }
}

/// The message, if it is the chat's head, an answer, and not being written.
async fn last_answer(
    own: &mut Owned<'_>,
    chat: ChatId,
    head: Option<Node>,
    message: MessageId,
) -> Result<MessageRow, Fault> {
    let found = own.find_message(chat, message).await?.ok_or(AppError::NotFound)?;
    if found.author != "assistant" {
        return Err(AppError::NotFound.into());
    }
    if found.state == "open" {
        return Err(still_answering().into());
    }
    if head != Some(found.node()) {
        return Err(AppError::conflict(reason!("answer_not_last")).into());
    }
    Ok(found)
}

fn is_duplicate(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    matches!(error.downcast_ref::<StoreError>(), Some(StoreError::Duplicate))
}
