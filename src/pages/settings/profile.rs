use leptos::{form::ActionForm, prelude::*};

use super::{Save, Section, Shown, Wrong, done_by, error_of};
use crate::{
    components::{Avatar, Field},
    domain::Language,
    pages::{
        forms::{field_error, focus_error},
        frame::FrameState,
        password::value_of,
    },
    server_fns::security::{ChangeLocale, ChangeName, RemovePicture},
};

/// The person's picture. Another one comes by a plain form, with scripts too: it takes a file.
#[component]
pub fn PictureSection(
    /// The frame around, which shows it too.
    frame: FrameState,
    /// What the page shows.
    shown: Shown,
) -> impl IntoView {
    let remove = shown.action::<RemovePicture>();
    let error = error_of(remove);
    Effect::new(move || {
        if let Some(Ok(())) = remove.value().get() {
            frame.picture.set(0);
        }
    });
    let has_one = move || frame.picture.get() != 0;
    view! {
        <Section id="picture" title="Picture" sentence="Shown beside your name. PNG, JPEG, WebP or GIF, at most 5 MB; it is cut square.">
            <Wrong error id="picture-error" section="picture" />
            <div class="flex flex-wrap items-center gap-4">
                <Avatar user=frame.user picture=frame.picture large=true />
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

/// The person's name.
#[component]
pub fn NameSection(
    /// The frame around, which shows the name too.
    frame: FrameState,
    /// What the page shows.
    shown: Shown,
) -> impl IntoView {
    const FIELDS: &[&str] = &["name"];
    let action = shown.action::<ChangeName>();
    let error = error_of(action);
    focus_error(error, FIELDS, "name-form-error");
    let name = frame.user.with_untracked(|user| user.name.clone());
    Effect::new(move || {
        if let Some(Ok(())) = action.value().get() {
            let name = value_of("name");
            frame.user.update(|user| name.trim().clone_into(&mut user.name));
        }
    });
    view! {
        <Section id="profile" title="Name" sentence="What you are called here.">
            <ActionForm action>
                <div class="grid max-w-[360px] gap-5">
                    <Wrong error fields=FIELDS id="name-form-error" section="profile" />
                    <Field name="name" label="Name" autocomplete="name" value=name error=field_error(error, "name") />
                    <Save
                        words="Save the name"
                        done="name"
                        result="Saved."
                        pending=action.pending()
                        saved=done_by(action)
                    />
                </div>
            </ActionForm>
        </Section>
    }
    .into_any()
}

/// How the person's pages are written.
#[component]
pub fn LocaleSection(
    /// The frame around, whose clock it changes.
    frame: FrameState,
    /// What the page shows.
    shown: Shown,
) -> impl IntoView {
    let action = shown.action::<ChangeLocale>();
    let error = error_of(action);
    let profile = shown.now.with_untracked(|settings| settings.profile.clone());
    let language = RwSignal::new(profile.language);
    let zone_before = profile.time_zone.clone();
    Effect::new(move || {
        if let Some(Ok(())) = action.value().get() {
            frame.clock.update(|clock| clock.language = language.get_untracked());
        }
    });
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
                    <Wrong error id="locale-form-error" section="locale" />
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
                    <Save
                        words="Save"
                        done="locale"
                        result="Saved."
                        pending=action.pending()
                        saved=done_by(action)
                    />
                </div>
            </ActionForm>
        </Section>
    }
    .into_any()
}
