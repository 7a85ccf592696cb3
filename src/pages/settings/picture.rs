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
    let has_one = move || picture.get() != 0;
    view! {
        <Section
            id="picture"
            title="Picture"
            sentence="Shown beside your name. PNG, JPEG, WebP or GIF, at most 5 MB; it is cut square."
        >
            <FormErrorOrConfirm error id="picture-error" next="/settings#picture" />
            <div class="flex flex-wrap items-center gap-4">
                <Avatar user picture large=true />
                // As a page of its own, so that its answer is one too.
                <form method="post" action="/settings/picture" enctype="multipart/form-data" rel="external">
                    <div class="flex flex-wrap items-center gap-3">
                        <input
                            class="file"
                            type="file"
                            name="picture"
                            aria-label="A picture of you"
                            accept="image/png,image/jpeg,image/webp,image/gif"
                            required
                        />
                        <button class="btn btn-line" type="submit">
                            "Upload"
                        </button>
                    </div>
                </form>
                {move || {
                    has_one()
                        .then(|| {
                            view! {
                                <ActionForm action=remove>
                                    <button class="btn btn-quiet btn-danger" type="submit">
                                        "Remove the picture"
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
