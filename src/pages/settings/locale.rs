use leptos::{form::ActionForm, prelude::*, task::spawn_local};

use super::state::SettingsState;
use crate::{
    components::{ReaderClock, ReaderZone},
    domain::Profile,
    i18n::push_escaped,
    pages::{
        shell::{ReaderTime, reload_if_language_changed},
        toolkit::{AutoSave, FormErrorOrReauth, Section, action_error, action_status, on_success},
    },
    server_fns::{frame::load_frame, security::ChangeLocale},
};

/// The language and the time zone of the user.
#[component]
pub fn LocaleSection(
    /// The state of the page.
    state: SettingsState,
) -> impl IntoView {
    let action = state.action::<ChangeLocale>();
    let error = action_error(action);
    let Profile { language, languages, time_zone, zones, .. } =
        state.settings.with_untracked(|settings| settings.profile.clone());
    let chosen = RwSignal::new(language.clone());
    let clock = ReaderTime::expect().clock;
    on_success(action, move |()| {
        chosen.with_untracked(|tag| reload_if_language_changed(tag));
        apply_time_zone(clock);
    });
    let languages = languages
        .into_iter()
        .map(|(tag, name)| {
            let selected = tag == language;
            view! {
                <option value=tag.clone() lang=tag selected=selected>
                    {name}
                </option>
            }
        })
        .collect_view();
    let zones = zone_options(t!("settings.locale.browser_zone"), &zones, &time_zone);
    view! {
        <Section
            id="locale"
            title=t!("settings.locale.title")
            sentence=t!("settings.locale.sentence")
        >
            <ActionForm action>
                <FormErrorOrReauth error id="locale-form-error" next="/settings#locale" />
                <div class="setting">
                    <label for="language">{t!("settings.locale.language")}</label>
                    <select
                        class="input setting-control"
                        id="language"
                        name="language"
                        autocomplete="off"
                        data-save=""
                        on:change=move |event| chosen.set(event_target_value(&event))
                    >
                        {languages}
                    </select>
                </div>
                <div class="setting">
                    <label for="time_zone">{t!("settings.locale.time_zone")}</label>
                    <select
                        class="input setting-control"
                        id="time_zone"
                        name="time_zone"
                        autocomplete="off"
                        data-save=""
                        inner_html=zones
                    ></select>
                </div>
                <AutoSave status=action_status(action, "locale", t!("settings.saved")) />
            </ActionForm>
        </Section>
    }
    .into_any()
}

/// Shows all times of the page in the zone that was just chosen.
fn apply_time_zone(clock: RwSignal<ReaderClock>) {
    spawn_local(async move {
        // On failure it applies to the next page.
        if let Ok(frame) = load_frame().await {
            let zone = match frame.time_zone_chosen {
                true => ReaderZone::Known(frame.clock_changes.into()),
                false => ReaderZone::Browser,
            };
            clock.try_update(|clock| clock.zone = zone);
        }
    });
}

/// The options of the time zone as HTML: as views, the four hundred of them would be half of the page's cost. The names
/// have no characters that HTML escapes.
fn zone_options(automatic: &str, zones: &[String], chosen: &str) -> String {
    let mut html = "<option value=\"\">".to_owned();
    push_escaped(&mut html, automatic);
    html.push_str("</option>");
    for zone in zones {
        let selected = if zone == chosen { " selected" } else { "" };
        html.push_str(&format!("<option value=\"{zone}\"{selected}>{}</option>", zone.replace('_', " ")));
    }
    html
}
