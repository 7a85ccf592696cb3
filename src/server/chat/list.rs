//! Lists of chats, and actions on chats.

use std::{collections::BTreeSet, time::Duration};

use super::Chats;
use crate::{
    domain::{
        AppError, AuditAction, ChatAction, ChatCursor, ChatFilter, ChatId, ChatPage, UserId, limits, parse_title,
    },
    server::{
        audit::{RequestMeta, chat_count_detail},
        fault::Fault,
        markdown::clean_preview,
        store::Tx,
    },
};

/// Delays before a transaction that was rolled back because of a deadlock is retried.
const DEADLOCK_BACKOFF: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(300)];

impl Chats {
    /// One page of a user's chats.
    ///
    /// # Errors
    /// `Invalid` for an invalid cursor or a search that is too long.
    pub async fn list(
        &self,
        owner: UserId,
        filter: ChatFilter,
        search: &str,
        cursor: Option<&str>,
    ) -> Result<ChatPage, Fault> {
        self.list_in(&mut self.0.store.read().await?, owner, filter, search, cursor).await
    }

    /// Like [`Chats::list`], in a unit of work of the page that shows them.
    pub async fn list_in(
        &self,
        tx: &mut Tx,
        owner: UserId,
        filter: ChatFilter,
        search: &str,
        cursor: Option<&str>,
    ) -> Result<ChatPage, Fault> {
        if search.chars().count() > limits::MAX_SEARCH_CHARS || search.contains('\0') {
            return Err(AppError::invalid("search", reason!("search_too_long", most = limits::MAX_SEARCH_CHARS)).into());
        }
        let after = cursor.filter(|text| !text.is_empty()).map(str::parse::<ChatCursor>).transpose()?;
        let limit = limits::CHATS_PER_PAGE;
        let mut chats = tx.owned_by(owner).list_chats(filter, search.trim(), after, limit + 1).await?;
        let more = chats.len() > limit as usize;
        chats.truncate(limit as usize);
        for chat in &mut chats {
            chat.preview = clean_preview(std::mem::take(&mut chat.preview));
        }
        let next = chats
            .last()
            .filter(|_| more)
            .map(|last| ChatCursor { pinned: last.pinned, active_at: last.active_at, id: last.id }.to_string());
        Ok(ChatPage { chats, next })
    }

    /// Renames a chat.
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

    /// Applies one action to several chats, all or nothing. Returns the number of chats that changed. Deletions and
    /// restores are recorded in the audit log.
    ///
    /// # Errors
    /// `Invalid` for too many chats, `NotFound` if none of them exists.
    pub async fn apply_action(
        &self,
        owner: UserId,
        chats: &[ChatId],
        action: ChatAction,
        meta: &RequestMeta,
    ) -> Result<u32, Fault> {
        if chats.len() > limits::MAX_CHATS_PER_ACTION {
            return Err(
                AppError::invalid("chats", reason!("chats_too_many", most = limits::MAX_CHATS_PER_ACTION)).into()
            );
        }
        // Always locks chats in the same order, so that concurrent calls do not wait for each other.
        let chats: BTreeSet<ChatId> = chats.iter().copied().collect();
        for delay in DEADLOCK_BACKOFF {
            match self.try_apply_action(owner, &chats, action, meta).await {
                // Let the other transaction finish first.
                Err(fault) if fault.is_deadlock() => tokio::time::sleep(delay).await,
                done => return done,
            }
        }
        self.try_apply_action(owner, &chats, action, meta).await
    }

    async fn try_apply_action(
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
        let audit_action = match action {
            ChatAction::Delete => Some(AuditAction::DeleteChats),
            ChatAction::Restore => Some(AuditAction::RestoreChats),
            ChatAction::Pin | ChatAction::Unpin | ChatAction::Archive | ChatAction::Unarchive => None,
        };
        if let Some(audit_action) = audit_action {
            meta.record_own_with_detail(&mut tx, &self.0.clock, owner, audit_action, &chat_count_detail(count)).await?;
        }
        tx.commit().await?;
        self.cancel_local_runs(&stopped);
        Ok(count)
    }
}
