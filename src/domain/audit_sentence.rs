//! What happened, as one sentence: audit entries store codes and values, which mean nothing to their readers.

use super::{Activity, AuditAction, Outcome};
use crate::i18n::{self, Key};

impl Activity {
    /// What happened, in the language of the page.
    pub fn sentence(&self) -> String {
        let detail = self.detail.as_str();
        if let Some(key) = sentence_of(self.action, self.outcome, detail) {
            return i18n::text(key).to_owned();
        }
        if self.action == AuditAction::SetupFault && !detail.is_empty() {
            return t!("admin.act.setup_fault", fault = detail);
        }
        if self.outcome == Outcome::Refused {
            return t!("admin.act.failed", act = self.action.label());
        }
        if let Some(key) = sentence_with_name(self.action, detail) {
            return i18n::format(key, &[("name", &detail)]);
        }
        let count = detail.split(' ').next().and_then(|number| number.parse::<u64>().ok());
        match (self.action, count) {
            (AuditAction::ChangeRetention, Some(days)) => t!("admin.act.retention", count = days),
            (AuditAction::ExpireChats, Some(chats)) => t!("admin.act.expired", count = chats),
            (AuditAction::DeleteChats, Some(chats)) => t!("admin.act.deleted", count = chats),
            (AuditAction::RestoreChats, Some(chats)) => t!("admin.act.restored", count = chats),
            (action, _) => action.label().to_owned(),
        }
    }
}

/// The sentence of acts whose value is one of a few.
fn sentence_of(action: AuditAction, outcome: Outcome, detail: &str) -> Option<Key> {
    use AuditAction::{
        ChangeLocale, ChangePassword, ChangePicture, ChangeRetention, ChangeRole, Confirm, Overstep, SecondFactor,
        SignIn, SignUp, Throttle,
    };
    use Outcome::{Done, Refused};

    // The language comes before the time zone.
    let first = detail.split(',').next().unwrap_or_default();
    Some(match (action, outcome, first) {
        (SecondFactor | Confirm | SignIn, Refused, "passkey") => key!("admin.act.wrong_passkey"),
        (SecondFactor, Refused, _) => key!("admin.act.wrong_code"),
        (Confirm, Refused, "") => key!("admin.act.not_confirmed"),
        (ChangePassword, Refused, _) => key!("admin.act.wrong_password"),
        (SignIn, Refused, "email not confirmed") => key!("admin.act.email_not_confirmed"),
        (SignIn, Refused, _) => key!("admin.act.sign_in_failed"),
        (SignIn, Done, "second factor") => key!("admin.act.sign_in_code"),
        (SignIn, Done, "passkey") => key!("admin.act.sign_in_passkey"),
        (SignUp, Done, "invitation") => key!("admin.act.sign_up_invited"),
        (ChangePicture, Done, "removed") => key!("admin.act.picture_removed"),
        (ChangeRetention, Done, "off") => key!("admin.act.retention_off"),
        (ChangeRole, Done, "administrator") => key!("admin.act.made_administrator"),
        (ChangeRole, Done, "member") => key!("admin.act.made_member"),
        (ChangeLocale, Done, "de") => key!("admin.act.german"),
        (ChangeLocale, Done, "en-GB") => key!("admin.act.british"),
        (ChangeLocale, Done, "en-US") => key!("admin.act.american"),
        // They are refused by their nature.
        (Overstep, ..) => key!("admin.action.overstep"),
        (Throttle, ..) => key!("admin.action.throttle"),
        _ => return None,
    })
}

/// The sentence of acts whose value is a name.
fn sentence_with_name(action: AuditAction, detail: &str) -> Option<Key> {
    Some(match action {
        _ if detail.is_empty() => return None,
        AuditAction::SignIn => key!("admin.act.sign_in_with"),
        AuditAction::SignUp => key!("admin.act.sign_up_with"),
        AuditAction::AddFactor => key!("admin.act.factor_added"),
        AuditAction::RemoveFactor => key!("admin.act.factor_removed"),
        AuditAction::RenameFactor => key!("admin.act.factor_renamed"),
        AuditAction::LinkIdentity => key!("admin.act.linked"),
        AuditAction::UnlinkIdentity => key!("admin.act.unlinked"),
        AuditAction::AskAddressChange => key!("admin.act.address_asked"),
        AuditAction::ChangeAddress => key!("admin.act.address_changed"),
        AuditAction::RetryJob => key!("admin.act.job_retried"),
        AuditAction::GiveUpJob => key!("admin.act.job_given_up"),
        _ => return None,
    })
}
