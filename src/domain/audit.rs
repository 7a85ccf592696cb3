//! What is written down of who did what.

use serde::{Deserialize, Serialize};

use super::Timestamp;
use crate::i18n;

macro_rules! actions {
    ($($(#[$doc:meta])* $action:ident => $label:expr,)+) => {
        /// Something that is written down.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(rename_all = "snake_case", type_name = "text"))]
        #[serde(rename_all = "snake_case")]
        pub enum AuditAction {
            $($(#[$doc])* $action,)+
        }

        impl AuditAction {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$action),+];

            /// In words, for whoever reads the page.
            pub fn label(self) -> &'static str {
                let key = match self {
                    $(Self::$action => $label,)+
                };
                i18n::current().text(key)
            }
        }
    };
}

// A new kind of act goes at the end.
actions! {
    /// An account was made.
    SignUp => key!("admin.action.sign_up"),
    /// Somebody signed in, or tried to.
    SignIn => key!("admin.action.sign_in"),
    /// Somebody signed out.
    SignOut => key!("admin.action.sign_out"),
    /// Somebody who was signed in proved again who they are, or tried to.
    Confirm => key!("admin.action.confirm"),
    /// One sign-in was ended by its owner.
    EndSignIn => key!("admin.action.end_sign_in"),
    /// All other sign-ins were ended by their owner.
    EndOtherSignIns => key!("admin.action.end_other_sign_ins"),
    /// A password was changed by its owner.
    ChangePassword => key!("admin.action.change_password"),
    /// A name was changed.
    ChangeName => key!("admin.action.change_name"),
    /// An administrator changed what a person may do; the detail is the new role.
    ChangeRole => key!("admin.action.change_role"),
    /// An administrator shut an account.
    DisableAccount => key!("admin.action.disable_account"),
    /// An administrator opened an account again.
    EnableAccount => key!("admin.action.enable_account"),
    /// An administrator ended all sign-ins of a person.
    EndAllSignIns => key!("admin.action.end_all_sign_ins"),
    /// An administrator began a reset of a password.
    StartReset => key!("admin.action.start_reset"),
    /// An administrator asked for a person's lost second factors to be removed.
    AskFactorRemoval => key!("admin.action.ask_factor_removal"),
    /// An administrator withdrew that.
    WithdrawFactorRemoval => key!("admin.action.withdraw_factor_removal"),
    /// The person refused that.
    RefuseFactorRemoval => key!("admin.action.refuse_factor_removal"),
    /// Lost second factors were removed when the notice was over.
    RemoveLostFactors => key!("admin.action.remove_lost_factors"),
    /// An account into which nobody ever could sign in made room for whoever showed that its address is theirs.
    MakeRoom => key!("admin.action.make_room"),
    /// A second factor was refused in a sign-in.
    SecondFactor => key!("admin.action.second_factor"),
    /// A second factor was added; the detail is its name.
    AddFactor => key!("admin.action.add_factor"),
    /// A second factor was removed; the detail is its name.
    RemoveFactor => key!("admin.action.remove_factor"),
    /// New recovery codes were made.
    NewRecoveryCodes => key!("admin.action.new_recovery_codes"),
    /// A provider was linked; the detail is what people call it.
    LinkIdentity => key!("admin.action.link_identity"),
    /// A provider was unlinked; the detail is what people call it.
    UnlinkIdentity => key!("admin.action.unlink_identity"),
    /// An address was shown to be its owner's.
    VerifyAddress => key!("admin.action.verify_address"),
    /// Another address was asked for.
    AskAddressChange => key!("admin.action.ask_address_change"),
    /// The address was changed.
    ChangeAddress => key!("admin.action.change_address"),
    /// A link for a new password was asked for.
    AskReset => key!("admin.action.ask_reset"),
    /// The password was changed by a link.
    ResetPassword => key!("admin.action.reset_password"),
    /// An invitation was made; the detail says for what.
    CreateInvitation => key!("admin.action.create_invitation"),
    /// An invitation was made dead.
    RevokeInvitation => key!("admin.action.revoke_invitation"),
    /// What was written down was exported; the detail says which part of it.
    ExportAudit => key!("admin.action.export_audit"),
    /// The language or the time zone was changed; the detail is what they are.
    ChangeLocale => key!("admin.action.change_locale"),
    /// The picture was changed or removed.
    ChangePicture => key!("admin.action.change_picture"),
    /// The person, or an administrator, asked for an account to be deleted.
    AskDeletion => key!("admin.action.ask_deletion"),
    /// The person, or an administrator, withdrew that.
    WithdrawDeletion => key!("admin.action.withdraw_deletion"),
    /// An account was deleted when its day of grace was over.
    DeleteAccount => key!("admin.action.delete_account"),
    /// The person asked for a file with all their data.
    ExportData => key!("admin.action.export_data"),
    /// The person downloaded that file.
    DownloadData => key!("admin.action.download_data"),
    /// The person chose when their chats are deleted by themselves; the detail is after how many days.
    ChangeRetention => key!("admin.action.change_retention"),
    /// Chats were deleted by a rule of retention; the detail is how many.
    ExpireChats => key!("admin.action.expire_chats"),
    /// The person deleted chats; the detail is how many.
    DeleteChats => key!("admin.action.delete_chats"),
    /// The person took deleted chats back; the detail is how many.
    RestoreChats => key!("admin.action.restore_chats"),
    /// Somebody tried something too often; the detail is what. Written down once in each span of the limit.
    Throttle => key!("admin.action.throttle"),
    /// A member tried what only administrators may do; the detail is where.
    Overstep => key!("admin.action.overstep"),
    /// A second factor was given another name; the detail is the new one.
    RenameFactor => key!("admin.action.rename_factor"),
    /// An identity provider or the mail server cannot be used until a setting is changed; the detail says which and why.
    SetupFault => key!("admin.action.setup_fault"),
    /// An administrator had a job tried again; the detail is what it does.
    RetryJob => key!("admin.action.retry_job"),
    /// An administrator gave a job up; the detail is what it does.
    GiveUpJob => key!("admin.action.give_up_job"),
}

impl AuditAction {
    /// As it is kept, and as it is asked for.
    pub fn name(self) -> String {
        // Its own name is made of its words: SignUp, sign_up.
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }

    /// The action with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.name() == name)
    }
}

/// How an act ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(rename_all = "snake_case", type_name = "text"))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
}

/// One act, as the person whom it concerns sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// When.
    pub at: Timestamp,
    /// What.
    pub action: AuditAction,
    /// How it ended.
    pub outcome: Outcome,
    /// On which device, in words.
    pub device: String,
    /// From where: the beginning of the network address.
    pub place: String,
    /// On what, if that is told.
    pub detail: String,
    /// Whether somebody else did it: an administrator, the operator, or the server.
    pub by_another: bool,
}

/// One page of them, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityPage {
    /// The acts.
    pub acts: Vec<Activity>,
    /// The cursor of the next page, where there is one.
    pub next: Option<String>,
}

/// What an administrator looks for in the audit. Empty texts stand for everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditQuery {
    /// The name of an action.
    pub action: String,
    /// `done` or `refused`.
    pub outcome: String,
    /// The address or the id of whoever did it or whom it concerns.
    pub person: String,
    /// The first day, as `2026-11-21`, in UTC.
    pub from: String,
    /// The last day, likewise.
    pub to: String,
}

/// One act, as administrators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// What its subject sees.
    pub act: Activity,
    /// Who did it: a name and an address while the account exists, else the beginning of an id; empty where it is not known.
    pub actor: String,
    /// Whom it concerns, likewise.
    pub subject: String,
}

/// One page of the audit, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPage {
    /// The acts.
    pub entries: Vec<AuditEntry>,
    /// The cursor of the next page, where there is one.
    pub next: Option<String>,
    /// Days for which they are kept.
    pub days: u32,
    /// Whether the administrator proved a short while ago who they are, so that an export can be made.
    pub fresh: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_are_kept() {
        for action in AuditAction::ALL {
            assert_eq!(serde_json::to_value(action).unwrap(), action.name());
            assert_eq!(AuditAction::named(&action.name()), Some(*action));
        }
        assert_eq!(AuditAction::named("drop table"), None);
    }
}
