//! What was written down, for administrators and the operator.

use serde::Serialize;
use time::{Date, Month};

use super::{Actor, Administration};
use crate::{
    domain::{Activity, AppError, AuditAction, AuditEntry, AuditPage, AuditQuery, Email, Outcome, Timestamp, UserId},
    i18n::Texts,
    server::{
        audit::{AuditEvent, RequestMeta, cursor_after, device, network, parse_cursor},
        auth::Caller,
        clock::rfc3339,
        fault::Fault,
        store::{AuditFilter, AuditRecord},
    },
};

/// Acts in one page.
const ACTS_PER_PAGE: u32 = 50;
/// Acts that an export reads at a time.
const ACTS_PER_STEP: u32 = 500;

/// A part of the audit that is being written out, newest first.
#[derive(Debug)]
pub struct AuditExport {
    filter: AuditFilter,
    after: Option<String>,
    over: bool,
}

/// One line of an export.
#[derive(Serialize)]
struct Line<'a> {
    at: String,
    action: AuditAction,
    outcome: Outcome,
    actor: Option<Party<'a>>,
    subject: Option<Party<'a>>,
    detail: &'a str,
    address: &'a str,
    user_agent: &'a str,
}

/// Who took part in an act.
#[derive(Serialize)]
struct Party<'a> {
    id: UserId,
    email: Option<&'a str>,
    name: Option<&'a str>,
}

impl Administration {
    /// One page of what was done with all accounts.
    ///
    /// # Errors
    /// `Forbidden` for members; `Invalid` on whatever of the query is none, on `cursor` too.
    pub async fn list_audit(
        &self,
        by: &Actor<'_>,
        query: &AuditQuery,
        cursor: Option<&str>,
    ) -> Result<AuditPage, Fault> {
        by.check()?;
        let filter = self.filter(query).await?;
        let after = cursor.filter(|text| !text.is_empty()).map(parse_cursor).transpose()?;
        let mut records = self.store.read().await?.search_audit(&filter, after, ACTS_PER_PAGE + 1).await?;
        let more = records.len() > ACTS_PER_PAGE as usize;
        records.truncate(ACTS_PER_PAGE as usize);
        let next = records.last().filter(|_| more).map(|last| cursor_after(&last.row));
        Ok(AuditPage {
            entries: records.into_iter().map(|record| entry(record, by.meta.language.texts())).collect(),
            next,
            days: self.audit_days,
            fresh: by.caller.is_some_and(|caller| self.accounts.require_fresh(caller).is_ok()),
        })
    }

    /// Begins to write out a part of the audit for an administrator, which is itself written down.
    ///
    /// # Errors
    /// `Forbidden` for members, `Stale`, `Invalid` on whatever of the query is none.
    pub async fn export_audit(
        &self,
        caller: &Caller,
        query: &AuditQuery,
        meta: &RequestMeta,
    ) -> Result<AuditExport, Fault> {
        self.require_administrator(caller, "/audit/export", meta).await?;
        self.accounts.require_fresh(caller)?;
        let filter = self.filter(query).await?;
        // The id, not the address: what was written down must not keep the address of whoever is gone by then.
        let person = filter.person.map(|person| person.to_string()).unwrap_or_default();
        let asked = [&query.action, &query.outcome, &person, &query.from, &query.to];
        let detail = asked.into_iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(" ");
        let event = AuditEvent {
            actor: Some(caller.user.id),
            subject: None,
            action: AuditAction::ExportAudit,
            outcome: Outcome::Done,
            detail: &detail,
        };
        let mut tx = self.store.write().await?;
        meta.record(&mut tx, &self.clock, &event).await?;
        tx.commit().await?;
        Ok(AuditExport { filter, after: None, over: false })
    }

    /// A part of the audit for the operator.
    ///
    /// # Errors
    /// `Invalid` on whatever of the query is none.
    pub async fn read_audit(&self, query: &AuditQuery) -> Result<AuditExport, Fault> {
        Ok(AuditExport { filter: self.filter(query).await?, after: None, over: false })
    }

    /// The next lines of an export, as JSON, each with its end; `None` after the last.
    pub async fn next_lines(&self, export: &mut AuditExport) -> Result<Option<String>, Fault> {
        if export.over {
            return Ok(None);
        }
        let after = export.after.as_deref().map(parse_cursor).transpose()?;
        let records = self.store.read().await?.search_audit(&export.filter, after, ACTS_PER_STEP).await?;
        export.over = records.len() < ACTS_PER_STEP as usize;
        export.after = records.last().map(|last| cursor_after(&last.row));
        let mut lines = String::new();
        for record in &records {
            lines.push_str(&serde_json::to_string(&line(record)).map_err(Fault::internal)?);
            lines.push('\n');
        }
        Ok((!lines.is_empty()).then_some(lines))
    }

    async fn filter(&self, query: &AuditQuery) -> Result<AuditFilter, Fault> {
        let unknown = || AppError::invalid("action", reason!("action_unknown"));
        let action = match query.action.as_str() {
            "" => None,
            name => Some(AuditAction::named(name).ok_or_else(unknown)?),
        };
        let outcome = match query.outcome.as_str() {
            "" => None,
            "done" => Some(Outcome::Done),
            "refused" => Some(Outcome::Refused),
            _ => return Err(AppError::invalid("outcome", reason!("outcome_unknown")).into()),
        };
        let person = match query.person.trim() {
            "" => None,
            person => Some(self.person(person).await?),
        };
        let from = day("from", &query.from)?;
        let until = day("to", &query.to)?.map(|last| last.plus_seconds(86_400));
        Ok(AuditFilter { action, outcome, person, from, until })
    }

    /// Somebody by their address, or by their id, which outlives the account.
    async fn person(&self, text: &str) -> Result<UserId, Fault> {
        if let Ok(id) = text.parse() {
            return Ok(id);
        }
        let nobody = || AppError::invalid("person", reason!("person_unknown"));
        let email = Email::parse(text).map_err(|_| nobody())?;
        let found = self.store.read().await?.find_user_by_email(email.key()).await?;
        Ok(found.ok_or_else(nobody)?.id)
    }
}

/// The beginning of a day, as `2026-11-21`.
fn day(field: &'static str, text: &str) -> Result<Option<Timestamp>, AppError> {
    if text.is_empty() {
        return Ok(None);
    }
    let date = || {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?.parse().ok()?, parts.next()?.parse::<u8>().ok()?, parts.next()?);
        let month = Month::try_from(month).ok()?;
        let date = Date::from_calendar_date(year, month, day.parse().ok()?).ok()?;
        // Years of four digits: all that a clock of ours can show.
        (1970..=9999).contains(&date.year()).then_some(date).filter(|_| parts.next().is_none())
    };
    let date = date().ok_or_else(|| AppError::invalid(field, reason!("day_malformed")))?;
    Ok(Some(Timestamp::from_micros(date.midnight().assume_utc().unix_timestamp() * 1_000_000)))
}

fn entry(record: AuditRecord, texts: &Texts) -> AuditEntry {
    let AuditRecord { row, subject_id, actor_name, actor_email, subject_name, subject_email } = record;
    let named = |id: Option<UserId>, name: Option<String>, email: Option<String>| match (id, name, email) {
        (_, Some(name), Some(email)) => format!("{name} <{email}>"),
        (Some(id), ..) => t!(in texts, "mail.gone", id = &id.to_string()[..8]),
        _ => String::new(),
    };
    AuditEntry {
        actor: named(row.actor_id, actor_name, actor_email),
        subject: named(subject_id, subject_name, subject_email),
        act: Activity {
            at: row.at,
            action: row.action,
            outcome: row.outcome,
            device: device(texts, &row.user_agent),
            place: network(texts, &row.address),
            by_another: row.actor_id.is_some() && row.actor_id != subject_id,
            detail: row.detail,
        },
    }
}

fn line(record: &AuditRecord) -> Line<'_> {
    let AuditRecord { row, subject_id, actor_name, actor_email, subject_name, subject_email } = record;
    Line {
        at: rfc3339(row.at),
        action: row.action,
        outcome: row.outcome,
        actor: row.actor_id.map(|id| Party { id, email: actor_email.as_deref(), name: actor_name.as_deref() }),
        subject: subject_id.map(|id| Party { id, email: subject_email.as_deref(), name: subject_name.as_deref() }),
        detail: &row.detail,
        address: &row.address,
        user_agent: &row.user_agent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_18_days_are_days_of_the_calendar() {
        assert_eq!(day("from", "1970-01-02"), Ok(Some(Timestamp::from_micros(86_400_000_000))));
        assert_eq!(day("from", ""), Ok(None));
        for bad in ["2026-13-01", "2026-02-30", "yesterday", "2026-11-21-1", "99999-01-01", "-1-01-01", "2026-11-21;--"]
        {
            assert!(day("from", bad).is_err(), "{bad}");
        }
    }
}
