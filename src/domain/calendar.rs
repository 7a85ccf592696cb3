//! Dates and times, and their localized formats.
//!
//! The format patterns are in the message catalogue, so that the server and the browser render exactly the same text.
//! Their own libraries would not, because they contain different versions of CLDR.

use super::Timestamp;
use crate::i18n::Texts;

/// A calendar date and time of day, without a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CivilDateTime {
    /// Days since 1970-01-01.
    pub day_number: i64,
    /// The year.
    pub year: i64,
    /// From 1 to 12.
    pub month: u8,
    /// From 1 to 31.
    pub day: i64,
    /// From 0 to 23.
    pub hour: i64,
    /// From 0 to 59.
    pub minute: i64,
    /// From 0 to 59.
    pub second: i64,
}

impl CivilDateTime {
    /// Converts a timestamp to local time with this UTC offset in minutes. The algorithm is from Howard Hinnant,
    /// "chrono-compatible low-level date algorithms".
    pub fn at(at: Timestamp, utc_offset_minutes: i32) -> Self {
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
        Self {
            day_number,
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: u8::try_from(month).unwrap_or(1),
            day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
            hour: of_day / 3_600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
        }
    }

    /// The localized name of the month.
    pub fn month_name(self, texts: &Texts) -> &'static str {
        texts.text(match self.month {
            1 => key!("time.month_1"),
            2 => key!("time.month_2"),
            3 => key!("time.month_3"),
            4 => key!("time.month_4"),
            5 => key!("time.month_5"),
            6 => key!("time.month_6"),
            7 => key!("time.month_7"),
            8 => key!("time.month_8"),
            9 => key!("time.month_9"),
            10 => key!("time.month_10"),
            11 => key!("time.month_11"),
            _ => key!("time.month_12"),
        })
    }

    /// Formats the day and the month.
    pub fn day(self, texts: &Texts) -> String {
        t!(in texts, "time.day", day = self.day, month = self.month_name(texts))
    }

    /// Formats the day, the month and the year.
    pub fn date(self, texts: &Texts) -> String {
        t!(in texts, "time.date", day = self.day, month = self.month_name(texts), year = self.year)
    }

    /// Formats the hour and the minute.
    pub fn time(self, texts: &Texts) -> String {
        let half = if self.hour < 12 { t!(in texts, "time.am") } else { t!(in texts, "time.pm") };
        let (hour, hour12) = (format!("{:02}", self.hour), (self.hour + 11) % 12 + 1);
        let minute = format!("{:02}", self.minute);
        t!(in texts, "time.clock", hour = hour, hour12 = hour12, minute = minute, half = half)
    }

    /// Formats the date, the hour and the minute.
    pub fn moment(self, texts: &Texts) -> String {
        t!(in texts, "time.moment", date = self.date(texts), time = self.time(texts))
    }
}
