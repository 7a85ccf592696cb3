//! What is written down of who did what.

use serde::{Deserialize, Serialize};

use super::Timestamp;

macro_rules! actions {
    ($($(#[$doc:meta])* $action:ident => $words:literal,)+) => {
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

            /// In words, for its subject.
            pub const fn words(self) -> &'static str {
                match self {
                    $(Self::$action => $words,)+
                }
            }
        }
    };
}

// A new kind of act goes at the end.
actions! {
    /// An account was made.
    SignUp => "Account made",
    /// Somebody signed in, or tried to.
    SignIn => "Signed in",
    /// Somebody signed out.
    SignOut => "Signed out",
    /// Somebody who was signed in proved again who they are, or tried to.
    Confirm => "Confirmed identity",
    /// One sign-in was ended by its owner.
    EndSignIn => "Ended one sign-in",
    /// All other sign-ins were ended by their owner.
    EndOtherSignIns => "Ended all other sign-ins",
    /// A password was changed by its owner.
    ChangePassword => "Changed the password",
    /// A name was changed.
    ChangeName => "Changed the name",
    /// An administrator changed what a person may do; the detail is the new role.
    ChangeRole => "Role changed by an administrator",
    /// An administrator shut an account.
    DisableAccount => "Account disabled by an administrator",
    /// An administrator opened an account again.
    EnableAccount => "Account enabled by an administrator",
    /// An administrator ended all sign-ins of a person.
    EndAllSignIns => "All sign-ins ended by an administrator",
    /// An administrator began a reset of a password.
    StartReset => "Password reset begun by an administrator",
    /// An administrator asked for a person's lost second factors to be removed.
    AskFactorRemoval => "Removal of lost second factors asked for by an administrator",
    /// An administrator withdrew that.
    WithdrawFactorRemoval => "Removal of lost second factors withdrawn by an administrator",
    /// The person refused that.
    RefuseFactorRemoval => "Refused the removal of second factors",
    /// Lost second factors were removed when the notice was over.
    RemoveLostFactors => "Lost second factors removed",
    /// An account into which nobody ever could sign in made room for whoever showed that its address is theirs.
    MakeRoom => "Unverified account removed",
    /// A second factor was refused in a sign-in.
    SecondFactor => "Second factor",
    /// A second factor was added; the detail is its name.
    AddFactor => "Added a second factor",
    /// A second factor was removed; the detail is its name.
    RemoveFactor => "Removed a second factor",
    /// New recovery codes were made.
    NewRecoveryCodes => "Made new recovery codes",
    /// A provider was linked; the detail is what people call it.
    LinkIdentity => "Linked another way in",
    /// A provider was unlinked; the detail is what people call it.
    UnlinkIdentity => "Unlinked another way in",
    /// An address was shown to be its owner's.
    VerifyAddress => "Verified the e-mail address",
    /// Another address was asked for.
    AskAddressChange => "Asked for another e-mail address",
    /// The address was changed.
    ChangeAddress => "Changed the e-mail address",
    /// A link for a new password was asked for.
    AskReset => "Asked for a link for a new password",
    /// The password was changed by a link.
    ResetPassword => "Changed the password by a link",
    /// An invitation was made; the detail says for what.
    CreateInvitation => "Made an invitation",
    /// An invitation was made dead.
    RevokeInvitation => "Revoked an invitation",
    /// What was written down was exported; the detail says which part of it.
    ExportAudit => "Exported the audit",
    /// The language or the time zone was changed; the detail is what they are.
    ChangeLocale => "Changed the language or the time zone",
    /// The picture was changed or removed.
    ChangePicture => "Changed the picture",
    /// The person, or an administrator, asked for an account to be deleted.
    AskDeletion => "Deletion of the account asked for",
    /// The person, or an administrator, withdrew that.
    WithdrawDeletion => "Deletion of the account withdrawn",
    /// An account was deleted when its day of grace was over.
    DeleteAccount => "Account deleted",
    /// The person asked for a file with all their data.
    ExportData => "Asked for a download of the data",
    /// The person downloaded that file.
    DownloadData => "Downloaded the data",
    /// The person chose when their chats are deleted by themselves; the detail is after how many days.
    ChangeRetention => "Changed how long chats are kept",
    /// Chats were deleted by a rule of retention; the detail is how many.
    ExpireChats => "Chats deleted because of their age",
    /// The person deleted chats; the detail is how many.
    DeleteChats => "Deleted chats",
    /// The person took deleted chats back; the detail is how many.
    RestoreChats => "Took deleted chats back",
    /// Somebody tried something too often; the detail is what. Written down once in each span of the limit.
    Throttle => "Too many tries",
    /// A member tried what only administrators may do; the detail is where.
    Overstep => "Tried what only administrators may do",
    /// A second factor was given another name; the detail is the new one.
    RenameFactor => "Renamed a second factor",
    /// An identity provider or the mail server cannot be used until a setting is changed; the detail says which and why.
    SetupFault => "A setting must be changed",
    /// An administrator had a job tried again; the detail is what it does.
    RetryJob => "Job tried again",
    /// An administrator gave a job up; the detail is what it does.
    GiveUpJob => "Job given up",
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
