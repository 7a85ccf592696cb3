use leptos::{form::ActionForm, prelude::*};

use super::{
    change::{PersonChangeForm, change_status},
    state::PersonState,
};
use crate::{
    components::TimeAgo,
    domain::{Device, Person, PersonChange, UserId},
    pages::{
        shell::ReaderTime,
        toolkit::{Section, StatusMessage},
    },
};

/// The sessions (sign-ins) of the person.
#[component]
pub fn SignInsSection(
    /// The person.
    person: Person,
    /// The actions on the person.
    state: PersonState,
) -> impl IntoView {
    const CHANGES: &[PersonChange] = &[PersonChange::EndSignIns];
    let id = person.summary.id;
    let all = change_status(state, CHANGES);
    let status = Signal::derive(move || match state.done.get().as_deref() {
        Some("ended") => Some(t!("admin.sign_ins.ended")),
        _ => all.get(),
    });
    let has_devices = !person.devices.is_empty();
    let sentence = if has_devices { t!("admin.sign_ins.intro") } else { t!("admin.sign_ins.nowhere") };
    let rows = person.devices.into_iter().map(|device| view! { <SignInRow id device state /> }).collect_view();
    view! {
        <Section id="sign-ins" title=t!("admin.sign_ins.title") sentence>
            <ul class="divide-y divide-line border-line not-empty:border-y">{rows}</ul>
            <div class="mt-4 flex flex-wrap items-end gap-3">
                {has_devices
                    .then(|| {
                        let label = t!("admin.sign_ins.end_all");
                        view! { <PersonChangeForm person=id change=PersonChange::EndSignIns label state /> }
                    })}
                <StatusMessage text=status />
            </div>
        </Section>
    }
    .into_any()
}

#[component]
fn SignInRow(id: UserId, device: Device, state: PersonState) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    let Device { id: sign_in, device, network, last_used_at, current, .. } = device;
    let name = t!("admin.sign_ins.end_named", device = device);
    view! {
        <li class="flex items-center gap-4 py-3">
            <div class="min-w-0 flex-1">
                <p class="flex flex-wrap items-center gap-x-2 font-medium">
                    {device} {current.then(|| view! { <span class="chip">{t!("admin.sign_ins.this_device")}</span> })}
                </p>
                <p class="text-label text-ink-soft">
                    <TimeAgo at=last_used_at clock /> " · " {network}
                </p>
            </div>
            <ActionForm action=state.end>
                <input type="hidden" name="user" value=id.to_string() />
                <input type="hidden" name="sign_in" value=sign_in.to_string() />
                <button class="btn btn-line btn-small" type="submit" aria-label=name>
                    {t!("admin.sign_ins.end")}
                </button>
            </ActionForm>
        </li>
    }
    .into_any()
}
