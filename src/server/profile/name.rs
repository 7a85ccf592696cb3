//! The display name of a user.

use super::Profiles;
use crate::{
    domain::AuditAction,
    server::{audit::RequestMeta, auth::Caller, fault::Fault, names::parse_name},
};

impl Profiles {
    /// Changes the caller's display name.
    ///
    /// # Errors
    /// `Invalid` on `name`.
    pub async fn change_name(&self, caller: &Caller, name: &str, meta: &RequestMeta) -> Result<(), Fault> {
        let name = parse_name(name)?;
        let mut tx = self.store.write().await?;
        tx.owned_by(caller.user.id).update_name(&name).await?;
        meta.record_own(&mut tx, &self.clock, caller.user.id, AuditAction::ChangeName).await?;
        tx.commit().await?;
        Ok(())
    }
}
