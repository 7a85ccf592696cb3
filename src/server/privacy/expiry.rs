//! Deletes rows that have expired: sessions, links, old audit entries and the like.

use futures::{FutureExt, future::BoxFuture};

use super::{Privacy, SCHEDULE_INTERVAL_SECONDS};
use crate::{
    domain::JobKind,
    server::{
        fault::Fault,
        jobs::{Handler, Outcome, Policy, Run},
        store::{EXPIRING_ROWS, StoreError},
    },
};

/// The scheduled job that deletes expired rows.
pub struct DeleteExpired(pub Privacy);

impl Handler for DeleteExpired {
    fn policy(&self) -> Policy {
        Policy::new(JobKind::DeleteExpired).every(SCHEDULE_INTERVAL_SECONDS)
    }

    fn run<'a>(&'a self, _: &'a Run) -> BoxFuture<'a, Result<Outcome, Fault>> {
        async { self.0.delete_expired().await.map(|()| Outcome::Done).map_err(Fault::from) }.boxed()
    }
}

impl Privacy {
    /// Deletes expired rows. An error with one kind of row does not stop the others.
    ///
    /// # Errors
    /// The first database error.
    pub async fn delete_expired(&self) -> Result<(), StoreError> {
        let (store, now) = (&self.store, self.clock.now());
        let mut done = Ok(());
        for kind in &EXPIRING_ROWS {
            let deleted = store.delete_expired(kind, now, self.audit_days).await.map(|_| ());
            if let Err(error) = &deleted {
                tracing::warn!(%error, what = kind.name, "cannot delete expired rows");
            }
            done = done.and(deleted);
        }
        let before = now.plus_seconds(-86_400 * i64::from(self.audit_days));
        done = done.and(store.delete_ended_sign_ins(before).await.map(|_| ()));
        done.and(store.remove_expired_exports(now).await)
    }
}
