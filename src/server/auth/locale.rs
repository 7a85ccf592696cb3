//! How a person's pages are written: language and time zone.

use jiff::tz::{TimeZone, db};

use super::{Accounts, Caller, Origin};
use crate::{
    domain::{AppError, AuditAction, Language, Profile, Timestamp, UserId},
    server::{fault::Fault, store::ProfileRow},
};

/// What a person chose.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    /// How dates and times are written.
    pub language: Language,
    /// The name of the time zone; `None` for what the browser says.
    pub time_zone: Option<String>,
    /// The version of the picture; 0 where there is none.
    pub picture: i64,
}

impl Chosen {
    /// Minutes to add to UTC in the chosen time zone at this moment.
    pub fn utc_offset_minutes(&self, now: Timestamp) -> Option<i32> {
        let zone = TimeZone::get(self.time_zone.as_deref()?).ok()?;
        let now = jiff::Timestamp::from_microsecond(now.micros()).ok()?;
        Some(zone.to_offset(now).seconds() / 60)
    }
}

impl From<ProfileRow> for Chosen {
    fn from(row: ProfileRow) -> Self {
        Self {
            language: Language::from_tag(&row.language).unwrap_or_default(),
            time_zone: row.time_zone,
            picture: row.picture.unwrap_or_default(),
        }
    }
}

impl Accounts {
    /// What somebody chose for their pages.
    ///
    /// # Errors
    /// As the database says.
    pub async fn chosen(&self, user: UserId) -> Result<Chosen, Fault> {
        Ok(self.store.read().await?.find_profile(user).await?.map(Chosen::from).unwrap_or_default())
    }

    /// The same for the caller's settings, with what there is to choose from.
    ///
    /// # Errors
    /// As the database says.
    pub async fn profile(&self, caller: &Caller) -> Result<Profile, Fault> {
        let Chosen { language, time_zone, picture } = self.chosen(caller.user.id).await?;
        Ok(Profile { language, time_zone: time_zone.unwrap_or_default(), zones: zones(), picture })
    }

    /// Gives the caller's pages another language, by its tag, and another time zone, by its name; empty for what the
    /// browser says.
    ///
    /// # Errors
    /// `Invalid` on `language` or `time_zone`.
    pub async fn change_locale(
        &self,
        caller: &Caller,
        tag: &str,
        time_zone: &str,
        origin: &Origin,
    ) -> Result<(), Fault> {
        let unknown = |field, words| AppError::invalid(field, words);
        let language =
            Language::from_tag(tag).ok_or_else(|| unknown("language", "Choose a language from the list."))?;
        let time_zone = Some(time_zone).filter(|name| !name.is_empty());
        if time_zone.is_some_and(|name| zones().binary_search_by(|known| known.as_str().cmp(name)).is_err()) {
            return Err(unknown("time_zone", "Choose a time zone from the list.").into());
        }
        let user = caller.user.id;
        let mut tx = self.store.write().await?;
        tx.update_locale(user, language.tag(), time_zone).await?;
        let detail = format!("{}, {}", language.tag(), time_zone.unwrap_or("as the browser says"));
        origin.note_of(&mut tx, &self.clock, user, AuditAction::ChangeLocale, &detail).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// The names of time zones as people know them, `Area/City`, in order.
fn zones() -> Vec<String> {
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
    let mut zones: Vec<String> = known.filter(|name| AREAS.iter().any(|area| name.starts_with(area))).collect();
    zones.sort_unstable();
    zones
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_know_summer_and_winter() {
        let chosen = |zone: &str| Chosen { time_zone: Some(zone.to_owned()), ..Chosen::default() };
        let winter = Timestamp::from_micros(1_795_262_400_000_000);
        let summer = winter.plus_seconds(-150 * 86_400);
        let offsets = |zone: &str| [winter, summer].map(|at| chosen(zone).utc_offset_minutes(at));
        assert_eq!(offsets("Europe/Berlin"), [Some(60), Some(120)]);
        assert_eq!(offsets("Asia/Kolkata"), [Some(330), Some(330)]);
        assert_eq!(offsets("Nowhere/Land"), [None, None]);
        assert_eq!(Chosen::default().utc_offset_minutes(winter), None);
        assert!(zones().len() > 300 && zones().is_sorted(), "{}", zones().len());
    }
}
