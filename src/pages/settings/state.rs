use leptos::{prelude::*, task::spawn_local};
use server_fn::ServerFn;

use crate::{
    domain::AppError,
    pages::toolkit::{form_action, on_success},
    server_fns::security::{Settings, load_settings},
};

/// What the page shows, and how it is looked at again after a change.
#[derive(Clone, Copy)]
pub struct SettingsState {
    /// The settings as they are now.
    pub now: RwSignal<Settings>,
    /// Whether the person must add a second factor before anything else, which is told above every page.
    pub must_enrol: RwSignal<bool>,
    /// Where the page of the activity begins.
    pub cursor: StoredValue<Option<String>>,
}

impl SettingsState {
    /// Reads all of it anew. Sections stay as they are, with what stands in their fields.
    pub fn look_again(self) {
        let Some(cursor) = self.cursor.try_get_value() else { return };
        spawn_local(async move {
            // Where it cannot be read, the old state stays; the next change says what is wrong.
            if let Ok(settings) = load_settings(cursor).await {
                self.must_enrol.try_set(settings.factors.must_enrol);
                self.now.try_set(settings);
            }
        });
    }

    /// Whether the person proved a short while ago who they are.
    pub fn fresh(self) -> Signal<bool> {
        self.part(|settings| settings.proof.fresh)
    }

    /// A part of it, which changes only where it becomes another one: a form must not be made anew, and forget what came
    /// of it, because something else was read again.
    pub fn part<T: PartialEq + Send + Sync + 'static>(self, part: fn(&Settings) -> T) -> Signal<T> {
        Memo::new(move |_| self.now.with(part)).into()
    }

    /// An action whose success is looked at.
    pub fn action<F>(self) -> ServerAction<F>
    where
        F: ServerFn<Error = AppError> + Clone + Send + Sync,
        F::Output: Clone + Send + Sync,
    {
        let action = form_action::<F>();
        on_success(action, move |_| self.look_again());
        action
    }
}
