use leptos::{form::ActionForm, prelude::*};

use super::state::SettingsState;
use crate::{
    components::Avatar,
    pages::{
        shell::CurrentPerson,
        toolkit::{FormErrorOrConfirm, Section, action_error, on_success},
    },
    server_fns::security::RemovePicture,
};

/// The person's picture. Another one comes by a plain form, with scripts too: it takes a file.
#[component]
pub fn PictureSection(
    /// What the page shows.
    state: SettingsState,
) -> impl IntoView {
    let CurrentPerson { user, picture, .. } = CurrentPerson::expect();
    let remove = state.action::<RemovePicture>();
    let error = action_error(remove);
    on_success(remove, move |()| picture.set(0));
    // The router leaves such a form to the browser. The framework knows the attribute of links alone.
    let external = leptos::attr::custom::custom_attribute("rel", "external");
    let has_one = move || picture.get() != 0;
    view! {
        <Section
            id="picture"
            title=t!("settings.picture.title")
            sentence=t!("settings.picture.sentence")
        >
            <FormErrorOrConfirm error id="picture-error" next="/settings#picture" />
            <div class="flex flex-wrap items-center gap-4">
                <Avatar user picture large=true />
                // As a page of its own, so that its answer is one too.
                <form method="post" action="/settings/picture" enctype="multipart/form-data" {..external}>
                    <div class="flex flex-wrap items-center gap-3">
                        <input
                            class="file"
                            type="file"
                            name="picture"
                            aria-label=t!("settings.picture.file")
                            accept="image/png,image/jpeg,image/webp,image/gif"
                            required
                        />
                        <button class="btn btn-line" type="submit">
                            {t!("settings.picture.upload")}
                        </button>
                    </div>
                </form>
                {move || {
                    has_one()
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
        </Section>
    }
    .into_any()
}
