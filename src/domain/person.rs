//! People as administrators see them.

use serde::{Deserialize, Serialize};

use super::{AppError, Device, Invitation, Role, SignUpPolicy, Timestamp, UserId};

/// Whether an account can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is in use.
    Active,
    /// Nobody has signed in yet.
    NeverSeen,
    /// The address must be confirmed before anybody can sign in.
    Unverified,
    /// An administrator has shut it.
    Disabled,
}

impl Standing {
    /// In words, for whoever reads the page; nothing for an account that is in use.
    pub fn label(self) -> Option<&'static str> {
        match self {
            Self::Active => None,
            Self::NeverSeen => Some(t!("admin.standing.never_seen")),
            Self::Unverified => Some(t!("admin.standing.unverified")),
            Self::Disabled => Some(t!("admin.standing.disabled")),
        }
    }
}

/// A person in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonSummary {
    /// Who.
    pub id: UserId,
    /// The name as it was given.
    pub name: String,
    /// The address as it was given.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// Whether the account can be used.
    pub standing: Standing,
    /// When they last used a sign-in, to the minute.
    pub last_seen_at: Option<Timestamp>,
}

/// One page of people, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeoplePage {
    /// The people.
    pub people: Vec<PersonSummary>,
    /// The cursor of the next page, where there is one.
    pub next: Option<String>,
}

/// A mail that has not reached the mail server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndeliveredMail {
    /// To whom.
    pub recipient: String,
    /// What it is about.
    pub subject: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// How often it was tried.
    pub attempts: i64,
    /// Whether it is tried again.
    pub tries_again: bool,
    /// What the last attempt ended with.
    pub error: String,
}

/// All that the page of people shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct People {
    /// The people that were looked for.
    pub page: PeoplePage,
    /// Who may make an account.
    pub policy: SignUpPolicy,
    /// Domains whose addresses may, where the policy is that.
    pub domains: Vec<String>,
    /// The invitations that can be used, newest first.
    pub invitations: Vec<Invitation>,
    /// The link of an invitation that was just made without scripts. Shown once.
    pub new_link: Option<String>,
    /// Whether mails are sent.
    pub mails: bool,
    /// Mails that failed and were not sent since, newest first.
    pub undelivered: Vec<UndeliveredMail>,
    /// The receipts of deleted accounts, newest first.
    pub receipts: Vec<Receipt>,
    /// Whether the administrator proved a short while ago who they are, as changes need.
    pub fresh: bool,
}

/// What is left of a deleted account. Nothing in it says whose it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Its id, which its owner was told too where mails are sent.
    pub id: String,
    /// When the deletion was asked for.
    pub asked_at: Timestamp,
    /// When it was done.
    pub done_at: Timestamp,
    /// What was deleted, in words.
    pub counts: String,
}

/// All that the page of one person shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Who.
    pub summary: PersonSummary,
    /// When the account was made.
    pub created_at: Timestamp,
    /// Whether the address was shown to be theirs.
    pub email_verified: bool,
    /// Whether it is the administrator who looks.
    pub is_self: bool,
    /// How many second factors they have.
    pub factors: u32,
    /// When these are removed, if an administrator has asked for it.
    pub factor_removal: Option<Timestamp>,
    /// When the account is deleted, if that was asked for.
    pub deletion_at: Option<Timestamp>,
    /// Hours that pass before a lost factor is removed.
    pub removal_hours: i64,
    /// Their sign-ins, last used first.
    pub devices: Vec<Device>,
    /// The link of a reset that was just begun without scripts. Shown once.
    pub new_link: Option<String>,
    /// Whether mails are sent.
    pub mails: bool,
    /// Whether the administrator proved a short while ago who they are, as changes need.
    pub fresh: bool,
}

/// Something that an administrator does with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonChange {
    /// Makes an administrator.
    MakeAdministrator,
    /// Makes a member.
    MakeMember,
    /// Shuts the account.
    Disable,
    /// Opens it again.
    Enable,
    /// Ends all sign-ins.
    EndSignIns,
    /// Has the lost second factors removed after a notice.
    RemoveFactors,
    /// Lets the second factors stay after all.
    KeepFactors,
    /// Shuts the account and has it deleted after a day.
    DeleteAccount,
    /// Lets the account stay after all.
    KeepAccount,
}

impl PersonChange {
    /// All of them.
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

    /// As forms and addresses name it.
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

    /// What is said when it was done.
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

    /// The part of the person's page that it is in.
    pub const fn part(self) -> &'static str {
        match self {
            Self::MakeAdministrator | Self::MakeMember => "role",
            Self::Disable | Self::Enable => "access",
            Self::EndSignIns => "sign-ins",
            Self::RemoveFactors | Self::KeepFactors => "factors",
            Self::DeleteAccount | Self::KeepAccount => "deletion",
        }
    }

    /// Whether it takes something from the person that an administrator who does it to themself would miss at once.
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

/// A reset that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reset {
    /// The person was sent a link.
    Mailed,
    /// No mails are sent: this link is for the administrator to hand over. Shown once.
    Link(String),
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn a_change_has_one_name() {
        for change in PersonChange::ALL {
            assert_eq!(serde_json::to_value(change).expect("a name"), change.name());
            assert_eq!(change.name().parse(), Ok(change));
        }
        assert_eq!("delete".parse::<PersonChange>().map_err(|error| error.status()), Err(422));
    }
}
