//! What administrators do with other people's accounts, and the operator at the command line with all of them.
//!
//! Every change is made under one lock, so that changes come one after another on both databases: whoever was an
//! administrator a moment ago is asked again, and the last one who can sign in stays.

mod change;
mod deletion;
mod jobs;
mod list;
mod operator;
mod purge;
mod removal;

pub use {purge::DeleteAccount, removal::RemoveFactors};

use super::{Accounts, Caller, Origin, deferred::Reading, invitations::require_administrator, origin::Act};
use crate::{
    domain::{AppError, AuditAction, Outcome, UserId},
    server::{
        fault::Fault,
        mail::Letter,
        store::{PersonRow, StoreError, Tx},
    },
};

/// Who does something with somebody's account, and from where.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    pub(in crate::server::auth) caller: Option<&'a Caller>,
    origin: &'a Origin,
}

impl<'a> By<'a> {
    /// An administrator; whether they are one is asked with every act.
    pub const fn administrator(caller: &'a Caller, origin: &'a Origin) -> Self {
        Self { caller: Some(caller), origin }
    }

    /// The operator, who has the server's files and therefore needs no account.
    pub const fn operator(origin: &'a Origin) -> Self {
        Self { caller: None, origin }
    }

    fn actor(&self) -> Option<UserId> {
        self.caller.map(|caller| caller.user.id)
    }

    /// Refuses who is no administrator, as far as the request says.
    pub(in crate::server::auth) fn check(&self) -> Result<(), AppError> {
        self.caller.map_or(Ok(()), require_administrator)
    }
}

impl Accounts {
    /// Refuses who is no administrator, and writes down that they tried it, and where: up to 20 times an hour.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn admit_administrator(&self, caller: &Caller, path: &str, origin: &Origin) -> Result<(), Fault> {
        let Err(forbidden) = require_administrator(caller) else { return Ok(()) };
        self.deferred.note(caller.user.id, Reading::Overstep(path.to_owned()), origin).await;
        Err(forbidden.into())
    }

    /// Begins what only administrators may do. Other changes of accounts wait until it is over.
    pub(in crate::server::auth) async fn begin_change(&self, by: &By<'_>) -> Result<Tx, Fault> {
        by.check()?;
        let mut tx = self.store.write().await?;
        tx.lock_administrators().await?;
        // Somebody else may have demoted or disabled them while this request waited.
        if let Some(actor) = by.actor()
            && !tx.is_administrator(actor).await?
        {
            return Err(AppError::Forbidden.into());
        }
        // Nor may they act by a sign-in that was ended in the meantime.
        if let Some(caller) = by.caller {
            tx.find_signed_in(caller.sign_in, self.clock.now()).await?.ok_or(AppError::Unauthenticated)?;
        }
        Ok(tx)
    }

    /// Refuses a change that has left no administrator who can sign in. Whoever deletes, shuts or demotes an
    /// administrator asks this in the transaction of the act, after the lock and the act.
    pub(in crate::server::auth) async fn keep_an_administrator(&self, tx: &mut Tx) -> Result<(), Fault> {
        if tx.count_administrators().await? > 0 {
            return Ok(());
        }
        let reason = "This is the last administrator who can sign in. Make somebody else an administrator first.";
        Err(AppError::conflict(reason).into())
    }

    /// Writes down what was done with whom.
    async fn note_change(
        &self,
        tx: &mut Tx,
        by: &By<'_>,
        subject: UserId,
        action: AuditAction,
        detail: &str,
    ) -> Result<(), StoreError> {
        let act = Act { actor: by.actor(), subject: Some(subject), action, outcome: Outcome::Done, detail };
        by.origin.write(tx, &self.clock, &act).await
    }

    /// Tells a person what was done with their account, where mails are sent.
    async fn tell(&self, tx: &mut Tx, person: &PersonRow, sentence: &str) -> Result<(), StoreError> {
        let letter = Letter::administrators_notice(sentence, self.clock.now());
        self.post(tx, &person.summary.email, &letter).await
    }
}
