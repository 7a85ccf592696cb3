use leptos::{form::ActionForm, prelude::*};

use super::state::SettingsState;
use crate::{
    domain::{RETENTION_DAYS, Retention},
    pages::{
        shell::ReaderTime,
        toolkit::{FormErrorOrConfirm, Section, SubmitButton, action_error, action_status},
    },
    server_fns::security::ChangeRetention,
};

/// When the person's chats are deleted by themselves.
#[component]
pub fn RetentionSection(
    /// What the page shows.
    state: SettingsState,
) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    let action = state.action::<ChangeRetention>();
    let rule = state.part(|settings| settings.retention);
    let Retention { days: chosen, everybodys, .. } = rule.get_untracked();
    let options = RETENTION_DAYS.map(|days| {
        view! {
            <option value=days selected=chosen == Some(days)>
                {after(days)}
            </option>
        }
    });
    view! {
        <Section
            id="retention"
            title="Keeping chats"
            sentence="Chats can delete themselves some time after their last message. Pinned chats stay."
        >
            <ActionForm action>
                <div class="grid max-w-[360px] gap-5">
                    <FormErrorOrConfirm error=action_error(action) id="retention-error" next="/settings#retention" />
                    <div>
                        <label class="label" for="days">
                            "Delete my chats"
                        </label>
                        <select class="input" id="days" name="days" aria-describedby="days-hint">
                            <option value="" selected=chosen.is_none()>
                                "Never"
                            </option>
                            {options}
                        </select>
                        <p class="hint" id="days-hint">
                            {move || match rule.get().from {
                                Some(from) => format!("Chats of that age are deleted from {} on.", clock.get().exact(from)),
                                None => "A change holds a day later, so that you can think again.".to_owned(),
                            }}
                        </p>
                        {everybodys
                            .map(|days| {
                                view! {
                                    <p class="hint">
                                        {format!(
                                            "Here all chats are deleted {}, pinned ones too. Whoever runs this installation has decided so.",
                                            after(days),
                                        )}
                                    </p>
                                }
                            })}
                    </div>
                    <SubmitButton
                        words="Save"
                        pending=action.pending()
                        status=action_status(action, "retention", "Saved.")
                    />
                </div>
            </ActionForm>
        </Section>
    }
    .into_any()
}

fn after(days: u32) -> String {
    match days {
        1 => "a day after their last message".to_owned(),
        365 => "a year after their last message".to_owned(),
        days => format!("{days} days after their last message"),
    }
}
