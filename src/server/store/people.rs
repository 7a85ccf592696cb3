//! People as administrators see them.

use super::{
    StoreError, Tx,
    chats::literal_pattern,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{PersonSummary, Role, Standing, Timestamp, UserId, search_key};

/// A place in the list of people, which is sorted by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeopleCursor {
    /// The name's key of the last person before it.
    pub name_key: String,
    /// Their id.
    pub id: UserId,
}

/// An account, for administrators.
#[derive(Debug)]
pub struct PersonRow {
    /// What lists show of it.
    pub summary: PersonSummary,
    /// The key by which lists sort its name.
    pub name_key: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its address was shown to be its owner's.
    pub email_verified_at: Option<Timestamp>,
    /// When it is deleted, if it is to be.
    pub deletion_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: UserId,
    name: String,
    name_key: String,
    email: String,
    #[sqlx(try_from = "String")]
    role: Role,
    created_at: Timestamp,
    disabled_at: Option<Timestamp>,
    must_verify: bool,
    email_verified_at: Option<Timestamp>,
    last_seen_at: Option<Timestamp>,
    deletion_at: Option<Timestamp>,
}

impl From<Row> for PersonRow {
    fn from(row: Row) -> Self {
        let standing = match (row.disabled_at, row.must_verify, row.last_seen_at) {
            (Some(_), ..) => Standing::Disabled,
            (None, true, _) => Standing::Unverified,
            (None, false, None) => Standing::NeverSeen,
            (None, false, Some(_)) => Standing::Active,
        };
        Self {
            summary: PersonSummary {
                id: row.id,
                name: row.name,
                email: row.email,
                role: row.role,
                standing,
                last_seen_at: row.last_seen_at,
            },
            name_key: row.name_key,
            created_at: row.created_at,
            email_verified_at: row.email_verified_at,
            deletion_at: row.deletion_at,
        }
    }
}

/// The key by which a name is sorted and found.
pub(super) fn name_key(name: &str) -> String {
    search_key(name)
}

impl Tx {
    /// The people whose name or address contains a text, by name, after a place in that order.
    pub async fn list_people(
        &mut self,
        search: &str,
        after: Option<&PeopleCursor>,
        limit: u32,
    ) -> Result<Vec<PersonRow>, StoreError> {
        let (name_key, id) = after.map_or(("", uuid::Uuid::nil()), |after| (after.name_key.as_str(), after.id.uuid()));
        let rows = fetch_all!(
            self,
            Row,
            "select u.id, u.name, u.name_key, u.email, u.role, u.created_at, u.disabled_at, u.must_verify, u.email_verified_at, u.deletion_at,
                    coalesce((select max(s.last_used_at) from sign_ins s where s.user_id = u.id), u.last_seen_at) as last_seen_at
             from users u
             where ($1 = '%%' or replace(u.name_key, '\u{200D}', '') like $1 escape '\\' or u.email_key like $1 escape '\\')
               and (u.name_key, u.id) > ($2, $3)
             order by u.name_key, u.id limit $4",
            literal_pattern(search),
            name_key,
            id,
            i64::from(limit),
        )?;
        Ok(rows.into_iter().map(PersonRow::from).collect())
    }

    /// An account, for administrators.
    pub async fn find_person(&mut self, user: UserId) -> Result<Option<PersonRow>, StoreError> {
        let row = fetch_optional!(
            self,
            Row,
            "select u.id, u.name, u.name_key, u.email, u.role, u.created_at, u.disabled_at, u.must_verify, u.email_verified_at, u.deletion_at,
                    coalesce((select max(s.last_used_at) from sign_ins s where s.user_id = u.id), u.last_seen_at) as last_seen_at
             from users u where u.id = $1",
            user,
        )?;
        Ok(row.map(PersonRow::from))
    }

    /// Waits until no other transaction decides who the administrators are, and lets none do so until this one ends.
    /// What is read after it is what that other one has left.
    pub async fn lock_administrators(&mut self) -> Result<(), StoreError> {
        // On PostgreSQL the row is locked by writing it; on SQLite there is one writer anyway.
        execute!(self, "update installation set singleton = 1 where singleton = 1")?;
        Ok(())
    }

    /// How many administrators can sign in, and stay.
    pub async fn count_administrators(&mut self) -> Result<i64, StoreError> {
        let row = fetch_optional!(
            self,
            (i64,),
            "select count(*) from users
             where role = 'administrator' and disabled_at is null and must_verify = false and deletion_at is null"
        )?;
        Ok(row.map_or(0, |(count,)| count))
    }

    /// Whether this account may do what administrators do, at this moment.
    pub async fn is_administrator(&mut self, user: UserId) -> Result<bool, StoreError> {
        let row =
            fetch_optional!(self, (String,), "select role from users where id = $1 and disabled_at is null", user)?;
        let role = row.map(|(role,)| Role::try_from(role)).transpose()?;
        Ok(role == Some(Role::Administrator))
    }

    /// Shuts an account, or opens it again; whether that changed it.
    pub async fn update_disabled(&mut self, user: UserId, at: Option<Timestamp>) -> Result<bool, StoreError> {
        let changed = execute!(
            self,
            "update users set disabled_at = $2 where id = $1 and (disabled_at is null) = (cast($2 as bigint) is not null)",
            user,
            at,
        )?;
        Ok(changed == 1)
    }
}
