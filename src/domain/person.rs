//! User accounts as administrators see them.

use serde::{Deserialize, Serialize};

use super::{AppError, Device, Invitation, Role, SignUpPolicy, Timestamp, UserId};

/// The status of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// It is in use.
    Active,
    /// The user has never signed in.
    NeverSeen,
    /// The e-mail address must be verified before the first sign-in.
    Unverified,
    /// An administrator has disabled it.
    Disabled,
}

impl AccountStatus {
    /// The label in the language of the page; `None` for an active account.
    pub fn label(self) -> Option<&'static str> {
        match self {
            Self::Active => None,
            Self::NeverSeen => Some(t!("admin.standing.never_seen")),
            Self::Unverified => Some(t!("admin.standing.unverified")),
            Self::Disabled => Some(t!("admin.standing.disabled")),
        }
    }
}

/// A user in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonSummary {
    /// The user's id.
    pub id: UserId,
    /// The display name.
    pub name: String,
    /// The e-mail address as entered.
    pub email: String,
    /// The role.
    pub role: Role,
    /// The status of the account.
    pub status: AccountStatus,
    /// When the user was last active, to the minute.
    pub last_seen_at: Option<Timestamp>,
    /// The version of the picture; 0 if there is none.
    pub picture: i64,
}

/// A page of users, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeoplePage {
    /// The users.
    pub people: Vec<PersonSummary>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// A mail that could not be delivered to the mail server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndeliveredMail {
    /// The recipient's e-mail address.
    pub recipient: String,
    /// The subject.
    pub subject: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// The number of attempts so far.
    pub attempts: i64,
    /// Whether it will be retried.
    pub will_retry: bool,
    /// The error of the last attempt.
    pub error: String,
}

/// The data of the page with all users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct People {
    /// A page of the users that match the search.
    pub page: PeoplePage,
    /// Who can create an account.
    pub policy: SignUpPolicy,
    /// The domains that can sign up, for [`SignUpPolicy::Domains`].
    pub domains: Vec<String>,
    /// The valid invitations, newest first.
    pub invitations: Vec<Invitation>,
    /// The link of an invitation that was just created without JavaScript. Shown once.
    pub new_link: Option<String>,
    /// Whether mail is configured.
    pub mails: bool,
    /// Unsent mails with failed attempts, newest first.
    pub undelivered: Vec<UndeliveredMail>,
    /// The receipts of deleted accounts, newest first.
    pub receipts: Vec<Receipt>,
    /// Whether the administrator authenticated recently, which changes require.
    pub recently_authenticated: bool,
}

/// The anonymous receipt of a deleted account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The receipt's id, which was also mailed to the user if mail is configured.
    pub id: String,
    /// When the deletion was requested.
    pub asked_at: Timestamp,
    /// When the account was deleted.
    pub done_at: Timestamp,
    /// The numbers of deleted objects, in words.
    pub counts: String,
}

/// The data of the page of one user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The part that lists show.
    pub summary: PersonSummary,
    /// When the account was created.
    pub created_at: Timestamp,
    /// Whether the e-mail address is verified.
    pub email_verified: bool,
    /// Whether it is the account of the signed-in administrator.
    pub is_self: bool,
    /// The number of second factors.
    pub factors: u32,
    /// When the second factors will be removed, if a removal is scheduled.
    pub factor_removal: Option<Timestamp>,
    /// When the account will be deleted, if a deletion is scheduled.
    pub deletion_at: Option<Timestamp>,
    /// The waiting period before lost second factors are removed, in hours.
    pub removal_hours: i64,
    /// The valid sign-ins, last used first.
    pub devices: Vec<Device>,
    /// The link of a password reset that was just started without JavaScript. Shown once.
    pub new_link: Option<String>,
    /// Whether mail is configured.
    pub mails: bool,
    /// Whether the administrator authenticated recently, which changes require.
    pub recently_authenticated: bool,
}

/// An administrator's action on an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonChange {
    /// Changes the role to administrator.
    MakeAdministrator,
    /// Changes the role to member.
    MakeMember,
    /// Disables the account.
    Disable,
    /// Enables the account.
    Enable,
    /// Revokes all sign-ins.
    EndSignIns,
    /// Schedules the removal of lost second factors.
    RemoveFactors,
    /// Cancels the removal of second factors.
    KeepFactors,
    /// Disables the account and schedules its deletion after one day.
    DeleteAccount,
    /// Cancels the deletion of the account.
    KeepAccount,
}

impl PersonChange {
    /// All actions.
    pub const ALL: [Self; 9] = [
        Self::MakeAdministrator,
        Self::MakeMember,
        Self::Disable,
        Self::Enable,
        Self::EndSignIns,
        Self::RemoveFactors,
        Self::KeepFactors,
        Self::DeleteAccount,
        Self::KeepAccount,
    ];

    /// The name in forms and URLs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MakeAdministrator => "make_administrator",
            Self::MakeMember => "make_member",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::EndSignIns => "end_sign_ins",
            Self::RemoveFactors => "remove_factors",
            Self::KeepFactors => "keep_factors",
            Self::DeleteAccount => "delete_account",
            Self::KeepAccount => "keep_account",
        }
    }

    /// The success message in the language of the page.
    pub fn result(self) -> &'static str {
        match self {
            Self::MakeAdministrator => t!("admin.change.make_administrator"),
            Self::MakeMember => t!("admin.change.make_member"),
            Self::Disable => t!("admin.change.disable"),
            Self::Enable => t!("admin.change.enable"),
            Self::EndSignIns => t!("admin.change.end_sign_ins"),
            Self::RemoveFactors => t!("admin.change.remove_factors"),
            Self::KeepFactors => t!("admin.change.keep_factors"),
            Self::DeleteAccount => t!("admin.change.delete_account"),
            Self::KeepAccount => t!("admin.change.keep_account"),
        }
    }

    /// The section of the user's page that contains it.
    pub const fn section(self) -> &'static str {
        match self {
            Self::MakeAdministrator | Self::MakeMember => "role",
            Self::Disable | Self::Enable => "access",
            Self::EndSignIns => "sign-ins",
            Self::RemoveFactors | Self::KeepFactors => "factors",
            Self::DeleteAccount | Self::KeepAccount => "deletion",
        }
    }

    /// Whether it must be confirmed if administrators apply it to their own account, because they would lose access.
    pub const fn needs_confirmation(self) -> bool {
        matches!(self, Self::MakeMember | Self::Disable)
    }
}

impl std::str::FromStr for PersonChange {
    type Err = AppError;

    fn from_str(text: &str) -> Result<Self, AppError> {
        let found = Self::ALL.into_iter().find(|change| change.name() == text);
        found.ok_or_else(|| AppError::invalid("change", reason!("change_unknown")))
    }
}

/// The result of starting a password reset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasswordReset {
    /// The link was mailed to the user.
    Mailed,
    /// Mail is not configured: the administrator passes this link to the user. Shown once.
    Link(String),
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn names_of_changes_round_trip() {
        for change in PersonChange::ALL {
            assert_eq!(serde_json::to_value(change).expect("a name"), change.name());
            assert_eq!(change.name().parse(), Ok(change));
        }
        assert_eq!("delete".parse::<PersonChange>().map_err(|error| error.status()), Err(422));
    }
}
