//! What is written down of who did what.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// Something that is written down. A new kind of act goes at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(rename_all = "snake_case", type_name = "text"))]
#[serde(rename_all = "snake_case")]
pub enum AuditAction {
    /// An account was made.
    SignUp,
    /// Somebody signed in, or tried to.
    SignIn,
    /// Somebody signed out.
    SignOut,
    /// Somebody who was signed in proved again who they are, or tried to.
    Confirm,
    /// One sign-in was ended by its owner.
    EndSignIn,
    /// All other sign-ins were ended by their owner.
    EndOtherSignIns,
    /// A password was changed by its owner.
    ChangePassword,
    /// A name was changed.
    ChangeName,
    /// An administrator changed what a person may do; the detail is the new role.
    ChangeRole,
    /// An administrator shut an account.
    DisableAccount,
    /// An administrator opened an account again.
    EnableAccount,
    /// An administrator ended all sign-ins of a person.
    EndAllSignIns,
    /// An administrator began a reset of a password.
    StartReset,
    /// An administrator asked for a person's lost second factors to be removed.
    AskFactorRemoval,
    /// An administrator withdrew that.
    WithdrawFactorRemoval,
    /// The person refused that.
    RefuseFactorRemoval,
    /// Lost second factors were removed when the notice was over.
    RemoveLostFactors,
    /// An account into which nobody ever could sign in made room for whoever showed that its address is theirs.
    MakeRoom,
    /// Somebody asked for their own data.
    ExportData,
}

impl AuditAction {
    /// In words, for its subject.
    pub const fn words(self) -> &'static str {
        match self {
            Self::SignUp => "Account made",
            Self::SignIn => "Signed in",
            Self::SignOut => "Signed out",
            Self::Confirm => "Confirmed identity",
            Self::EndSignIn => "Ended one sign-in",
            Self::EndOtherSignIns => "Ended all other sign-ins",
            Self::ChangePassword => "Changed the password",
            Self::ChangeName => "Changed the name",
            Self::ChangeRole => "Role changed by an administrator",
            Self::DisableAccount => "Account disabled by an administrator",
            Self::EnableAccount => "Account enabled by an administrator",
            Self::EndAllSignIns => "All sign-ins ended by an administrator",
            Self::StartReset => "Password reset begun by an administrator",
            Self::AskFactorRemoval => "Removal of lost second factors asked for by an administrator",
            Self::WithdrawFactorRemoval => "Removal of lost second factors withdrawn by an administrator",
            Self::RefuseFactorRemoval => "Refused the removal of second factors",
            Self::RemoveLostFactors => "Lost second factors removed",
            Self::MakeRoom => "Unverified account removed",
            Self::ExportData => "Asked for a download of the data",
        }
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
}

/// One page of them, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityPage {
    /// The acts.
    pub acts: Vec<Activity>,
    /// The cursor of the next page, where there is one.
    pub next: Option<String>,
}
