//! The audit log, for administrators and the operator.

use serde::Serialize;
use time::{Date, Month};

use super::{Actor, Administration};
use crate::{
    domain::{Activity, AppError, AuditAction, AuditEntry, AuditPage, AuditQuery, Email, Outcome, Timestamp, UserId},
    i18n::Texts,
    server::{
        audit::{AuditEvent, RequestMeta, cursor_after, describe_device, describe_network, parse_cursor},
        auth::Caller,
        clock::rfc3339,
        fault::Fault,
        store::{AuditFilter, AuditRecord},
    },
};

/// Audit events per page.
const EVENTS_PER_PAGE: u32 = 50;
/// Audit events per batch of an export.
const EXPORT_BATCH_SIZE: u32 = 500;

/// An export of the audit log in progress, newest first.
#[derive(Debug)]
pub struct AuditExport {
    filter: AuditFilter,
    after: Option<String>,
    finished: bool,
}

/// One line of an export.
#[derive(Serialize)]
struct ExportLine<'a> {
    at: String,
    action: AuditAction,
    outcome: Outcome,
    actor: Option<Party<'a>>,
    subject: Option<Party<'a>>,
    detail: &'a str,
    address: &'a str,
    user_agent: &'a str,
}

/// The actor or the subject of an event.
#[derive(Serialize)]
struct Party<'a> {
    id: UserId,
    email: Option<&'a str>,
    name: Option<&'a str>,
}

impl Administration {
    /// One page of the audit log of all accounts.
    ///
    /// # Errors
    /// `Forbidden` for members; `Invalid` on the field of the query that is malformed, or on `cursor`.
    pub async fn list_audit(
        &self,
        actor: &Actor<'_>,
        query: &AuditQuery,
        cursor: Option<&str>,
    ) -> Result<AuditPage, Fault> {
        actor.require_administrator()?;
        let filter = self.parse_filter(query).await?;
        let after = cursor.filter(|text| !text.is_empty()).map(parse_cursor).transpose()?;
        let mut records = self.store.read().await?.admin().search_audit(&filter, after, EVENTS_PER_PAGE + 1).await?;
        let more = records.len() > EVENTS_PER_PAGE as usize;
        records.truncate(EVENTS_PER_PAGE as usize);
        let next = records.last().filter(|_| more).map(|last| cursor_after(&last.row));
        Ok(AuditPage {
            entries: records.into_iter().map(|record| to_entry(record, actor.meta.language.texts())).collect(),
            next,
            days: self.audit_days,
            recently_authenticated: actor
                .caller
                .is_some_and(|caller| self.accounts.require_recent_authentication(caller).is_ok()),
        })
    }

    /// Starts an export for an administrator. The export is itself an audit event.
    ///
    /// # Errors
    /// `Forbidden` for members; `ReauthRequired`; `Invalid` on the field of the query that is malformed.
    pub async fn export_audit(
        &self,
        caller: &Caller,
        query: &AuditQuery,
        meta: &RequestMeta,
    ) -> Result<AuditExport, Fault> {
        self.require_administrator(caller, "/audit/export", meta).await?;
        self.accounts.require_recent_authentication(caller)?;
        let filter = self.parse_filter(query).await?;
        // The id, not the address: audit entries must not contain the address of an account that is deleted later.
        let person = filter.person.map(|person| person.to_string()).unwrap_or_default();
        let criteria = [&query.action, &query.outcome, &person, &query.from, &query.to];
        let detail = criteria.into_iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(" ");
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
        Ok(AuditExport { filter, after: None, finished: false })
    }

    /// Starts an export for the operator.
    ///
    /// # Errors
    /// `Invalid` on the field of the query that is malformed.
    pub async fn read_audit(&self, query: &AuditQuery) -> Result<AuditExport, Fault> {
        Ok(AuditExport { filter: self.parse_filter(query).await?, after: None, finished: false })
    }

    /// The next batch of an export as JSON Lines, each with a final newline; `None` at the end.
    pub async fn next_lines(&self, export: &mut AuditExport) -> Result<Option<String>, Fault> {
        if export.finished {
            return Ok(None);
        }
        let after = export.after.as_deref().map(parse_cursor).transpose()?;
        let records = self.store.read().await?.admin().search_audit(&export.filter, after, EXPORT_BATCH_SIZE).await?;
        export.finished = records.len() < EXPORT_BATCH_SIZE as usize;
        export.after = records.last().map(|last| cursor_after(&last.row));
        let mut lines = String::new();
        for record in &records {
            lines.push_str(&serde_json::to_string(&to_export_line(record)).map_err(Fault::internal)?);
            lines.push('\n');
        }
        Ok((!lines.is_empty()).then_some(lines))
    }

    async fn parse_filter(&self, query: &AuditQuery) -> Result<AuditFilter, Fault> {
        let unknown = || AppError::invalid("action", reason!("action_unknown"));
        let action = match query.action.as_str() {
            "" => None,
            name => Some(AuditAction::from_name(name).ok_or_else(unknown)?),
        };
        let outcome = match query.outcome.as_str() {
            "" => None,
            "done" => Some(Outcome::Done),
            "refused" => Some(Outcome::Refused),
            _ => return Err(AppError::invalid("outcome", reason!("outcome_unknown")).into()),
        };
        let person = match query.person.trim() {
            "" => None,
            person => Some(self.resolve_person(person).await?),
        };
        let from = parse_day("from", &query.from)?;
        let until = parse_day("to", &query.to)?.map(|last| last.plus_seconds(86_400));
        Ok(AuditFilter { action, outcome, person, from, until })
    }

    /// A user by address, or by id, which also finds deleted accounts.
    async fn resolve_person(&self, text: &str) -> Result<UserId, Fault> {
        if let Ok(id) = text.parse() {
            return Ok(id);
        }
        let unknown_person = || AppError::invalid("person", reason!("person_unknown"));
        let email = Email::parse(text).map_err(|_| unknown_person())?;
        let found = self.store.read().await?.find_user_by_email(email.key()).await?;
        Ok(found.ok_or_else(unknown_person)?.id)
    }
}

/// The start of a day in UTC, given as `2026-11-21`.
fn parse_day(field: &'static str, text: &str) -> Result<Option<Timestamp>, AppError> {
    if text.is_empty() {
        return Ok(None);
    }
    let date = || {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?.parse().ok()?, parts.next()?.parse::<u8>().ok()?, parts.next()?);
        let month = Month::try_from(month).ok()?;
        let date = Date::from_calendar_date(year, month, day.parse().ok()?).ok()?;
        // Years of four digits: all that our clock can show.
        (1970..=9999).contains(&date.year()).then_some(date).filter(|_| parts.next().is_none())
    };
    let date = date().ok_or_else(|| AppError::invalid(field, reason!("day_malformed")))?;
    Ok(Some(Timestamp::from_micros(date.midnight().assume_utc().unix_timestamp() * 1_000_000)))
}

fn to_entry(record: AuditRecord, texts: &Texts) -> AuditEntry {
    let AuditRecord { row, subject_id, actor_name, actor_email, subject_name, subject_email } = record;
    let named = |id: Option<UserId>, name: Option<String>, email: Option<String>| match (id, name, email) {
        (_, Some(name), Some(email)) => format!("{name} <{email}>"),
        (Some(id), ..) => t!(in texts, "mail.gone", id = &id.to_string()[..8]),
        _ => String::new(),
    };
    AuditEntry {
        actor: named(row.actor_id, actor_name, actor_email),
        subject: named(subject_id, subject_name, subject_email),
        activity: Activity {
            at: row.at,
            action: row.action,
            outcome: row.outcome,
            device: describe_device(texts, &row.user_agent),
            network: describe_network(texts, &row.address),
            by_another: row.actor_id.is_some() && row.actor_id != subject_id,
            detail: row.detail,
        },
    }
}

fn to_export_line(record: &AuditRecord) -> ExportLine<'_> {
    let AuditRecord { row, subject_id, actor_name, actor_email, subject_name, subject_email } = record;
    ExportLine {
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
    fn row_18_dates_are_validated() {
        assert_eq!(parse_day("from", "1970-01-02"), Ok(Some(Timestamp::from_micros(86_400_000_000))));
        assert_eq!(parse_day("from", ""), Ok(None));
        for bad in ["2026-13-01", "2026-02-30", "yesterday", "2026-11-21-1", "99999-01-01", "-1-01-01", "2026-11-21;--"]
        {
            assert!(parse_day("from", bad).is_err(), "{bad}");
        }
    }
}
