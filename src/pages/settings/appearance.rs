//! `/settings/appearance`: how pages look in this browser.

use leptos::prelude::*;

use super::layout::SettingsLayout;
use crate::{
    components::{AppearanceChoice, ThemeSwitch, document_appearance},
    domain::{Appearance, EnterKey, TextSize},
    pages::toolkit::RowSection,
};

/// The theme, the size of texts, and the Enter key. Nothing is loaded: the browser stores the choices.
#[component]
pub fn AppearancePage() -> impl IntoView {
    let Appearance { text_size, enter, .. } = document_appearance();
    let sizes = vec![
        (TextSize::Small.word(), t!("settings.appearance.small")),
        (TextSize::Normal.word(), t!("settings.appearance.normal")),
        (TextSize::Large.word(), t!("settings.appearance.large")),
        (TextSize::Larger.word(), t!("settings.appearance.larger")),
    ];
    let keys = vec![
        (EnterKey::Send.word(), t!("settings.appearance.enter_sends")),
        (EnterKey::NewLine.word(), t!("settings.appearance.enter_breaks")),
    ];
    view! {
        <SettingsLayout path="/settings/appearance" title=t!("settings.page.appearance")>
            <div class="settings-card">
                <RowSection id="theme" title=t!("settings.appearance.theme") sentence=t!("settings.appearance.theme_about")>
                    <ThemeSwitch />
                </RowSection>
                <RowSection
                    id="text-size"
                    title=t!("settings.appearance.text_size")
                    sentence=t!("settings.appearance.text_size_about")
                >
                    <AppearanceChoice
                        name="text"
                        label=t!("settings.appearance.text_size")
                        options=sizes
                        chosen=text_size.word()
                    />
                </RowSection>
                <RowSection id="enter" title=t!("settings.appearance.enter") sentence=t!("settings.appearance.enter_about")>
                    <AppearanceChoice
                        name="enter"
                        label=t!("settings.appearance.enter")
                        options=keys
                        chosen=enter.word()
                    />
                </RowSection>
            </div>
            <p class="mt-3 text-label text-ink-soft">{t!("settings.appearance.this_browser")}</p>
            // `src/app/listeners.js` writes the message.
            <p class="min-h-5 text-label text-good" role="status" data-saved=t!("settings.saved")></p>
        </SettingsLayout>
    }
    .into_any()
}
