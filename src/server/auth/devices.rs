//! The user's own sign-ins (devices), and their activity log.

use super::{Accounts, Caller};
use crate::{
    domain::{ALL_ACTIVITY, Activity, ActivityPage, AppError, AuditAction, Device, Outcome, SignInId},
    i18n::Texts,
    server::{
        audit::{RequestMeta, cursor_after, describe_device, describe_network, parse_cursor},
        fault::Fault,
        store::{SignInRow, Tx},
    },
};

/// Audit events per page of the activity log.
const EVENTS_PER_PAGE: u32 = 20;
/// Audit events if no page of the log is asked for.
const RECENT_EVENTS: u32 = 5;

impl Accounts {
    /// The caller's valid sign-ins, last used first.
    pub async fn list_devices(&self, tx: &mut Tx, caller: &Caller, texts: &Texts) -> Result<Vec<Device>, Fault> {
        let rows = tx.owned_by(caller.user.id).list_sign_ins(self.clock.now()).await?;
        let device = |row: SignInRow| Device {
            id: row.id,
            device: describe_device(texts, &row.user_agent),
            network: describe_network(texts, &row.address),
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            current: row.id == caller.sign_in,
        };
        Ok(rows.into_iter().map(device).collect())
    }

    /// Revokes one of the caller's sign-ins. Its next request is unauthenticated, and its streams end within 5 s.
    ///
    /// # Errors
    /// `NotFound` if the sign-in is not the caller's, or has ended.
    pub async fn end_device(&self, caller: &Caller, sign_in: SignInId, meta: &RequestMeta) -> Result<(), Fault> {
        let mut tx = self.store.write().await?;
        if !tx.owned_by(caller.user.id).end_sign_in_of(sign_in, self.clock.now()).await? {
            return Err(AppError::NotFound.into());
        }
        meta.record_own(&mut tx, &self.clock, caller.user.id, AuditAction::EndSignIn).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Revokes all of the caller's sign-ins but the current one. Returns how many.
    pub async fn end_other_devices(&self, caller: &Caller, meta: &RequestMeta) -> Result<u64, Fault> {
        let mut tx = self.store.write().await?;
        let ended = tx.owned_by(caller.user.id).renew_credentials(Some(caller.sign_in), self.clock.now()).await?;
        tx.owned_by(caller.user.id).cancel_pending_auth().await?;
        meta.record_own(&mut tx, &self.clock, caller.user.id, AuditAction::EndOtherSignIns).await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// One page of the caller's activity log, newest first; without a cursor only the newest entries.
    ///
    /// # Errors
    /// `Invalid` for a malformed cursor.
    pub async fn list_activity(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        cursor: Option<&str>,
        texts: &Texts,
    ) -> Result<ActivityPage, Fault> {
        let after = cursor.filter(|text| !matches!(*text, "" | ALL_ACTIVITY)).map(parse_cursor).transpose()?;
        let count = if cursor.is_none() { RECENT_EVENTS } else { EVENTS_PER_PAGE };
        let mut rows = tx.owned_by(caller.user.id).list_audit_entries(after, count + 1).await?;
        let more = rows.len() > count as usize;
        rows.truncate(count as usize);
        let next = rows.last().filter(|_| more).map(cursor_after);
        let activities = rows
            .into_iter()
            .map(|row| Activity {
                at: row.at,
                action: row.action,
                outcome: row.outcome,
                device: describe_device(texts, &row.user_agent),
                network: describe_network(texts, &row.address),
                // The actor of a refused action or of a reset request is unknown.
                by_another: row.outcome == Outcome::Done
                    && row.action != AuditAction::AskReset
                    && row.actor_id != Some(caller.user.id),
                detail: row.detail,
            })
            .collect();
        Ok(ActivityPage { activities, next })
    }
}
