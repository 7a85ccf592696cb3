//! The sign-ins of a person, and what was done with their account.

use super::{Accounts, Caller};
use crate::{
    domain::{Activity, ActivityPage, AppError, AuditAction, Device, Outcome, SignInId},
    i18n::Texts,
    server::{
        audit::{RequestMeta, cursor_after, device, network, parse_cursor},
        fault::Fault,
    },
};

/// Acts in one page of the activity.
const ACTS_PER_PAGE: u32 = 20;

impl Accounts {
    /// The caller's sign-ins that hold, last used first.
    pub async fn list_devices(&self, caller: &Caller, texts: &Texts) -> Result<Vec<Device>, Fault> {
        let rows = self.store.read().await?.list_sign_ins(caller.user.id, self.clock.now()).await?;
        let device = |row: crate::server::store::SignInRow| Device {
            id: row.id,
            device: device(texts, &row.user_agent),
            place: network(texts, &row.address),
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            current: row.id == caller.sign_in,
        };
        Ok(rows.into_iter().map(device).collect())
    }

    /// Ends one of the caller's sign-ins. Its next request is a stranger's, and its streams end within 5 s.
    ///
    /// # Errors
    /// `NotFound` where it is not theirs, or has ended.
    pub async fn end_device(&self, caller: &Caller, sign_in: SignInId, meta: &RequestMeta) -> Result<(), Fault> {
        let mut tx = self.store.write().await?;
        if !tx.end_sign_in_of(caller.user.id, sign_in, self.clock.now()).await? {
            return Err(AppError::NotFound.into());
        }
        meta.record_own(&mut tx, &self.clock, caller.user.id, AuditAction::EndSignIn).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Ends all of the caller's sign-ins but the one that asks. Gives how many.
    pub async fn end_other_devices(&self, caller: &Caller, meta: &RequestMeta) -> Result<u64, Fault> {
        let mut tx = self.store.write().await?;
        let ended = tx.renew_credentials(caller.user.id, Some(caller.sign_in), self.clock.now()).await?;
        tx.forget_what_was_begun(caller.user.id).await?;
        meta.record_own(&mut tx, &self.clock, caller.user.id, AuditAction::EndOtherSignIns).await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// One page of what was done with the caller's account, newest first.
    ///
    /// # Errors
    /// `Invalid` for a cursor that is none.
    pub async fn list_activity(
        &self,
        caller: &Caller,
        cursor: Option<&str>,
        texts: &Texts,
    ) -> Result<ActivityPage, Fault> {
        let after = cursor.filter(|text| !text.is_empty()).map(parse_cursor).transpose()?;
        let mut rows = self.store.read().await?.list_audit_entries(caller.user.id, after, ACTS_PER_PAGE + 1).await?;
        let more = rows.len() > ACTS_PER_PAGE as usize;
        rows.truncate(ACTS_PER_PAGE as usize);
        let next = rows.last().filter(|_| more).map(cursor_after);
        let acts = rows
            .into_iter()
            .map(|row| Activity {
                at: row.at,
                action: row.action,
                outcome: row.outcome,
                device: device(texts, &row.user_agent),
                place: network(texts, &row.address),
                // Of what was refused, and of who asked for a mail, it is not known who it was.
                by_another: row.outcome == Outcome::Done
                    && row.action != AuditAction::AskReset
                    && row.actor_id != Some(caller.user.id),
                detail: row.detail,
            })
            .collect();
        Ok(ActivityPage { acts, next })
    }
}
