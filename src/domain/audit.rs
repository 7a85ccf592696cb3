//! Audit actions, entries and queries.

use serde::{Deserialize, Serialize};

use super::Timestamp;
use crate::i18n;

macro_rules! actions {
    ($($(#[$doc:meta])* $action:ident => $label:expr,)+) => {
        /// An action in the audit log.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(rename_all = "snake_case", type_name = "text"))]
        #[serde(rename_all = "snake_case")]
        pub enum AuditAction {
            $($(#[$doc])* $action,)+
        }

        impl AuditAction {
            /// All actions.
            pub const ALL: &[Self] = &[$(Self::$action),+];

            /// The label in the language of the page.
            pub fn label(self) -> &'static str {
                let key = match self {
                    $(Self::$action => $label,)+
                };
                i18n::current().text(key)
            }
        }
    };
}

// Add new actions at the end.
actions! {
    /// An account was created.
    SignUp => key!("admin.action.sign_up"),
    /// A user signed in, or an attempt failed.
    SignIn => key!("admin.action.sign_in"),
    /// A user signed out.
    SignOut => key!("admin.action.sign_out"),
    /// A signed-in user re-authenticated, or an attempt failed.
    Confirm => key!("admin.action.confirm"),
    /// A user revoked one of their sign-ins.
    EndSignIn => key!("admin.action.end_sign_in"),
    /// A user revoked all of their other sign-ins.
    EndOtherSignIns => key!("admin.action.end_other_sign_ins"),
    /// A user changed their password.
    ChangePassword => key!("admin.action.change_password"),
    /// A user changed their display name.
    ChangeName => key!("admin.action.change_name"),
    /// An administrator changed the role of a user; the detail is the new role.
    ChangeRole => key!("admin.action.change_role"),
    /// An administrator disabled an account.
    DisableAccount => key!("admin.action.disable_account"),
    /// An administrator enabled an account.
    EnableAccount => key!("admin.action.enable_account"),
    /// An administrator revoked all sign-ins of a user.
    EndAllSignIns => key!("admin.action.end_all_sign_ins"),
    /// An administrator started a password reset.
    StartReset => key!("admin.action.start_reset"),
    /// An administrator scheduled the removal of a user's lost second factors.
    AskFactorRemoval => key!("admin.action.ask_factor_removal"),
    /// An administrator cancelled the scheduled removal.
    WithdrawFactorRemoval => key!("admin.action.withdraw_factor_removal"),
    /// The user refused the scheduled removal.
    RefuseFactorRemoval => key!("admin.action.refuse_factor_removal"),
    /// Lost second factors were removed after the waiting period.
    RemoveLostFactors => key!("admin.action.remove_lost_factors"),
    /// An unverified account, which never could be used, was replaced because another user verified its e-mail address.
    MakeRoom => key!("admin.action.make_room"),
    /// A second factor was wrong during a sign-in.
    SecondFactor => key!("admin.action.second_factor"),
    /// A second factor was added; the detail is its name.
    AddFactor => key!("admin.action.add_factor"),
    /// A second factor was removed; the detail is its name.
    RemoveFactor => key!("admin.action.remove_factor"),
    /// New recovery codes were generated.
    NewRecoveryCodes => key!("admin.action.new_recovery_codes"),
    /// An identity provider was linked; the detail is its display name.
    LinkIdentity => key!("admin.action.link_identity"),
    /// An identity provider was unlinked; the detail is its display name.
    UnlinkIdentity => key!("admin.action.unlink_identity"),
    /// An e-mail address was verified.
    VerifyAddress => key!("admin.action.verify_address"),
    /// A user requested a change of their e-mail address.
    AskAddressChange => key!("admin.action.ask_address_change"),
    /// The e-mail address was changed.
    ChangeAddress => key!("admin.action.change_address"),
    /// A password reset was requested.
    AskReset => key!("admin.action.ask_reset"),
    /// The password was reset with a link.
    ResetPassword => key!("admin.action.reset_password"),
    /// An invitation was created; the detail is the role and the limits.
    CreateInvitation => key!("admin.action.create_invitation"),
    /// An invitation was revoked.
    RevokeInvitation => key!("admin.action.revoke_invitation"),
    /// The audit log was exported; the detail is the filter.
    ExportAudit => key!("admin.action.export_audit"),
    /// The language or the time zone was changed; the detail is the new values.
    ChangeLocale => key!("admin.action.change_locale"),
    /// The picture was changed or removed.
    ChangePicture => key!("admin.action.change_picture"),
    /// The user or an administrator scheduled the deletion of an account.
    AskDeletion => key!("admin.action.ask_deletion"),
    /// The user or an administrator cancelled the scheduled deletion.
    WithdrawDeletion => key!("admin.action.withdraw_deletion"),
    /// An account was deleted after its grace period of one day.
    DeleteAccount => key!("admin.action.delete_account"),
    /// The user requested an export of their data.
    ExportData => key!("admin.action.export_data"),
    /// The user downloaded their data export.
    DownloadData => key!("admin.action.download_data"),
    /// The user changed their retention rule; the detail is the number of days.
    ChangeRetention => key!("admin.action.change_retention"),
    /// Chats were deleted by a retention rule; the detail is their number.
    ExpireChats => key!("admin.action.expire_chats"),
    /// The user deleted chats; the detail is their number.
    DeleteChats => key!("admin.action.delete_chats"),
    /// The user deleted a message and what followed it.
    DeleteMessages => key!("admin.action.delete_messages"),
    /// The user restored deleted chats; the detail is their number.
    RestoreChats => key!("admin.action.restore_chats"),
    /// A rate limit was exceeded; the detail is the limit. Recorded once per time window.
    Throttle => key!("admin.action.throttle"),
    /// A member was denied access to an administrator's page or function; the detail is its path.
    Overstep => key!("admin.action.overstep"),
    /// A second factor was renamed; the detail is the new name.
    RenameFactor => key!("admin.action.rename_factor"),
    /// An identity provider or the mail server is misconfigured; the detail is the error.
    SetupFault => key!("admin.action.setup_fault"),
    /// An administrator retried a job; the detail is the kind of job.
    RetryJob => key!("admin.action.retry_job"),
    /// An administrator gave up a job; the detail is the kind of job.
    GiveUpJob => key!("admin.action.give_up_job"),
}

impl AuditAction {
    /// The action code in the database and in queries.
    pub fn name(self) -> String {
        // Converts the variant name to snake case: `SignUp` to `sign_up`.
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }

    /// The action with this code.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.name() == name)
    }
}

/// The outcome of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(rename_all = "snake_case", type_name = "text"))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The action was done.
    Done,
    /// The action was refused.
    Refused,
}

/// An audit entry, as shown to the user whom it concerns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// When the action happened.
    pub at: Timestamp,
    /// The action.
    pub action: AuditAction,
    /// The outcome.
    pub outcome: Outcome,
    /// The browser and operating system, in words.
    pub device: String,
    /// The network: the first part of the IP address.
    pub network: String,
    /// Details such as a name, or empty.
    pub detail: String,
    /// Whether someone other than the user did it: an administrator, the operator, or the server.
    pub by_another: bool,
}

/// A page of a user's activity, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityPage {
    /// The audit entries.
    pub activities: Vec<Activity>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// An administrator's query of the audit log. Empty fields match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditQuery {
    /// The code of an action.
    pub action: String,
    /// `done` or `refused`.
    pub outcome: String,
    /// The e-mail address or id of the actor or subject.
    pub person: String,
    /// The first day, as `2026-11-21`, in UTC.
    pub from: String,
    /// The last day, in the same format.
    pub to: String,
}

/// An audit entry, as shown to administrators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// The part that is also shown to the subject.
    pub activity: Activity,
    /// The actor: name and e-mail address while the account exists, otherwise the beginning of the id; empty if
    /// unknown.
    pub actor: String,
    /// The subject, in the same form.
    pub subject: String,
}

/// A page of the audit log, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
    /// The retention of audit entries, in days.
    pub days: u32,
    /// Whether the administrator authenticated recently, which an export requires.
    pub recently_authenticated: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn action_codes_match_their_serialized_form() {
        for action in AuditAction::ALL {
            assert_eq!(serde_json::to_value(action).unwrap(), action.name());
            assert_eq!(AuditAction::from_name(&action.name()), Some(*action));
        }
        assert_eq!(AuditAction::from_name("drop table"), None);
    }
}
