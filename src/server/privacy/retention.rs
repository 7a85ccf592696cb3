//! Retention: deletes chats some days after their last message, by their owner's setting or the installation's rule.

use std::collections::BTreeMap;

use futures::{FutureExt, future::BoxFuture};

use super::{Privacy, SCHEDULE_INTERVAL_SECONDS};
use crate::{
    domain::{AppError, AuditAction, JobKind, Outcome, RETENTION_DAYS, Retention, UserId},
    server::{
        audit::{AuditEvent, RequestMeta, chat_count_detail},
        fault::Fault,
        jobs::{self, Handler, Policy, Run},
        store::{InactiveChat, RetentionRow, RetentionRule, Tx},
    },
};

/// Seconds before a new setting applies, so that a mistaken choice loses nothing.
const GRACE_SECONDS: i64 = 86_400;
/// Seconds per day.
const DAY_SECONDS: i64 = 86_400;

/// The scheduled job that deletes old chats.
pub struct ApplyRetention(pub Privacy);

impl Handler for ApplyRetention {
    fn policy(&self) -> Policy {
        Policy::new(JobKind::ApplyRetention).every(SCHEDULE_INTERVAL_SECONDS)
    }

    fn run<'a>(&'a self, _: &'a Run) -> BoxFuture<'a, Result<jobs::Outcome, Fault>> {
        async { self.0.apply_retention().await.map(|()| jobs::Outcome::Done) }.boxed()
    }
}

impl Privacy {
    /// The retention of a user's chats.
    pub async fn retention(&self, tx: &mut Tx, owner: UserId) -> Result<Retention, Fault> {
        let now = self.clock.now();
        let row = tx.owned_by(owner).find_retention().await?;
        Ok(Retention {
            days: row.and_then(|row| row.days).and_then(|days| u32::try_from(days).ok()),
            from: row.and_then(|row| row.from).filter(|from| *from > now),
            installation_rule: self.retention_days,
        })
    }

    /// Sets how many days after their last message a user's chats are deleted, starting tomorrow; an empty `days` keeps
    /// them.
    ///
    /// # Errors
    /// `Invalid` on `days`.
    pub async fn change_retention(&self, owner: UserId, days: &str, meta: &RequestMeta) -> Result<(), Fault> {
        let chosen = match days {
            "" => None,
            days => {
                let known = days.parse().ok().filter(|days| RETENTION_DAYS.contains(days));
                Some(known.ok_or_else(|| AppError::invalid("days", reason!("days_unknown")))?)
            }
        };
        let mut tx = self.store.write().await?;
        let rule = RetentionRow {
            days: chosen.map(i64::from),
            from: chosen.map(|_| self.clock.now().plus_seconds(GRACE_SECONDS)),
        };
        tx.owned_by(owner).update_retention(rule).await?;
        let detail = chosen.map_or_else(|| "off".to_owned(), |days| format!("{days} days"));
        meta.record_own_with_detail(&mut tx, &self.clock, owner, AuditAction::ChangeRetention, &detail).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Deletes the chats whose retention is over, and audits how many for each owner. An error with one user's chats
    /// does not stop the others.
    ///
    /// # Errors
    /// The first database error.
    pub async fn apply_retention(&self) -> Result<(), Fault> {
        let by_rule = self.delete_old_chats(RetentionRule::Installation).await;
        by_rule.and(self.delete_old_chats(RetentionRule::User).await)
    }

    async fn delete_old_chats(&self, rule: RetentionRule) -> Result<(), Fault> {
        let (mut last, mut done) = (None, Ok(()));
        loop {
            let now = self.clock.now();
            let mut tx = self.store.read().await?;
            let silent = match (rule, self.retention_days) {
                (RetentionRule::Installation, None) => return done,
                (RetentionRule::Installation, Some(days)) => {
                    tx.engine().list_inactive_chats(now.plus_seconds(-DAY_SECONDS * i64::from(days)), last).await?
                }
                (RetentionRule::User, _) => tx.engine().list_chats_due_by_user_rule(now, last).await?,
            };
            drop(tx);
            last = silent.last().copied();
            if last.is_none() {
                return done;
            }
            let mut owners = BTreeMap::<UserId, Vec<InactiveChat>>::new();
            for chat in silent {
                owners.entry(chat.owner_id).or_default().push(chat);
            }
            for (owner, chats) in owners {
                let deleted = self.delete_old_chats_of(owner, &chats, rule).await;
                if let Err(fault) = &deleted {
                    tracing::warn!(%fault, %owner, "cannot delete old chats");
                }
                done = done.and(deleted);
            }
        }
    }

    /// Deletes old chats of one user.
    async fn delete_old_chats_of(
        &self,
        owner: UserId,
        chats: &[InactiveChat],
        rule: RetentionRule,
    ) -> Result<(), Fault> {
        let (mut count, now) = (0, self.clock.now());
        let mut tx = self.store.write().await?;
        for chat in chats {
            count += u32::from(tx.engine().delete_inactive_chat(chat, rule, now).await?);
        }
        if count > 0 {
            let (action, outcome) = (AuditAction::ExpireChats, Outcome::Done);
            let event =
                AuditEvent { actor: None, subject: Some(owner), action, outcome, detail: &chat_count_detail(count) };
            RequestMeta::server().record(&mut tx, &self.clock, &event).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
