use leptos::{form::ActionForm, prelude::*};

use super::state::SettingsState;
use crate::{
    domain::Language,
    pages::{
        shell::ReaderTime,
        toolkit::{FormErrorOrConfirm, Section, SubmitButton, action_error, action_status, on_success},
    },
    server_fns::security::ChangeLocale,
};

/// How the person's pages are written.
#[component]
pub fn LocaleSection(
    /// What the page shows.
    state: SettingsState,
) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    let action = state.action::<ChangeLocale>();
    let error = action_error(action);
    let profile = state.now.with_untracked(|settings| settings.profile.clone());
    let language = RwSignal::new(profile.language);
    let zone_before = profile.time_zone.clone();
    on_success(action, move |()| clock.update(|clock| clock.language = language.get_untracked()));
    let choose = move |tag: String| language.set(Language::from_tag(&tag).unwrap_or_default());
    let languages = Language::ALL
        .into_iter()
        .map(|(language, tag, words)| {
            view! {
                <option value=tag selected=language == profile.language>
                    {words}
                </option>
            }
        })
        .collect_view();
    let zones = profile
        .zones
        .into_iter()
        .map(|zone| {
            let selected = zone == zone_before;
            let words = zone.replace('_', " ");
            view! {
                <option value=zone selected=selected>
                    {words}
                </option>
            }
        })
        .collect_view();
    view! {
        <Section
            id="locale"
            title="Language and time"
            sentence="How dates and times are written. The pages are in English; more languages will follow."
        >
            <ActionForm action>
                <div class="grid max-w-[360px] gap-5">
                    <FormErrorOrConfirm error id="locale-form-error" next="/settings#locale" />
                    <div>
                        <label class="label" for="language">
                            "Language"
                        </label>
                        <select
                            class="input"
                            id="language"
                            name="language"
                            on:change=move |event| choose(event_target_value(&event))
                        >
                            {languages}
                        </select>
                    </div>
                    <div>
                        <label class="label" for="time_zone">
                            "Time zone"
                        </label>
                        <select class="input" id="time_zone" name="time_zone">
                            <option value="">"As the browser says"</option>
                            {zones}
                        </select>
                        <p class="hint">"Another time zone shows on the next page."</p>
                    </div>
                    <SubmitButton
                        words="Save"
                        pending=action.pending()
                        status=action_status(action, "locale", "Saved.")
                    />
                </div>
            </ActionForm>
        </Section>
    }
    .into_any()
}
