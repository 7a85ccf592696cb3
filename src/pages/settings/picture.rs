use leptos::{form::ActionForm, prelude::*};

use super::state::SettingsState;
use crate::{
    components::Avatar,
    pages::{
        shell::CurrentPerson,
        toolkit::{FormErrorOrReauth, RowSection, action_error, on_success},
    },
    server_fns::security::RemovePicture,
};

/// The user's picture, which is its own button: a chosen file is uploaded at once (`src/app/listeners.js`). The upload is a
/// form without scripts, even in a hydrated page, because it sends a file.
#[component]
pub fn PictureSection(
    /// The state of the page.
    state: SettingsState,
) -> impl IntoView {
    let CurrentPerson { user, picture, .. } = CurrentPerson::expect();
    let remove = state.action::<RemovePicture>();
    let error = action_error(remove);
    on_success(remove, move |()| picture.set(0));
    // `rel="external"` makes the router leave the form to the browser. Leptos has this attribute only for links.
    let external = leptos::attr::custom::custom_attribute("rel", "external");
    let has_picture = move || picture.get() != 0;
    view! {
        <RowSection id="picture" title=t!("settings.picture.title") sentence=t!("settings.picture.sentence")>
            <FormErrorOrReauth error id="picture-error" next="/settings#picture" />
            <div class="flex flex-wrap items-center gap-3">
                // A full page load, because the response is a page too.
                <form method="post" action="/settings/picture" enctype="multipart/form-data" {..external}>
                    <label class="photo">
                        <Avatar user picture large=true />
                        <span class="photo-label">{t!("settings.picture.change")}</span>
                        <input
                            class="file"
                            type="file"
                            name="picture"
                            accept="image/png,image/jpeg,image/webp,image/gif"
                            required
                            data-save=""
                        />
                    </label>
                    <button class="btn btn-line nojs-only" type="submit">
                        {t!("settings.picture.upload")}
                    </button>
                </form>
                {move || {
                    has_picture()
                        .then(|| {
                            view! {
                                <ActionForm action=remove>
                                    <button class="btn btn-quiet btn-danger" type="submit">
                                        {t!("settings.picture.remove")}
                                    </button>
                                </ActionForm>
                            }
                        })
                }}
            </div>
        </RowSection>
    }
    .into_any()
}
