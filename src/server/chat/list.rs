//! Lists of chats, and what can be done with chats.

use std::{collections::BTreeSet, time::Duration};

use super::Chats;
use crate::{
    domain::{
        AppError, AuditAction, ChatAction, ChatCursor, ChatFilter, ChatId, ChatPage, UserId, limits, parse_title,
    },
    server::{
        audit::{RequestMeta, chat_count},
        fault::Fault,
    },
};

/// Pauses before a change that the database undid in favour of another one is tried again.
const DEADLOCK_PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(300)];

impl Chats {
    /// One page of a person's chats.
    ///
    /// # Errors
    /// `Invalid` for a cursor that is none, or a search that is too long.
    pub async fn list(
        &self,
        owner: UserId,
        filter: ChatFilter,
        search: &str,
        cursor: Option<&str>,
    ) -> Result<ChatPage, Fault> {
        if search.chars().count() > limits::SEARCH_CHARS || search.contains('\0') {
            return Err(AppError::invalid("search", reason!("search_too_long", most = limits::SEARCH_CHARS)).into());
        }
        let after = cursor.filter(|text| !text.is_empty()).map(str::parse::<ChatCursor>).transpose()?;
        let limit = limits::CHATS_PER_PAGE;
        let mut tx = self.0.store.read().await?;
        let mut chats = tx.owned_by(owner).list_chats(filter, search.trim(), after, limit + 1).await?;
        let more = chats.len() > limit as usize;
        chats.truncate(limit as usize);
        let next = chats
            .last()
            .filter(|_| more)
            .map(|last| ChatCursor { pinned: last.pinned, active_at: last.active_at, id: last.id }.to_string());
        Ok(ChatPage { chats, next })
    }

    /// Gives a chat another title.
    ///
    /// # Errors
    /// `Invalid`, `NotFound`.
    pub async fn rename(&self, owner: UserId, chat: ChatId, title: &str) -> Result<(), Fault> {
        let title = parse_title(title)?;
        let mut tx = self.0.store.write().await?;
        if !tx.owned_by(owner).update_title(chat, &title).await? {
            return Err(AppError::NotFound.into());
        }
        tx.commit().await?;
        Ok(())
    }

    /// Does one thing with some chats, all or nothing. Gives how many it was done with. Deletions are written down.
    ///
    /// # Errors
    /// `Invalid` for too many, `NotFound` where none of them is there.
    pub async fn change(
        &self,
        owner: UserId,
        chats: &[ChatId],
        action: ChatAction,
        meta: &RequestMeta,
    ) -> Result<u32, Fault> {
        if chats.len() > limits::CHATS_PER_ACTION {
            return Err(AppError::invalid("chats", reason!("chats_too_many", most = limits::CHATS_PER_ACTION)).into());
        }
        // In one order, so that two of these never wait for each other's chats.
        let chats: BTreeSet<ChatId> = chats.iter().copied().collect();
        for pause in DEADLOCK_PAUSES {
            match self.change_all(owner, &chats, action, meta).await {
                // Whoever was in the way goes first.
                Err(fault) if fault.is_deadlock() => tokio::time::sleep(pause).await,
                done => return done,
            }
        }
        self.change_all(owner, &chats, action, meta).await
    }

    async fn change_all(
        &self,
        owner: UserId,
        chats: &BTreeSet<ChatId>,
        action: ChatAction,
        meta: &RequestMeta,
    ) -> Result<u32, Fault> {
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        let mut own = tx.owned_by(owner);
        let (mut count, mut stopped) = (0, Vec::new());
        for chat in chats {
            let changed = match action {
                ChatAction::Pin => own.update_pinned(*chat, true).await?,
                ChatAction::Unpin => own.update_pinned(*chat, false).await?,
                ChatAction::Archive => own.update_archived(*chat, true).await?,
                ChatAction::Unarchive => own.update_archived(*chat, false).await?,
                ChatAction::Delete => {
                    stopped.extend(own.request_stop(*chat, None, now).await?);
                    own.update_deleted(*chat, Some(now)).await?
                }
                ChatAction::Restore => own.update_deleted(*chat, None).await?,
            };
            count += u32::from(changed);
        }
        if count == 0 {
            return Err(AppError::NotFound.into());
        }
        let act = match action {
            ChatAction::Delete => Some(AuditAction::DeleteChats),
            ChatAction::Restore => Some(AuditAction::RestoreChats),
            ChatAction::Pin | ChatAction::Unpin | ChatAction::Archive | ChatAction::Unarchive => None,
        };
        if let Some(act) = act {
            meta.record_own_on(&mut tx, &self.0.clock, owner, act, &chat_count(count)).await?;
        }
        tx.commit().await?;
        self.cancel_here(&stopped);
        Ok(count)
    }
}
