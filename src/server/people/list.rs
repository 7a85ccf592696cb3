//! The list of users, and the details of one.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Actor, Administration};
use crate::{
    domain::{AppError, Device, People, PeoplePage, Person, PersonSummary, UndeliveredMail, UserId, limits},
    i18n::Texts,
    server::{
        audit::{describe_device, describe_network},
        auth::Caller,
        fault::Fault,
        store::{FailingMail, PeopleCursor, SignInRow},
    },
};

impl Administration {
    /// One page of the users whose name or address contains `search`, ordered by name.
    ///
    /// # Errors
    /// `Forbidden` for members; `Invalid` for a search that is too long, or a malformed cursor.
    pub async fn list_people(
        &self,
        actor: &Actor<'_>,
        search: &str,
        cursor: Option<&str>,
    ) -> Result<PeoplePage, Fault> {
        actor.require_administrator()?;
        if search.chars().count() > limits::MAX_SEARCH_CHARS || search.contains('\0') {
            return Err(AppError::invalid("search", reason!("search_too_long", most = limits::MAX_SEARCH_CHARS)).into());
        }
        let after = cursor.filter(|text| !text.is_empty()).map(parse_cursor).transpose()?;
        let limit = limits::PEOPLE_PER_PAGE;
        let mut rows = self.store.read().await?.admin().list_people(search.trim(), after.as_ref(), limit + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|last| format_cursor(&last.name_key, last.summary.id));
        Ok(PeoplePage { people: rows.into_iter().map(|row| row.summary).collect(), next })
    }

    /// The data of the page of users.
    ///
    /// # Errors
    /// As [`Administration::list_people`].
    pub async fn people(&self, actor: &Actor<'_>, search: &str, cursor: Option<&str>) -> Result<People, Fault> {
        let caller = actor.caller.ok_or(AppError::Forbidden)?;
        let page = self.list_people(actor, search, cursor).await?;
        let undelivered = self.store.read().await?.admin().list_failing_mails().await?;
        Ok(People {
            page,
            policy: self.accounts.sign_up_policy().await?,
            domains: self.accounts.sign_up_domains().to_vec(),
            invitations: self.list_invitations(caller).await?,
            new_link: None,
            mails: self.notifier.is_enabled(),
            undelivered: undelivered.into_iter().map(undelivered_mail).collect(),
            receipts: self.privacy.list_receipts(actor.meta.language.texts()).await?,
            recently_authenticated: self.accounts.require_recent_authentication(caller).is_ok(),
        })
    }

    /// The details of a user, for administrators.
    ///
    /// # Errors
    /// `Forbidden` for members; `NotFound`.
    pub async fn find_person(&self, actor: &Actor<'_>, user: UserId) -> Result<Person, Fault> {
        actor.require_administrator()?;
        let caller = actor.caller.ok_or(AppError::Forbidden)?;
        let mut tx = self.store.read().await?;
        let row = tx.admin().find_person(user).await?.ok_or(AppError::NotFound)?;
        let sign_ins = tx.owned_by(user).list_sign_ins(self.clock.now()).await?;
        let mut owned = tx.owned_by(user);
        let factors = owned.list_factors().await?.len();
        let factor_removal = owned.find_factor_removal().await?;
        Ok(Person {
            is_self: caller.user.id == user,
            created_at: row.created_at,
            email_verified: row.email_verified_at.is_some(),
            factors: u32::try_from(factors).unwrap_or(u32::MAX),
            factor_removal,
            deletion_at: row.deletion_at,
            removal_hours: self.factor_removal_seconds.div_euclid(3_600).max(1),
            devices: sign_ins.into_iter().map(|row| to_device(row, caller, actor.meta.language.texts())).collect(),
            new_link: None,
            mails: self.notifier.is_enabled(),
            recently_authenticated: self.accounts.require_recent_authentication(caller).is_ok(),
            summary: row.summary,
        })
    }

    /// The account with an address, for the operator.
    ///
    /// # Errors
    /// `Invalid` for a malformed address; `NotFound`.
    pub async fn find_person_by_email(&self, email: &str) -> Result<PersonSummary, Fault> {
        let email = crate::domain::Email::parse(email)?;
        let mut tx = self.store.read().await?;
        let found = tx.find_user_by_email(email.key()).await?.ok_or(AppError::NotFound)?;
        Ok(tx.admin().find_person(found.id).await?.ok_or(AppError::NotFound)?.summary)
    }
}

fn to_device(row: SignInRow, caller: &Caller, texts: &Texts) -> Device {
    Device {
        id: row.id,
        device: describe_device(texts, &row.user_agent),
        network: describe_network(texts, &row.address),
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        current: row.id == caller.sign_in,
    }
}

fn undelivered_mail(mail: FailingMail) -> UndeliveredMail {
    UndeliveredMail {
        recipient: mail.recipient,
        subject: mail.subject,
        created_at: mail.created_at,
        attempts: mail.attempts,
        will_retry: mail.next_attempt_at.is_some(),
        error: mail.last_error.unwrap_or_default(),
    }
}

fn format_cursor(name_key: &str, id: UserId) -> String {
    format!("{}.{id}", URL_SAFE_NO_PAD.encode(name_key))
}

fn parse_cursor(text: &str) -> Result<PeopleCursor, AppError> {
    let parse = || {
        let (name, id) = text.split_once('.')?;
        let name_key = String::from_utf8(URL_SAFE_NO_PAD.decode(name).ok()?).ok()?;
        let fits = name_key.chars().count() <= 4 * limits::MAX_NAME_CHARS && !name_key.contains('\0');
        fits.then_some(PeopleCursor { name_key, id: id.parse().ok()? })
    };
    parse().ok_or_else(|| AppError::invalid("cursor", reason!("cursor_unknown")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_17_cursors_round_trip_or_are_refused() {
        let id: UserId = "0190e2a4-7b1c-7def-8123-456789abcdef".parse().expect("an id");
        let read = parse_cursor(&format_cursor("élodie.o'hara", id)).expect("a cursor");
        assert_eq!(read, PeopleCursor { name_key: "élodie.o'hara".to_owned(), id });
        let bad = [
            "x",
            ".",
            "YQ",
            "YQ.1",
            "YQ.0190E2A4-7B1C-7DEF-8123-456789ABCDEF",
            "AA.0190e2a4-7b1c-7def-8123-456789abcdef",
            "_w.0190e2a4-7b1c-7def-8123-456789abcdef",
        ];
        for bad in bad {
            assert_eq!(parse_cursor(bad).unwrap_err().field(), Some("cursor"), "{bad}");
        }
    }
}
