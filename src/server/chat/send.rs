//! Sends, edits, retries, continues and stops.

use std::sync::Arc;

use super::Chats;
use crate::{
    domain::{
        AppError, ChatId, ClientId, MessageId, RunId, StartedRun, Timestamp, UserId, check_message, limits,
        message_preview, title_from,
    },
    server::{
        fault::Fault,
        store::{MessageRow, NewChat, NewMessage, NewRun, Node, Owned, StoreError, Tx},
    },
};

/// A message to send.
#[derive(Debug, Clone)]
pub struct OutgoingMessage {
    /// The chat. `None` starts a new one.
    pub chat: Option<ChatId>,
    /// The message of the user of which it is another version. `None` appends it to the chat.
    pub edited: Option<MessageId>,
    /// The id that the client assigned to the message, for idempotent retries.
    pub client_id: ClientId,
    /// The text of the message.
    pub text: String,
    /// The id of the model. `None` means the model of the chat, or the default model.
    pub model: Option<String>,
}

/// The model of the answer.
struct RequestedModel {
    id: String,
    label: String,
}

/// The error for changes that have to wait for the open answer of the chat.
pub(super) fn answer_running() -> AppError {
    AppError::conflict(reason!("answer_running"))
}

/// The transaction of one send.
struct SendUnit {
    chats: Chats,
    owner: UserId,
    outgoing: Arc<OutgoingMessage>,
    requested: RequestedModel,
}

impl SendUnit {
    async fn write(&self, tx: &mut Tx) -> Result<StartedRun, Fault> {
        let Self { chats, owner, outgoing, requested } = self;
        let clock = &chats.0.clock;
        let now = clock.now();
        let mut own = tx.owned_by(*owner);
        let preview = message_preview(&outgoing.text);
        let (message, answer) = (MessageId::from_uuid(clock.new_id()), MessageId::from_uuid(clock.new_id()));
        let (chat, parent) = match outgoing.chat {
            Some(chat) => {
                let head = own.lock_chat_for_writing(chat, &requested.id, now).await?.ok_or(AppError::NotFound)?;
                let parent = match outgoing.edited {
                    Some(edited) => parent_of_edited(&mut own, chat, head, edited).await?,
                    None => head,
                };
                own.update_head(chat, answer, Some(&preview)).await?;
                (chat, parent)
            }
            None => {
                let (id, title) = (ChatId::from_uuid(clock.new_id()), title_from(&outgoing.text));
                let (title, model, preview) = (&*title, &*requested.id, &*preview);
                own.insert_chat(&NewChat { id, title, model, preview, head: Some(answer), now }).await?;
                (id, None)
            }
        };
        own.insert_message(&NewMessage {
            id: message,
            chat,
            parent,
            author: "user",
            state: "complete",
            text: &outgoing.text,
            model: None,
            model_label: None,
            client_id: Some(outgoing.client_id),
            now,
        })
        .await?;
        let question = Node { id: message, depth: parent.map_or(0, |parent| parent.depth + 1) };
        let run = chats.insert_answer(&mut own, chat, answer, Some(question), requested, now).await?;
        Ok(StartedRun { chat, message, answer, run })
    }
}

impl Chats {
    /// Stores a message and the run of its answer in one transaction, then starts the run. Returns when the message is
    /// on disk. The same client id with the same text returns the same result again. An edited message stays as its
    /// sibling, with what follows it.
    ///
    /// # Errors
    /// `Invalid`, `NotFound`, `Conflict` if an answer is open, or `MessageIdUsed` if the id was used for another text,
    /// in another chat or at another place.
    pub async fn send(&self, owner: UserId, outgoing: OutgoingMessage) -> Result<StartedRun, Fault> {
        check_message(&outgoing.text)?;
        let outgoing = Arc::new(outgoing);
        match self.store_message(owner, Arc::clone(&outgoing)).await {
            Ok(sent) => {
                self.execute(sent.run);
                Ok(sent)
            }
            // It may have been sent before, whatever has happened to its chat or its model since. Looked up only now,
            // because almost every message is sent once.
            Err(fault) => self.find_previous_result(owner, &outgoing).await?.ok_or(fault),
        }
    }

    async fn store_message(&self, owner: UserId, outgoing: Arc<OutgoingMessage>) -> Result<StartedRun, Fault> {
        let requested = self.choose_model(owner, outgoing.chat, outgoing.model.as_deref()).await?;
        let unit = Arc::new(SendUnit { chats: self.clone(), owner, outgoing, requested });
        let written = self.0.store.write_grouped(move |tx| {
            let unit = Arc::clone(&unit);
            Box::pin(async move { unit.write(tx).await })
        });
        written.await
    }

    async fn insert_answer(
        &self,
        own: &mut Owned<'_>,
        chat: ChatId,
        answer: MessageId,
        parent: Option<Node>,
        requested: &RequestedModel,
        now: Timestamp,
    ) -> Result<RunId, Fault> {
        own.insert_message(&NewMessage {
            id: answer,
            chat,
            parent,
            author: "assistant",
            state: "open",
            text: "",
            model: Some(&requested.id),
            model_label: Some(&requested.label),
            client_id: None,
            now,
        })
        .await?;
        self.insert_run(own, chat, answer, &requested.id, false, now).await
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
        let (id, max_open) = (RunId::from_uuid(self.0.clock.new_id()), limits::MAX_OPEN_RUNS_PER_USER);
        match own.insert_run(&NewRun { id, chat, message, model, continues, max_open, now }).await {
            Ok(true) => Ok(id),
            Ok(false) => Err(AppError::conflict(reason!("answers_too_many")).into()),
            Err(StoreError::Duplicate) => Err(answer_running().into()),
            Err(error) => Err(error.into()),
        }
    }

    /// The result that was returned for this client id before.
    async fn find_previous_result(
        &self,
        owner: UserId,
        outgoing: &OutgoingMessage,
    ) -> Result<Option<StartedRun>, Fault> {
        let mut tx = self.0.store.read().await?;
        let mut own = tx.owned_by(owner);
        let Some(before) = own.find_message_by_client_id(outgoing.client_id).await? else { return Ok(None) };
        if before.text() != outgoing.text || outgoing.chat.is_some_and(|chat| chat != before.chat_id) {
            return Err(AppError::MessageIdUsed.into());
        }
        if let (Some(chat), Some(edited)) = (outgoing.chat, outgoing.edited)
            && own.find_parent(chat, edited).await? != Some(before.parent_id)
        {
            return Err(AppError::MessageIdUsed.into());
        }
        // The chat has been deleted since. A repeated message must not end up where no one can read it.
        if own.find_chat(before.chat_id).await?.is_none() {
            return Err(AppError::MessageIdUsed.into());
        }
        let answer = own.find_first_child(before.chat_id, before.node()).await?.ok_or(AppError::NotFound)?;
        let run = own.find_last_run(answer).await?.ok_or(AppError::NotFound)?;
        Ok(Some(StartedRun { chat: before.chat_id, message: before.id, answer, run }))
    }

    /// The requested model, else the model of the chat, else the default. A model that no longer exists is replaced by
    /// the default unless the user requested it.
    async fn choose_model(
        &self,
        owner: UserId,
        chat: Option<ChatId>,
        named: Option<&str>,
    ) -> Result<RequestedModel, Fault> {
        if let Some(named) = named.filter(|named| !named.is_empty()) {
            let found = self.0.models.find(named).await;
            let (_, label) = found.ok_or_else(|| AppError::invalid("model", reason!("model_gone")))?;
            return Ok(RequestedModel { id: named.to_owned(), label });
        }
        if let Some(chat) = chat {
            let row = self.0.store.read().await?.owned_by(owner).find_chat(chat).await?.ok_or(AppError::NotFound)?;
            if let Some((_, label)) = self.0.models.find(&row.model).await {
                return Ok(RequestedModel { id: row.model, label });
            }
        }
        let default = self.0.models.list().await.default;
        if let Some(id) = default
            && let Some((_, label)) = self.0.models.find(&id).await
        {
            return Ok(RequestedModel { id, label });
        }
        Err(AppError::unavailable(reason!("model_missing")).into())
    }

    /// Generates an answer again. The new answer is shown; the old one stays as its sibling, with what follows it.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` while an answer of the chat is open.
    pub async fn retry(
        &self,
        owner: UserId,
        chat: ChatId,
        message: MessageId,
        model: Option<String>,
    ) -> Result<StartedRun, Fault> {
        let requested = self.choose_model(owner, Some(chat), model.as_deref()).await?;
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        let mut own = tx.owned_by(owner);
        // Locks the chat first, so that concurrent retries are serialised.
        let head = own.lock_chat_for_writing(chat, &requested.id, now).await?.ok_or(AppError::NotFound)?;
        let old = ended_answer(&mut own, chat, message).await?;
        own.remember_path(head, old.depth).await?;
        let answer = MessageId::from_uuid(self.0.clock.new_id());
        let run = self.insert_answer(&mut own, chat, answer, old.parent(), &requested, now).await?;
        own.update_head(chat, answer, None).await?;
        tx.commit().await?;
        self.execute(run);
        Ok(StartedRun { chat, message: old.id, answer, run })
    }

    /// Continues a last answer that is not complete.
    ///
    /// # Errors
    /// As [`Chats::retry`]; also `Conflict` if it is not the last message, is complete, or has no text to continue.
    pub async fn continue_answer(&self, owner: UserId, chat: ChatId, message: MessageId) -> Result<StartedRun, Fault> {
        let found =
            self.0.store.read().await?.owned_by(owner).find_message(chat, message).await?.ok_or(AppError::NotFound)?;
        let requested = self.choose_model(owner, Some(chat), found.model.as_deref()).await?;
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        let mut own = tx.owned_by(owner);
        let head = own.lock_chat_for_writing(chat, &requested.id, now).await?.ok_or(AppError::NotFound)?;
        let answer = ended_answer(&mut own, chat, message).await?;
        if head != Some(answer.node()) {
            return Err(AppError::conflict(reason!("answer_not_last")).into());
        }
        if answer.state == "complete" || answer.text().trim().is_empty() {
            return Err(AppError::conflict(reason!("answer_complete")).into());
        }
        own.reopen_message(answer.id).await?;
        let run = self.insert_run(&mut own, chat, answer.id, &requested.id, true, now).await?;
        tx.commit().await?;
        self.execute(run);
        Ok(StartedRun { chat, message: answer.id, answer: answer.id, run })
    }

    /// Requests the run of an answer to stop, in whichever process it is executed. Does nothing if it has ended.
    ///
    /// # Errors
    /// `NotFound` if there is no such message.
    pub async fn stop(&self, owner: UserId, chat: ChatId, message: MessageId) -> Result<(), Fault> {
        let mut tx = self.0.store.write().await?;
        let mut own = tx.owned_by(owner);
        own.find_message(chat, message).await?.ok_or(AppError::NotFound)?;
        let runs = own.request_stop(chat, Some(message), self.0.clock.now()).await?;
        tx.commit().await?;
        self.cancel_local_runs(&runs);
        Ok(())
    }

    /// Immediately stops those runs that this process executes. Other processes read the stop request from the
    /// database.
    pub(super) fn cancel_local_runs(&self, runs: &[RunId]) {
        for live in runs.iter().filter_map(|run| self.0.hub.get(*run)) {
            live.stop.cancel();
        }
    }
}

/// The message before a message of the user that is edited. Remembers the path that is shown below that.
async fn parent_of_edited(
    own: &mut Owned<'_>,
    chat: ChatId,
    head: Option<Node>,
    edited: MessageId,
) -> Result<Option<Node>, Fault> {
    let edited = own.find_message(chat, edited).await?.filter(|edited| edited.author == "user");
    let edited = edited.ok_or(AppError::NotFound)?;
    own.remember_path(head, edited.depth).await?;
    Ok(edited.parent())
}

/// The message, if it is an answer and not being generated.
async fn ended_answer(own: &mut Owned<'_>, chat: ChatId, message: MessageId) -> Result<MessageRow, Fault> {
    let found = own.find_message(chat, message).await?.ok_or(AppError::NotFound)?;
    if found.author != "assistant" {
        return Err(AppError::NotFound.into());
    }
    if found.state == "open" {
        return Err(answer_running().into());
    }
    Ok(found)
}
