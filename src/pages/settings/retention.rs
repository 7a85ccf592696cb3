use leptos::{form::ActionForm, prelude::*};

use super::state::SettingsState;
use crate::{
    domain::{RETENTION_DAYS, Retention},
    pages::{
        shell::ReaderTime,
        toolkit::{AutoSave, FormErrorOrReauth, Section, action_error, action_status},
    },
    server_fns::security::ChangeRetention,
};

/// When the user's chats are deleted automatically.
#[component]
pub fn RetentionSection(
    /// The state of the page.
    state: SettingsState,
) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    let action = state.action::<ChangeRetention>();
    let rule = state.select(|settings| settings.retention);
    let Retention { days: chosen, installation_rule, .. } = rule.get_untracked();
    let options = RETENTION_DAYS.map(|days| {
        view! {
            <option value=days selected=chosen == Some(days)>
                {retention_text(days)}
            </option>
        }
    });
    view! {
        <Section
            id="retention"
            title=t!("settings.retention.title")
            sentence=t!("settings.retention.sentence")
        >
            <ActionForm action>
                <FormErrorOrReauth error=action_error(action) id="retention-error" next="/settings/data#retention" />
                <div class="setting">
                    <div class="min-w-0">
                        <label for="days">{t!("settings.retention.delete")}</label>
                        <p class="setting-about" id="days-hint">
                            {move || match rule.get().from {
                                Some(from) => t!("settings.retention.from", date = clock.get().exact(from)),
                                None => t!("settings.retention.think_again").to_owned(),
                            }}
                        </p>
                    </div>
                    <select
                        class="input setting-control"
                        id="days"
                        name="days"
                        aria-describedby="days-hint"
                        autocomplete="off"
                        data-save=""
                    >
                        <option value="" selected=chosen.is_none()>
                            {t!("settings.retention.never")}
                        </option>
                        {options}
                    </select>
                </div>
                {installation_rule.map(|days| view! { <p class="hint">{installation_retention_text(days)}</p> })}
                <AutoSave status=action_status(action, "retention", t!("settings.saved")) />
            </ActionForm>
        </Section>
    }
    .into_any()
}

fn retention_text(days: u32) -> String {
    match days {
        365 => t!("settings.retention.after_a_year").to_owned(),
        days => t!("settings.retention.after", count = days),
    }
}

fn installation_retention_text(days: u32) -> String {
    match days {
        365 => t!("settings.retention.everybodys_after_a_year").to_owned(),
        days => t!("settings.retention.everybodys_after", count = days),
    }
}
