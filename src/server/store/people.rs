//! User accounts as administrators see them.

use super::{
    Admin, StoreError,
    chats::like_pattern,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{AccountStatus, PersonSummary, Role, Timestamp, UserId, search_key};

/// A cursor in the list of users, which is sorted by name: the last row of the previous page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeopleCursor {
    /// The sort key of the name.
    pub name_key: String,
    /// The user's id.
    pub id: UserId,
}

/// A user account, for administrators.
#[derive(Debug)]
pub struct PersonRow {
    /// The part that lists show.
    pub summary: PersonSummary,
    /// The sort key of the name.
    pub name_key: String,
    /// When the account was created.
    pub created_at: Timestamp,
    /// When the e-mail address was verified.
    pub email_verified_at: Option<Timestamp>,
    /// When the account will be deleted, if a deletion is scheduled.
    pub deletion_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct UserColumns {
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
    picture: i64,
}

impl From<UserColumns> for PersonRow {
    fn from(row: UserColumns) -> Self {
        let status = match (row.disabled_at, row.must_verify, row.last_seen_at) {
            (Some(_), ..) => AccountStatus::Disabled,
            (None, true, _) => AccountStatus::Unverified,
            (None, false, None) => AccountStatus::NeverSeen,
            (None, false, Some(_)) => AccountStatus::Active,
        };
        Self {
            summary: PersonSummary {
                id: row.id,
                name: row.name,
                email: row.email,
                role: row.role,
                status,
                last_seen_at: row.last_seen_at,
                picture: row.picture,
            },
            name_key: row.name_key,
            created_at: row.created_at,
            email_verified_at: row.email_verified_at,
            deletion_at: row.deletion_at,
        }
    }
}

/// The key for sorting and searching a name.
pub(super) fn name_key(name: &str) -> String {
    search_key(name)
}

impl Admin<'_> {
    /// The users whose name or e-mail address contains `search`, sorted by name, after the cursor.
    pub async fn list_people(
        &mut self,
        search: &str,
        after: Option<&PeopleCursor>,
        limit: u32,
    ) -> Result<Vec<PersonRow>, StoreError> {
        let (name_key, id) = after.map_or(("", uuid::Uuid::nil()), |after| (after.name_key.as_str(), after.id.uuid()));
        let rows = fetch_all!(
            self.tx,
            UserColumns,
            "select u.id, u.name, u.name_key, u.email, u.role, u.created_at, u.disabled_at, u.must_verify, u.email_verified_at, u.deletion_at,
                    coalesce((select max(s.last_used_at) from sign_ins s where s.user_id = u.id), u.last_seen_at) as last_seen_at,
                    coalesce((select p.version from pictures p where p.user_id = u.id), 0) as picture
             from users u
             where ($1 = '%%' or replace(u.name_key, '\u{200D}', '') like $1 escape '\\' or u.email_key like $1 escape '\\')
               and (u.name_key, u.id) > ($2, $3)
             order by u.name_key, u.id limit $4",
            like_pattern(search),
            name_key,
            id,
            i64::from(limit),
        )?;
        Ok(rows.into_iter().map(PersonRow::from).collect())
    }

    /// A user account, for administrators.
    pub async fn find_person(&mut self, user: UserId) -> Result<Option<PersonRow>, StoreError> {
        let row = fetch_optional!(
            self.tx,
            UserColumns,
            "select u.id, u.name, u.name_key, u.email, u.role, u.created_at, u.disabled_at, u.must_verify, u.email_verified_at, u.deletion_at,
                    coalesce((select max(s.last_used_at) from sign_ins s where s.user_id = u.id), u.last_seen_at) as last_seen_at,
                    coalesce((select p.version from pictures p where p.user_id = u.id), 0) as picture
             from users u where u.id = $1",
            user,
        )?;
        Ok(row.map(PersonRow::from))
    }

    /// Locks the set of administrators until this transaction ends. Waits for another transaction that holds this lock;
    /// later reads see what it has committed.
    pub async fn lock_administrators(&mut self) -> Result<(), StoreError> {
        // On PostgreSQL, the update locks the row. SQLite has only one writer anyway.
        execute!(self.tx, "update installation set singleton = 1 where singleton = 1")?;
        Ok(())
    }

    /// The number of administrators that can sign in and are not about to be deleted.
    pub async fn count_administrators(&mut self) -> Result<i64, StoreError> {
        let row = fetch_optional!(
            self.tx,
            (i64,),
            "select count(*) from users
             where role = 'administrator' and disabled_at is null and must_verify = false and deletion_at is null"
        )?;
        Ok(row.map_or(0, |(count,)| count))
    }

    /// Whether this account is currently an enabled administrator.
    pub async fn is_administrator(&mut self, user: UserId) -> Result<bool, StoreError> {
        let row =
            fetch_optional!(self.tx, (String,), "select role from users where id = $1 and disabled_at is null", user)?;
        let role = row.map(|(role,)| Role::try_from(role)).transpose()?;
        Ok(role == Some(Role::Administrator))
    }

    /// Disables an account (`Some`) or enables it (`None`); `false` if it already was.
    pub async fn update_disabled(&mut self, user: UserId, at: Option<Timestamp>) -> Result<bool, StoreError> {
        let changed = execute!(
            self.tx,
            "update users set disabled_at = $2 where id = $1 and (disabled_at is null) = (cast($2 as bigint) is not null)",
            user,
            at,
        )?;
        Ok(changed == 1)
    }
}
