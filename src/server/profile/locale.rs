//! Locale settings of a user: language and time zone.

use std::sync::LazyLock;

use jiff::tz::{Offset, TimeZone, db};

use super::Profiles;
use crate::{
    domain::{AppError, AuditAction, ClockChange, Profile, Timestamp, UserId},
    i18n::Language,
    server::{
        audit::RequestMeta,
        auth::Caller,
        fault::Fault,
        store::{ProfileRow, Tx},
    },
};

/// The user's preferences.
#[derive(Debug, Clone, Default)]
pub struct Preferences {
    /// The language of pages and mails.
    pub language: Language,
    /// The name of the time zone; `None` to use the browser's.
    pub time_zone: Option<String>,
    /// The version of the picture; 0 if there is none.
    pub picture: i64,
}

impl Preferences {
    /// The time zone that the user has chosen; `None` if they chose none or it no longer exists.
    pub fn zone(&self) -> Option<ReaderTimeZone> {
        self.time_zone.as_deref().and_then(ReaderTimeZone::from_name)
    }
}

/// The first second of the year 2000. Nothing that pages show is older.
const EARLIEST_SECOND: i64 = 946_684_800;
/// How long a page may stay open, in seconds. Clock changes within that time are sent with the page.
const MAX_PAGE_AGE_SECONDS: i64 = 366 * 86_400;
/// Maximum offset from UTC, in minutes.
const MAX_OFFSET_MINUTES: i32 = 14 * 60;

/// The time zone of the reader; UTC by default.
#[derive(Debug, Clone)]
pub struct ReaderTimeZone(TimeZone);

impl Default for ReaderTimeZone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl ReaderTimeZone {
    /// The time zone with this name. A number is an offset from UTC in minutes, as browsers used to send it. `None` if
    /// there is no such zone.
    pub fn from_name(name: &str) -> Option<Self> {
        let zone = match name.parse::<i32>() {
            Ok(minutes) => {
                let minutes =
                    Some(minutes).filter(|minutes| (-MAX_OFFSET_MINUTES..=MAX_OFFSET_MINUTES).contains(minutes))?;
                TimeZone::fixed(Offset::from_seconds(minutes * 60).ok()?)
            }
            Err(_) => TimeZone::get(name).ok()?,
        };
        Some(Self(zone))
    }

    /// The offset from UTC at this time, in minutes.
    pub fn offset_minutes(&self, at: Timestamp) -> i32 {
        let at = jiff::Timestamp::from_microsecond(at.micros()).unwrap_or_default();
        self.0.to_offset(at).seconds() / 60
    }

    /// The clock changes (UTC offsets) of the zone from the year 2000 until a year from now, oldest first.
    pub fn changes(&self, now: Timestamp) -> Vec<ClockChange> {
        let first = Timestamp::from_micros(EARLIEST_SECOND * 1_000_000);
        let mut changes = vec![ClockChange(EARLIEST_SECOND, self.offset_minutes(first))];
        let Ok(begin) = jiff::Timestamp::from_second(EARLIEST_SECOND) else { return changes };
        let end = now.millis() / 1_000 + MAX_PAGE_AGE_SECONDS;
        for next in self.0.following(begin).take_while(|next| next.timestamp().as_second() <= end) {
            let minutes = next.offset().seconds() / 60;
            // Some transitions only change the zone's abbreviation.
            if changes.last().is_some_and(|last| last.1 != minutes) {
                changes.push(ClockChange(next.timestamp().as_second(), minutes));
            }
        }
        changes
    }
}

impl From<ProfileRow> for Preferences {
    fn from(row: ProfileRow) -> Self {
        Self {
            language: Language::from_tag(&row.language).unwrap_or_default(),
            time_zone: row.time_zone,
            picture: row.picture.unwrap_or_default(),
        }
    }
}

impl Profiles {
    /// The preferences of a user.
    pub async fn preferences(&self, user: UserId) -> Result<Preferences, Fault> {
        self.preferences_in(&mut self.store.read().await?, user).await
    }

    /// Like [`Profiles::preferences`], in a unit of work of the page that shows them.
    pub async fn preferences_in(&self, tx: &mut Tx, user: UserId) -> Result<Preferences, Fault> {
        Ok(tx.owned_by(user).find_profile().await?.map(Preferences::from).unwrap_or_default())
    }

    /// The caller's preferences, with the options to choose from.
    pub async fn profile(&self, tx: &mut Tx, caller: &Caller) -> Result<Profile, Fault> {
        let Preferences { language, time_zone, picture } = self.preferences_in(tx, caller.user.id).await?;
        let languages =
            Language::all().map(|language| (language.tag().to_owned(), language.name().to_owned())).collect();
        let (language, time_zone) = (language.tag().to_owned(), time_zone.unwrap_or_default());
        Ok(Profile { language, languages, time_zone, zones: time_zone_names().to_vec(), picture })
    }

    /// Changes the caller's language, by its tag, and time zone, by its name; an empty time zone means the browser's.
    ///
    /// # Errors
    /// `Invalid` on `language` or `time_zone`.
    pub async fn change_locale(
        &self,
        caller: &Caller,
        tag: &str,
        time_zone: &str,
        meta: &RequestMeta,
    ) -> Result<(), Fault> {
        let language =
            Language::from_tag(tag).ok_or_else(|| AppError::invalid("language", reason!("language_unknown")))?;
        let time_zone = Some(time_zone).filter(|name| !name.is_empty());
        if time_zone.is_some_and(|name| time_zone_names().binary_search_by(|known| known.as_str().cmp(name)).is_err()) {
            return Err(AppError::invalid("time_zone", reason!("time_zone_unknown")).into());
        }
        let user = caller.user.id;
        let mut tx = self.store.write().await?;
        tx.owned_by(user).update_locale(language.tag(), time_zone).await?;
        let detail = format!("{}, {}", language.tag(), time_zone.unwrap_or("automatic"));
        meta.record_own_with_detail(&mut tx, &self.clock, user, AuditAction::ChangeLocale, &detail).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// The names of the selectable time zones, `Area/City`, sorted.
fn time_zone_names() -> &'static [String] {
    static NAMES: LazyLock<Vec<String>> = LazyLock::new(read_time_zone_names);
    &NAMES
}

fn read_time_zone_names() -> Vec<String> {
    const AREAS: [&str; 10] = [
        "Africa/",
        "America/",
        "Antarctica/",
        "Arctic/",
        "Asia/",
        "Atlantic/",
        "Australia/",
        "Europe/",
        "Indian/",
        "Pacific/",
    ];
    let known = db().available().map(|name| name.as_str().to_owned());
    let is_plain = |name: &String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte));
    let is_place = |name: &String| AREAS.iter().any(|area| name.starts_with(area));
    // The settings page relies on plain names.
    let mut zones: Vec<String> = known.filter(|name| is_plain(name) && is_place(name)).collect();
    zones.sort_unstable();
    zones
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::{ReaderClock, ReaderZone};

    /// 2026-11-21T12:00:00Z.
    const NOON: Timestamp = Timestamp::from_micros(1_795_262_400_000_000);

    fn at(moment: &str) -> Timestamp {
        let moment: jiff::Timestamp = moment.parse().expect("a moment");
        Timestamp::from_micros(moment.as_microsecond())
    }

    /// The reader's clock in a zone, as sent with a page at this time.
    fn clock(zone: &str, now: Timestamp) -> ReaderClock {
        let zone = ReaderTimeZone::from_name(zone).expect("a zone").changes(now);
        ReaderClock { now, zone: ReaderZone::Known(zone.into()) }
    }

    #[test]
    fn unknown_time_zones_are_refused() {
        for known in ["Europe/Berlin", "europe/berlin", "Asia/Calcutta", "UTC", "Etc/GMT+5", "60", "-840", "330"] {
            assert!(ReaderTimeZone::from_name(known).is_some(), "{known}");
        }
        let long = "x".repeat(10_000);
        for strange in ["", "garbage", "Nowhere/Land", "../", "841", "-99999999999999999999", "NaN", "\0", &long] {
            assert!(ReaderTimeZone::from_name(strange).is_none(), "{strange}");
        }
        assert_eq!(
            ReaderTimeZone::from_name("330").map(|zone| zone.changes(NOON)),
            Some(vec![ClockChange(EARLIEST_SECOND, 330)])
        );
        assert_eq!(ReaderTimeZone::default().changes(NOON), [ClockChange(EARLIEST_SECOND, 0)]);
        assert!(Preferences::default().zone().is_none());
        assert!(time_zone_names().len() > 300 && time_zone_names().is_sorted(), "{}", time_zone_names().len());
    }

    #[test]
    fn timestamps_use_the_offset_of_their_own_date() {
        for (zone, moment, expected) in [
            // Read in winter, written in summer, and at the end of a day.
            ("Europe/Berlin", "2026-07-01T22:30:00Z", "2 July 2026, 00:30"),
            ("Europe/Berlin", "2026-11-20T22:30:00Z", "20 November 2026, 23:30"),
            ("Europe/Berlin", "2027-07-01T22:30:00Z", "2 July 2027, 00:30"),
            ("Europe/Berlin", "2001-07-01T22:30:00Z", "2 July 2001, 00:30"),
            // The day of the clock change, before and after it.
            ("Europe/Berlin", "2026-10-25T00:59:59Z", "25 October 2026, 02:59"),
            ("Europe/Berlin", "2026-10-25T01:00:00Z", "25 October 2026, 02:00"),
            ("Europe/Berlin", "2026-03-29T00:59:59Z", "29 March 2026, 01:59"),
            ("Europe/Berlin", "2026-03-29T01:00:00Z", "29 March 2026, 03:00"),
            ("America/New_York", "2026-07-02T03:30:00Z", "1 July 2026, 23:30"),
            ("America/New_York", "2026-01-02T04:30:00Z", "1 January 2026, 23:30"),
            // Southern hemisphere: summer in January.
            ("America/Santiago", "2026-01-02T02:30:00Z", "1 January 2026, 23:30"),
            ("America/Santiago", "2026-07-02T03:30:00Z", "1 July 2026, 23:30"),
            ("Australia/Sydney", "2026-01-01T13:30:00Z", "2 January 2026, 00:30"),
            ("Australia/Sydney", "2026-07-01T13:30:00Z", "1 July 2026, 23:30"),
            // A clock change of half an hour.
            ("Australia/Lord_Howe", "2026-01-01T13:15:00Z", "2 January 2026, 00:15"),
            ("Australia/Lord_Howe", "2026-07-01T13:15:00Z", "1 July 2026, 23:45"),
            // Daylight saving time abolished, and a permanent change of the offset.
            ("America/Sao_Paulo", "2018-12-31T23:00:00Z", "31 December 2018, 21:00"),
            ("America/Sao_Paulo", "2026-01-01T02:30:00Z", "31 December 2025, 23:30"),
            ("Europe/Istanbul", "2015-12-31T22:30:00Z", "1 January 2016, 00:30"),
            ("Europe/Istanbul", "2025-12-31T21:30:00Z", "1 January 2026, 00:30"),
            ("Asia/Kolkata", "2026-07-01T18:30:00Z", "2 July 2026, 00:00"),
            ("Africa/Casablanca", "2026-03-01T23:30:00Z", "1 March 2026, 23:30"),
            ("UTC", "2026-07-01T22:30:00Z", "1 July 2026, 22:30"),
        ] {
            assert_eq!(clock(zone, NOON).exact(at(moment)), expected, "{zone} {moment}");
        }
    }

    #[test]
    fn day_boundaries_use_the_offset_of_their_own_date() {
        let describe = |zone: &str, now: &str, then: &str| {
            let clock = clock(zone, at(now));
            (clock.relative(at(then)), clock.group_heading(at(then)))
        };
        let words = |relative: &str, group: &str| (relative.to_owned(), group.to_owned());
        let berlin = |now, then| describe("Europe/Berlin", now, then);
        assert_eq!(berlin("2026-11-21T12:00:00Z", "2026-07-31T22:30:00Z"), words("1 August", "August"));
        // Midnight before the clocks went back was at 22:00Z; the next midnight is at 23:00Z.
        assert_eq!(berlin("2026-10-25T12:00:00Z", "2026-10-24T22:30:00Z"), words("13 hours ago", "Today"));
        assert_eq!(berlin("2026-10-25T12:00:00Z", "2026-10-24T21:30:00Z"), words("yesterday, 23:30", "Yesterday"));
        assert_eq!(berlin("2026-10-26T12:00:00Z", "2026-10-25T22:30:00Z"), words("yesterday, 23:30", "Yesterday"));
        assert_eq!(berlin("2026-10-26T12:00:00Z", "2026-10-24T21:30:00Z"), words("2 days ago", "Previous 7 days"));
        // When they go forward, it is the other way round.
        assert_eq!(berlin("2026-03-30T12:00:00Z", "2026-03-29T21:59:00Z"), words("yesterday, 23:59", "Yesterday"));
        assert_eq!(berlin("2026-03-30T12:00:00Z", "2026-03-28T22:59:00Z"), words("2 days ago", "Previous 7 days"));
        assert_eq!(
            describe("Australia/Lord_Howe", "2026-04-05T12:00:00Z", "2026-04-04T13:15:00Z"),
            words("22 hours ago", "Today")
        );
    }

    #[test]
    fn clock_changes_are_few_and_sorted() {
        for zone in time_zone_names() {
            let zone_changes = ReaderTimeZone::from_name(zone).expect("a zone").changes(NOON);
            assert!(zone_changes.len() <= 128, "{zone} {}", zone_changes.len());
            assert!(zone_changes.is_sorted_by(|one, next| one.0 < next.0 && one.1 != next.1), "{zone}");
        }
    }
}
