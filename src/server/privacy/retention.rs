//! Chats that are deleted some days after their last message, by their owner's choice or by the installation's rule.

use std::collections::BTreeMap;

use futures::{FutureExt, future::BoxFuture};

use super::{Privacy, SCHEDULE_SECONDS};
use crate::{
    domain::{AppError, AuditAction, JobKind, Outcome, RETENTION_DAYS, Retention, UserId},
    server::{
        audit::{AuditEvent, RequestMeta, chat_count},
        fault::Fault,
        jobs::{self, Handler, Policy, Run},
        store::{RetentionRow, Rule, SilentChat},
    },
};

/// Seconds before a choice holds: whoever chose too few days loses nothing by it.
const GRACE_SECONDS: i64 = 86_400;
/// Seconds of a day.
const DAY: i64 = 86_400;

/// The schedule that deletes chats by their age.
pub struct ApplyRetention(pub Privacy);

impl Handler for ApplyRetention {
    fn policy(&self) -> Policy {
        Policy::new(JobKind::ApplyRetention).every(SCHEDULE_SECONDS)
    }

    fn run<'a>(&'a self, _: &'a Run) -> BoxFuture<'a, Result<jobs::Outcome, Fault>> {
        async { self.0.apply_retention().await.map(|()| jobs::Outcome::Done) }.boxed()
    }
}

impl Privacy {
    /// When a person's chats are deleted by themselves.
    pub async fn retention(&self, owner: UserId) -> Result<Retention, Fault> {
        let now = self.clock.now();
        let row = self.store.read().await?.find_retention(owner).await?;
        Ok(Retention {
            days: row.and_then(|row| row.days).and_then(|days| u32::try_from(days).ok()),
            from: row.and_then(|row| row.from).filter(|from| *from > now),
            everybodys: self.retention_days,
        })
    }

    /// Has a person's chats deleted this many days after their last message, from tomorrow on; or kept, where `days` is
    /// empty.
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
        tx.update_retention(owner, rule).await?;
        let detail = chosen.map_or_else(|| "chats are kept".to_owned(), |days| format!("{days} days"));
        meta.record_own_on(&mut tx, &self.clock, owner, AuditAction::ChangeRetention, &detail).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Deletes the chats whose time has come, and writes down whose and how many. What fails with one person's chats keeps
    /// nobody else's.
    ///
    /// # Errors
    /// The first fault of the database.
    pub async fn apply_retention(&self) -> Result<(), Fault> {
        let by_rule = self.expire_by(Rule::Everybodys).await;
        by_rule.and(self.expire_by(Rule::Choice).await)
    }

    async fn expire_by(&self, rule: Rule) -> Result<(), Fault> {
        let (mut last, mut done) = (None, Ok(()));
        loop {
            let now = self.clock.now();
            let mut tx = self.store.read().await?;
            let silent = match (rule, self.retention_days) {
                (Rule::Everybodys, None) => return done,
                (Rule::Everybodys, Some(days)) => {
                    tx.list_chats_silent_since(now.plus_seconds(-DAY * i64::from(days)), last).await?
                }
                (Rule::Choice, _) => tx.list_chats_by_choice(now, last).await?,
            };
            drop(tx);
            last = silent.last().copied();
            if last.is_none() {
                return done;
            }
            let mut owners = BTreeMap::<UserId, Vec<SilentChat>>::new();
            for chat in silent {
                owners.entry(chat.owner_id).or_default().push(chat);
            }
            for (owner, chats) in owners {
                let expired = self.expire_of(owner, &chats, rule).await;
                if let Err(fault) = &expired {
                    tracing::warn!(%fault, %owner, "chats could not be deleted by their age");
                }
                done = done.and(expired);
            }
        }
    }

    /// Deletes some chats of one person.
    async fn expire_of(&self, owner: UserId, chats: &[SilentChat], rule: Rule) -> Result<(), Fault> {
        let (mut count, now) = (0, self.clock.now());
        let mut tx = self.store.write().await?;
        for chat in chats {
            count += u32::from(tx.delete_silent_chat(chat, rule, now).await?);
        }
        if count > 0 {
            let (action, outcome) = (AuditAction::ExpireChats, Outcome::Done);
            let event = AuditEvent { actor: None, subject: Some(owner), action, outcome, detail: &chat_count(count) };
            RequestMeta::server().record(&mut tx, &self.clock, &event).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
