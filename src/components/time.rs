//! Times as text. Computed from the server's clock and the reader's time zone, so that server and browser render the
//! same.

use std::sync::Arc;

use leptos::prelude::*;

use super::browser;
use crate::{
    domain::{CivilDateTime, ClockChange, Timestamp},
    i18n,
};

/// The current time and the time zone of the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderClock {
    /// The current time by the server's clock.
    pub now: Timestamp,
    /// The reader's time zone.
    pub zone: ReaderZone,
}

/// A time zone. The offset depends on the moment: a time in summer is shown with the summer offset in winter too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReaderZone {
    /// The zone as the server knows it: its clock changes, oldest first. The offset of the first one also applies to
    /// all earlier times.
    Known(Arc<[ClockChange]>),
    /// The time zone of this browser.
    Browser,
}

impl ReaderZone {
    fn offset_minutes(&self, at: Timestamp) -> i32 {
        match self {
            Self::Known(changes) => {
                let seconds = at.micros().div_euclid(1_000_000);
                let last = changes.iter().rfind(|change| change.0 <= seconds).or(changes.first());
                last.map_or(0, |change| change.1)
            }
            Self::Browser => browser::utc_offset_minutes(at),
        }
    }
}

impl ReaderClock {
    fn civil(&self, at: Timestamp) -> CivilDateTime {
        CivilDateTime::at(at, self.zone.offset_minutes(at))
    }

    /// The hour of the day, from 0 to 23.
    pub fn hour(&self) -> i64 {
        self.civil(self.now).hour
    }

    /// A time in the past: relative within a week, otherwise the date.
    pub fn relative(&self, at: Timestamp) -> String {
        let seconds = (self.now.micros() - at.micros()).div_euclid(1_000_000);
        let (now, then, texts) = (self.civil(self.now), self.civil(at), i18n::current());
        match (seconds, now.day_number - then.day_number) {
            (..60, _) => t!("time.just_now").to_owned(),
            (60..3_600, _) => t!("time.minutes_ago", count = seconds / 60),
            (_, 0) => t!("time.hours_ago", count = seconds / 3_600),
            (_, 1) => t!("time.yesterday_at", time = then.time(texts)),
            (_, days @ 2..7) => t!("time.days_ago", count = days),
            _ if now.year == then.year => then.day(texts),
            _ => then.date(texts),
        }
    }

    /// A time in the future: relative within a month, otherwise date and time.
    pub fn relative_future(&self, at: Timestamp) -> String {
        let seconds = (at.micros() - self.now.micros()).div_euclid(1_000_000);
        match seconds {
            ..60 => t!("time.in_less_than_a_minute").to_owned(),
            60..3_600 => t!("time.in_minutes", count = seconds / 60),
            3_600..86_400 => t!("time.in_hours", count = seconds / 3_600),
            // To the nearest day: just after it was said to be in 7 days, it is.
            86_400..2_592_000 => t!("time.in_days", count = (seconds + 43_200) / 86_400),
            _ => t!("time.on", moment = self.exact(at)),
        }
    }

    /// Date and time in full, for tooltips.
    pub fn exact(&self, at: Timestamp) -> String {
        self.civil(at).moment(i18n::current())
    }

    /// The heading of a day in a log.
    pub fn day_heading(&self, at: Timestamp) -> String {
        let (now, then) = (self.civil(self.now), self.civil(at));
        match now.day_number - then.day_number {
            ..=1 => self.group_heading(at),
            _ if now.year == then.year => then.day(i18n::current()),
            _ => then.date(i18n::current()),
        }
    }

    /// A time in the past, below the heading of its day: relative on the current day, otherwise the time of day.
    pub fn within_day(&self, at: Timestamp) -> String {
        let (now, then) = (self.civil(self.now), self.civil(at));
        if now.day_number > then.day_number { then.time(i18n::current()) } else { self.relative(at) }
    }

    /// The heading under which a list shows an entry of this time.
    pub fn group_heading(&self, at: Timestamp) -> String {
        let (now, then) = (self.civil(self.now), self.civil(at));
        let month = || then.month_name(i18n::current());
        match now.day_number - then.day_number {
            ..=0 => t!("time.today").to_owned(),
            1 => t!("time.yesterday").to_owned(),
            2..=7 => t!("time.previous_week").to_owned(),
            _ if now.year == then.year => month().to_owned(),
            _ => t!("time.month_of_year", month = month(), year = then.year),
        }
    }
}

/// The time in ISO 8601 format, in UTC.
fn iso(at: Timestamp) -> String {
    let c = CivilDateTime::at(at, 0);
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second)
}

/// How [`TimeText`] shows a time.
pub type TimeFormat = fn(&ReaderClock, Timestamp) -> String;

/// A time as text, with the exact one as a tooltip.
#[component]
pub fn TimeText(
    /// The time to show.
    at: Timestamp,
    /// The reader's clock.
    #[prop(into)]
    clock: Signal<ReaderClock>,
    /// The text.
    format: TimeFormat,
) -> impl IntoView {
    view! {
        <time datetime=iso(at) title=move || clock.with(|clock| clock.exact(at))>
            {move || clock.with(|clock| format(clock, at))}
        </time>
    }
    .into_any()
}

/// A time in the past, relative to now.
#[component]
pub fn TimeAgo(
    /// The time to show.
    at: Timestamp,
    /// The reader's clock.
    #[prop(into)]
    clock: Signal<ReaderClock>,
) -> impl IntoView {
    view! { <TimeText at clock format=ReaderClock::relative /> }
}

/// A time in the future, relative to now.
#[component]
pub fn TimeUntil(
    /// The time to show.
    at: Timestamp,
    /// The reader's clock.
    #[prop(into)]
    clock: Signal<ReaderClock>,
) -> impl IntoView {
    view! { <TimeText at clock format=ReaderClock::relative_future /> }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21T12:00:00Z, a Saturday.
    const NOON: Timestamp = Timestamp::from_micros(1_795_262_400_000_000);

    fn clock(utc_offset_minutes: i32) -> ReaderClock {
        let zone = ReaderZone::Known([ClockChange(0, utc_offset_minutes)].into());
        ReaderClock { now: NOON, zone }
    }

    #[test]
    fn the_offset_depends_on_the_moment() {
        // Clocks go forward at 1,000 s and back at 2,000 s.
        let changes = [ClockChange(0, 60), ClockChange(1_000, 120), ClockChange(2_000, 60)];
        let zone = ReaderZone::Known(changes.into());
        let offset = |seconds: i64| zone.offset_minutes(Timestamp::from_micros(seconds * 1_000_000));
        for (seconds, minutes) in [(-5, 60), (0, 60), (999, 60), (1_000, 120), (1_999, 120), (2_000, 60), (9_999, 60)] {
            assert_eq!(offset(seconds), minutes, "{seconds}");
        }
        assert_eq!(zone.offset_minutes(Timestamp::from_micros(999_999_999)), 60);
        assert_eq!(ReaderZone::Known(Arc::from([])).offset_minutes(NOON), 0);
    }

    #[test]
    fn iso_timestamps_follow_the_calendar() {
        assert_eq!(iso(NOON), "2026-11-21T12:00:00Z");
        assert_eq!(iso(Timestamp::from_micros(0)), "1970-01-01T00:00:00Z");
        assert_eq!(iso(Timestamp::from_micros(-1)), "1969-12-31T23:59:59Z");
        assert_eq!(iso(Timestamp::from_micros(951_782_400_000_000)), "2000-02-29T00:00:00Z");
        assert_eq!(iso(Timestamp::from_micros(1_709_251_199_000_000)), "2024-02-29T23:59:59Z");
    }

    #[test]
    fn times_are_relative_within_a_week() {
        let text = |seconds: i64| clock(0).relative(NOON.plus_seconds(-seconds));
        assert_eq!(text(-30), "just now");
        assert_eq!(text(59), "just now");
        assert_eq!(text(60), "1 minute ago");
        assert_eq!(text(59 * 60), "59 minutes ago");
        assert_eq!(text(3 * 3_600), "3 hours ago");
        assert_eq!(text(13 * 3_600), "yesterday, 23:00");
        assert_eq!(text(3 * 86_400), "3 days ago");
        assert_eq!(text(10 * 86_400), "11 November");
        assert_eq!(text(400 * 86_400), "17 October 2025");
    }

    #[test]
    fn future_times_are_relative_within_a_month() {
        let text = |seconds: i64| clock(0).relative_future(NOON.plus_seconds(seconds));
        assert_eq!(text(-5), "in less than a minute");
        assert_eq!(text(59), "in less than a minute");
        assert_eq!(text(60), "in 1 minute");
        assert_eq!(text(3_599), "in 59 minutes");
        assert_eq!(text(7_200), "in 2 hours");
        assert_eq!(text(86_400), "in 1 day");
        assert_eq!(text(7 * 86_400 - 5), "in 7 days");
        assert_eq!(text(30 * 86_400), "on 21 December 2026, 12:00");
    }

    #[test]
    fn days_start_in_the_time_zone_of_the_reader() {
        let earlier = NOON.plus_seconds(-11 * 3_600);
        assert_eq!(clock(0).group_heading(earlier), "Today");
        assert_eq!(clock(-120).group_heading(earlier), "Yesterday");
        assert_eq!(clock(0).exact(earlier), "21 November 2026, 01:00");
        assert_eq!(clock(330).exact(earlier), "21 November 2026, 06:30");
        assert_eq!((clock(0).hour(), clock(-780).hour(), clock(720).hour()), (12, 23, 0));
    }

    #[test]
    #[cfg(feature = "ssr")]
    fn dates_and_times_follow_the_language() {
        let text = |tag: &str, hours: i64| {
            let owner = Owner::new();
            owner.set();
            provide_context(i18n::Language::from_tag(tag).expect("a language"));
            let at = NOON.plus_seconds(-hours * 3_600);
            (clock(0).relative(at), clock(0).exact(at), clock(0).group_heading(at))
        };
        let expected =
            |relative: &str, exact: &str, group_heading: &str| (relative.into(), exact.into(), group_heading.into());
        assert_eq!(text("en-US", 13), expected("yesterday, 11:00 PM", "November 20, 2026, 11:00 PM", "Yesterday"));
        assert_eq!(text("en-US", 240), expected("November 11", "November 11, 2026, 12:00 PM", "November"));
        assert_eq!(text("en-US", 12), expected("12 hours ago", "November 21, 2026, 12:00 AM", "Today"));
        assert_eq!(text("de", 1), expected("vor 1 Stunde", "21. November 2026, 11:00", "Heute"));
        assert_eq!(text("de", 13), expected("gestern, 23:00", "20. November 2026, 23:00", "Gestern"));
        assert_eq!(text("de", 240), expected("11. November", "11. November 2026, 12:00", "November"));
        assert_eq!(text("de", 9_600), expected("17. Oktober 2025", "17. Oktober 2025, 12:00", "Oktober 2025"));
    }

    #[test]
    fn a_log_has_days_with_times() {
        let entry = |hours: i64| {
            let at = NOON.plus_seconds(-hours * 3_600);
            (clock(0).day_heading(at), clock(0).within_day(at))
        };
        let expected = |day: &str, time: &str| (day.to_owned(), time.to_owned());
        assert_eq!(entry(-1), expected("Today", "just now"), "the clocks of two servers differ");
        assert_eq!(entry(12), expected("Today", "12 hours ago"));
        assert_eq!(entry(13), expected("Yesterday", "23:00"));
        assert_eq!(entry(37), expected("19 November", "23:00"));
        assert_eq!(entry(9_600), expected("17 October 2025", "12:00"));
        let (auckland, earlier) = (clock(780), NOON.plus_seconds(-2 * 3_600));
        assert_eq!((auckland.day_heading(earlier), auckland.within_day(earlier)), expected("Yesterday", "23:00"));
    }

    #[test]
    fn group_headings_change_from_days_to_months() {
        let group_heading = |days: i64| clock(0).group_heading(NOON.plus_seconds(-days * 86_400));
        assert_eq!(group_heading(-1), "Today");
        assert_eq!(group_heading(1), "Yesterday");
        assert_eq!(group_heading(7), "Previous 7 days");
        assert_eq!(group_heading(8), "November");
        assert_eq!(group_heading(40), "October");
        assert_eq!(group_heading(365), "November 2025");
    }
}
