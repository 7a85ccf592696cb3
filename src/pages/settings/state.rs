use leptos::{prelude::*, task::spawn_local};
use server_fn::ServerFn;

use crate::{
    domain::{AppError, Settings, SettingsPart},
    pages::toolkit::{form_action, on_success},
    server_fns::security::load_settings,
};

/// The state of a settings page, reloaded after each change.
#[derive(Clone, Copy)]
pub struct SettingsState {
    /// The current settings.
    pub settings: RwSignal<Settings>,
    /// Whether the user must add a second factor before anything else; a notice above every page shows it.
    pub must_enrol: RwSignal<bool>,
    /// Which page it is.
    pub part: SettingsPart,
    /// The cursor of the page of audit events; `None` for the newest ones.
    pub cursor: StoredValue<Option<String>>,
    /// Whether the recovery codes come from a passkey that was added here: they are shown where it was added.
    pub added_passkey: RwSignal<bool>,
}

impl SettingsState {
    /// Reloads the settings. Sections are not rebuilt, so the content of their fields stays.
    pub fn reload(self) {
        let Some(cursor) = self.cursor.try_get_value() else { return };
        spawn_local(async move {
            // On failure the old state stays; the next change reports the error.
            if let Ok(settings) = load_settings(self.part, cursor).await {
                self.must_enrol.try_set(settings.factors.must_enrol);
                self.settings.try_set(settings);
            }
        });
    }

    /// Whether the user has authenticated recently.
    pub fn recently_authenticated(self) -> Signal<bool> {
        self.select(|settings| settings.proof.recently_authenticated)
    }

    /// A memo of one part of the settings. It changes only if the value differs, so a form is not rebuilt, and does not
    /// lose its result, when other settings are reloaded.
    pub fn select<T: PartialEq + Send + Sync + 'static>(self, part: fn(&Settings) -> T) -> Signal<T> {
        Memo::new(move |_| self.settings.with(part)).into()
    }

    /// The action of a form that reloads the settings on success.
    pub fn action<F>(self) -> ServerAction<F>
    where
        F: ServerFn<Error = AppError> + Clone + Send + Sync,
        F::Output: Clone + Send + Sync,
    {
        let action = form_action::<F>();
        on_success(action, move |_| self.reload());
        action
    }
}
