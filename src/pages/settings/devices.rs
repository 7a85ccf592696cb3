use leptos::{form::ActionForm, prelude::*};

use super::state::SettingsState;
use crate::{
    components::{FormError, TimeAgo},
    domain::Device,
    pages::{
        shell::ReaderTime,
        toolkit::{RowList, Section, SubmitButton, action_error, action_status, form_error},
    },
    server_fns::security::{EndDevice, EndOtherDevices},
};

/// The devices on which the user is signed in.
#[component]
pub fn DevicesSection(
    /// The state of the page.
    state: SettingsState,
) -> impl IntoView {
    let end_one = state.action::<EndDevice>();
    let end_others = state.action::<EndOtherDevices>();
    let (end_one_error, end_others_error) = (action_error(end_one), action_error(end_others));
    let error = Signal::derive(move || end_one_error.get().or_else(|| end_others_error.get()));
    let devices = state.select(|settings| settings.devices.clone());
    let has_others = Memo::new(move |_| state.settings.with(|settings| settings.devices.len() > 1));
    let rows =
        move || devices.get().into_iter().map(|device| view! { <DeviceRow device action=end_one /> }).collect_view();
    view! {
        <Section
            id="devices"
            title=t!("settings.devices.title")
            sentence=t!("settings.devices.sentence")
        >
            <FormError error=form_error(error, &[]) id="devices-error" />
            <RowList>{rows}</RowList>
            {move || {
                has_others.get()
                    .then(|| {
                        view! {
                            <div class="mt-4">
                                <ActionForm action=end_others>
                                    <SubmitButton
                                        label=t!("settings.devices.end_others")
                                        pending=end_others.pending()
                                        status=action_status(end_others, "ended", t!("settings.devices.ended"))
                                    />
                                </ActionForm>
                            </div>
                        }
                    })
            }}
        </Section>
    }
    .into_any()
}

#[component]
fn DeviceRow(device: Device, action: ServerAction<EndDevice>) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    let Device { id, device, network, created_at, last_used_at, current } = device;
    view! {
        <li class="flex items-center gap-4 py-3">
            <div class="min-w-0 flex-1">
                <p class="flex flex-wrap items-center gap-x-2 font-medium">
                    {device.clone()}
                    {current.then(|| view! { <span class="chip">{t!("settings.devices.current")}</span> })}
                </p>
                <p class="text-label text-ink-soft">
                    {rich!(
                        "settings.devices.about",
                        used = |_| view! { <TimeAgo at=last_used_at clock /> },
                        place = |_| network.clone(),
                        since = |_| view! { <TimeAgo at=created_at clock /> },
                    )}
                </p>
            </div>
            {(!current)
                .then(|| {
                    view! {
                        <ActionForm action>
                            <input type="hidden" name="sign_in" value=id.to_string() />
                            <button
                                class="btn btn-line btn-small"
                                type="submit"
                                aria-label=t!("settings.devices.end_named", device = device)
                            >
                                {t!("settings.devices.end")}
                            </button>
                        </ActionForm>
                    }
                })}
        </li>
    }
    .into_any()
}
