use leptos::{form::ActionForm, prelude::*};

use super::{Save, Section, Shown, done_by, error_of};
use crate::{
    components::{FormError, TimeAgo},
    domain::Device,
    pages::{forms::form_error, frame::FrameState},
    server_fns::security::{EndDevice, EndOtherDevices},
};

/// Where the person is signed in.
#[component]
pub fn DevicesSection(
    /// What the page shows.
    shown: Shown,
) -> impl IntoView {
    let one = shown.action::<EndDevice>();
    let others = shown.action::<EndOtherDevices>();
    let (of_one, of_others) = (error_of(one), error_of(others));
    let error = Signal::derive(move || of_one.get().or_else(|| of_others.get()));
    let devices = shown.part(|settings| settings.devices.clone());
    let many = Memo::new(move |_| shown.now.with(|settings| settings.devices.len() > 1));
    let rows = move || devices.get().into_iter().map(|device| view! { <DeviceRow device action=one /> }).collect_view();
    view! {
        <Section
            id="devices"
            title="Devices"
            sentence="Where you are signed in, and when you were last there. End what you do not know or no longer use."
        >
            <FormError error=form_error(error, &[]) id="devices-error" />
            <ul class="divide-y divide-line border-y border-line">{rows}</ul>
            {move || {
                many.get()
                    .then(|| {
                        view! {
                            <div class="mt-4">
                                <ActionForm action=others>
                                    <Save
                                        words="End all others"
                                        done="ended"
                                        result="Ended."
                                        pending=others.pending()
                                        saved=done_by(others)
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
    let clock = FrameState::expect().clock;
    let Device { id, device, place, created_at, last_used_at, current } = device;
    view! {
        <li class="flex items-center gap-4 py-3">
            <div class="min-w-0 flex-1">
                <p class="flex flex-wrap items-center gap-x-2 font-medium">
                    {device.clone()} {current.then(|| view! { <span class="chip">"This device"</span> })}
                </p>
                <p class="text-label text-ink-soft">
                    <TimeAgo at=last_used_at clock /> " · " {place} " · since " <TimeAgo at=created_at clock />
                </p>
            </div>
            {(!current)
                .then(|| {
                    view! {
                        <ActionForm action>
                            <input type="hidden" name="sign_in" value=id.to_string() />
                            <button class="btn btn-quiet btn-small" type="submit" aria-label=format!("End {device}")>
                                "End"
                            </button>
                        </ActionForm>
                    }
                })}
        </li>
    }
    .into_any()
}
