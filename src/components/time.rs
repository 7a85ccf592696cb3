//! Times in words. Computed from the server's clock and the reader's time zone, so that both sides write the same.

use std::sync::Arc;

use leptos::prelude::*;

use super::browser;
use crate::domain::{ClockChange, Language, Timestamp};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// What the reader's clock shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderClock {
    /// Now, after the server's clock.
    pub now: Timestamp,
    /// Where it hangs.
    pub zone: ReaderZone,
    /// How dates and times are written.
    pub language: Language,
}

/// A time zone. Each moment has an offset of its own: a time of summer is told as of summer in winter too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReaderZone {
    /// As the server knows it, oldest change first. What the first one sets holds for all time before, too.
    Known(Arc<[ClockChange]>),
    /// The one that this browser is set to.
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

/// A moment on a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Civil {
    /// Days since 1970-01-01.
    day_number: i64,
    year: i64,
    /// From 1 to 12.
    month: usize,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

/// After Howard Hinnant, "chrono-compatible low-level date algorithms".
fn civil(at: Timestamp, utc_offset_minutes: i32) -> Civil {
    let seconds = at.micros().div_euclid(1_000_000) + i64::from(utc_offset_minutes) * 60;
    let day_number = seconds.div_euclid(86_400);
    let of_day = seconds.rem_euclid(86_400);
    let shifted = day_number + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    Civil {
        day_number,
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month: usize::try_from(month).unwrap_or(1),
        day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
        hour: of_day / 3_600,
        minute: of_day / 60 % 60,
        second: of_day % 60,
    }
}

fn month_name(month: usize) -> &'static str {
    MONTHS.get(month.wrapping_sub(1)).copied().unwrap_or_default()
}

impl ReaderClock {
    fn civil(&self, at: Timestamp) -> Civil {
        civil(at, self.zone.offset_minutes(at))
    }

    /// How long ago, within a week; after that the day.
    pub fn relative(&self, at: Timestamp) -> String {
        let seconds = (self.now.micros() - at.micros()).div_euclid(1_000_000);
        let (now, then) = (self.civil(self.now), self.civil(at));
        match (seconds, now.day_number - then.day_number) {
            (..60, _) => "Just now".to_owned(),
            (60..3_600, _) => ago(seconds / 60, "minute"),
            (_, 0) => ago(seconds / 3_600, "hour"),
            (_, 1) => format!("Yesterday, {}", self.time(then)),
            (_, days @ 2..7) => ago(days, "day"),
            _ if now.year == then.year => self.day(then),
            _ => self.date(then),
        }
    }

    /// In how long, within a day; after that the whole moment.
    pub fn ahead(&self, at: Timestamp) -> String {
        let seconds = (at.micros() - self.now.micros()).div_euclid(1_000_000);
        match seconds {
            ..60 => "in less than a minute".to_owned(),
            60..3_600 => format!("in {}", counted(seconds / 60, "minute")),
            3_600..86_400 => format!("in {}", counted(seconds / 3_600, "hour")),
            _ => format!("on {}", self.exact(at)),
        }
    }

    /// The whole moment, for hovering.
    pub fn exact(&self, at: Timestamp) -> String {
        let c = self.civil(at);
        format!("{}, {}", self.date(c), self.time(c))
    }

    fn day(&self, c: Civil) -> String {
        match self.language {
            Language::BritishEnglish => format!("{} {}", c.day, month_name(c.month)),
            Language::AmericanEnglish => format!("{} {}", month_name(c.month), c.day),
        }
    }

    fn date(&self, c: Civil) -> String {
        match self.language {
            Language::BritishEnglish => format!("{} {}", self.day(c), c.year),
            Language::AmericanEnglish => format!("{}, {}", self.day(c), c.year),
        }
    }

    fn time(&self, c: Civil) -> String {
        match self.language {
            Language::BritishEnglish => format!("{:02}:{:02}", c.hour, c.minute),
            Language::AmericanEnglish => {
                let half = if c.hour < 12 { "AM" } else { "PM" };
                format!("{}:{:02} {half}", (c.hour + 11) % 12 + 1, c.minute)
            }
        }
    }

    /// The heading under which a list shows something of this time.
    pub fn group(&self, at: Timestamp) -> String {
        let (now, then) = (self.civil(self.now), self.civil(at));
        match now.day_number - then.day_number {
            ..=0 => "Today".to_owned(),
            1 => "Yesterday".to_owned(),
            2..=7 => "Previous 7 days".to_owned(),
            _ if now.year == then.year => month_name(then.month).to_owned(),
            _ => format!("{} {}", month_name(then.month), then.year),
        }
    }
}

fn ago(count: i64, unit: &str) -> String {
    format!("{} ago", counted(count, unit))
}

fn counted(count: i64, unit: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{s}")
}

/// The form that machines read, in UTC.
pub fn iso(at: Timestamp) -> String {
    let c = civil(at, 0);
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second)
}

/// A time in words, exact on hover.
#[component]
pub fn TimeAgo(
    /// When it was.
    at: Timestamp,
    /// The reader's clock.
    #[prop(into)]
    clock: Signal<ReaderClock>,
) -> impl IntoView {
    view! {
        <time datetime=iso(at) title=move || clock.get().exact(at)>
            {move || clock.get().relative(at)}
        </time>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21T12:00:00Z, a Saturday.
    const NOON: Timestamp = Timestamp::from_micros(1_795_262_400_000_000);

    fn clock(utc_offset_minutes: i32) -> ReaderClock {
        let zone = ReaderZone::Known([ClockChange(0, utc_offset_minutes)].into());
        ReaderClock { now: NOON, zone, language: Language::BritishEnglish }
    }

    #[test]
    fn each_moment_has_the_offset_of_its_own_time() {
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
    fn days_follow_the_calendar() {
        assert_eq!(iso(NOON), "2026-11-21T12:00:00Z");
        assert_eq!(iso(Timestamp::from_micros(0)), "1970-01-01T00:00:00Z");
        assert_eq!(iso(Timestamp::from_micros(-1)), "1969-12-31T23:59:59Z");
        assert_eq!(iso(Timestamp::from_micros(951_782_400_000_000)), "2000-02-29T00:00:00Z");
        assert_eq!(iso(Timestamp::from_micros(1_709_251_199_000_000)), "2024-02-29T23:59:59Z");
    }

    #[test]
    fn times_are_relative_within_a_week() {
        let told = |seconds: i64| clock(0).relative(NOON.plus_seconds(-seconds));
        assert_eq!(told(-30), "Just now");
        assert_eq!(told(59), "Just now");
        assert_eq!(told(60), "1 minute ago");
        assert_eq!(told(59 * 60), "59 minutes ago");
        assert_eq!(told(3 * 3_600), "3 hours ago");
        assert_eq!(told(13 * 3_600), "Yesterday, 23:00");
        assert_eq!(told(3 * 86_400), "3 days ago");
        assert_eq!(told(10 * 86_400), "11 November");
        assert_eq!(told(400 * 86_400), "17 October 2025");
    }

    #[test]
    fn times_to_come_are_relative_within_a_day() {
        let told = |seconds: i64| clock(0).ahead(NOON.plus_seconds(seconds));
        assert_eq!(told(-5), "in less than a minute");
        assert_eq!(told(59), "in less than a minute");
        assert_eq!(told(60), "in 1 minute");
        assert_eq!(told(3_599), "in 59 minutes");
        assert_eq!(told(7_200), "in 2 hours");
        assert_eq!(told(86_400), "on 22 November 2026, 12:00");
    }

    #[test]
    fn a_day_begins_where_the_reader_is() {
        let late = NOON.plus_seconds(-11 * 3_600);
        assert_eq!(clock(0).group(late), "Today");
        assert_eq!(clock(-120).group(late), "Yesterday");
        assert_eq!(clock(0).exact(late), "21 November 2026, 01:00");
        assert_eq!(clock(330).exact(late), "21 November 2026, 06:30");
    }

    #[test]
    fn americans_read_months_first_and_twice_twelve_hours() {
        let american = ReaderClock { language: Language::AmericanEnglish, ..clock(0) };
        let told = |hours: i64| american.relative(NOON.plus_seconds(-hours * 3_600));
        assert_eq!(told(13), "Yesterday, 11:00 PM");
        assert_eq!(told(10 * 24), "November 11");
        assert_eq!(told(400 * 24), "October 17, 2025");
        assert_eq!(american.exact(NOON), "November 21, 2026, 12:00 PM");
        assert_eq!(american.exact(NOON.plus_seconds(-12 * 3_600)), "November 21, 2026, 12:00 AM");
        assert_eq!(american.exact(NOON.plus_seconds(61 * 60)), "November 21, 2026, 1:01 PM");
    }

    #[test]
    fn groups_go_from_days_to_months() {
        let group = |days: i64| clock(0).group(NOON.plus_seconds(-days * 86_400));
        assert_eq!(group(-1), "Today");
        assert_eq!(group(1), "Yesterday");
        assert_eq!(group(7), "Previous 7 days");
        assert_eq!(group(8), "November");
        assert_eq!(group(40), "October");
        assert_eq!(group(365), "November 2025");
    }
}
