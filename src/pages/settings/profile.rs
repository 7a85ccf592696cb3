use leptos::{form::ActionForm, prelude::*};

use super::{Save, Section};
use crate::{
    components::{Field, FormError},
    domain::Language,
    pages::{
        forms::{field_error, focus_error, form_action, form_error},
        frame::FrameState,
        password::value_of,
    },
    server_fns::security::{ChangeLanguage, ChangeName, Profile},
};

/// The person's name.
#[component]
pub fn NameSection(
    /// The frame around, which shows the name too.
    frame: FrameState,
    /// Told after a change.
    on_change: Callback<()>,
) -> impl IntoView {
    const FIELDS: &[&str] = &["name"];
    let action = form_action::<ChangeName>();
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    focus_error(error, FIELDS, "name-form-error");
    let name = frame.user.with_untracked(|user| user.name.clone());
    Effect::new(move || {
        if let Some(Ok(())) = action.value().get() {
            let name = value_of("name");
            frame.user.update(|user| name.trim().clone_into(&mut user.name));
            on_change.run(());
        }
    });
    view! {
        <Section id="profile" title="Name" sentence="What you are called here.">
            <ActionForm action>
                <div class="grid max-w-[360px] gap-5">
                    <FormError error=form_error(error, FIELDS) id="name-form-error" />
                    <Field name="name" label="Name" autocomplete="name" value=name error=field_error(error, "name") />
                    <Save
                        words="Save the name"
                        done="name"
                        result="Saved."
                        pending=action.pending()
                        saved=Signal::derive(move || action.value().with(|value| value.as_ref().map(Result::is_ok)))
                    />
                </div>
            </ActionForm>
        </Section>
    }
    .into_any()
}

/// How the person's pages are written.
#[component]
pub fn LanguageSection(
    /// What they chose until now.
    profile: Profile,
) -> impl IntoView {
    let action = form_action::<ChangeLanguage>();
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    let chosen = RwSignal::new(profile.language);
    let clock = FrameState::expect().clock;
    Effect::new(move || {
        if let Some(Ok(())) = action.value().get() {
            // The settings are not read anew: this section would be made again and could not say that it has saved.
            clock.update(|clock| clock.language = chosen.get_untracked());
        }
    });
    let choose = move |tag: String| chosen.set(Language::from_tag(&tag).unwrap_or_default());
    let options = Language::ALL
        .into_iter()
        .map(|(language, tag, words)| {
            view! {
                <option value=tag selected=language == profile.language>
                    {words}
                </option>
            }
        })
        .collect_view();
    view! {
        <Section id="language-section" title="Language" sentence="How dates and times are written.">
            <ActionForm action>
                <div class="grid max-w-[360px] gap-5">
                    <FormError error=form_error(error, &[]) id="language-form-error" />
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
                            {options}
                        </select>
                    </div>
                    <Save
                        words="Save the language"
                        done="language"
                        result="Saved."
                        pending=action.pending()
                        saved=Signal::derive(move || action.value().with(|value| value.as_ref().map(Result::is_ok)))
                    />
                </div>
            </ActionForm>
        </Section>
    }
    .into_any()
}
