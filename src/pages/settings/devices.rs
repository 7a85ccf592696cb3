use leptos::{form::ActionForm, prelude::*};

use super::{Save, Section};
use crate::{
    components::{FormError, TimeAgo},
    domain::Device,
    pages::{
        forms::{form_action, form_error},
        frame::FrameState,
    },
    server_fns::security::{EndDevice, EndOtherDevices},
};

/// Where the person is signed in.
#[component]
pub fn DevicesSection(
    /// The sign-ins, last used first.
    devices: Vec<Device>,
    /// Told after a change.
    on_change: Callback<()>,
) -> impl IntoView {
    let one = form_action::<EndDevice>();
    let others = form_action::<EndOtherDevices>();
    let error = Signal::derive(move || {
        one.value().get().and_then(Result::err).or_else(|| others.value().get().and_then(Result::err))
    });
    Effect::new(move || {
        if one.value().with(|value| matches!(value, Some(Ok(()))))
            || others.value().with(|value| matches!(value, Some(Ok(_))))
        {
            on_change.run(());
        }
    });
    let many = devices.len() > 1;
    let rows = devices.into_iter().map(|device| view! { <DeviceRow device action=one /> }).collect_view();
    view! {
        <Section
            id="devices"
            title="Devices"
            sentence="Where you are signed in, and when you were last there. End what you do not know or no longer use."
        >
            <FormError error=form_error(error, &[]) id="devices-error" />
            <ul class="divide-y divide-line border-y border-line">{rows}</ul>
            {many
                .then(|| {
                    view! {
                        <div class="mt-4">
                            <ActionForm action=others>
                                <Save
                                    words="End all others"
                                    done="ended"
                                    result="Ended."
                                    pending=others.pending()
                                    saved=Signal::derive(move || others.value().with(|value| value.as_ref().map(Result::is_ok)))
                                />
                            </ActionForm>
                        </div>
                    }
                })}
        </Section>
    }
    .into_any()
}

#[component]
fn DeviceRow(device: Device, action: ServerAction<EndDevice>) -> impl IntoView {
    let clock = FrameState::expect().clock;
    let Device { id, device, place, last_used_at, current, .. } = device;
    view! {
        <li class="flex items-center gap-4 py-3">
            <div class="min-w-0 flex-1">
                <p class="flex flex-wrap items-center gap-x-2 font-medium">
                    {device.clone()} {current.then(|| view! { <span class="chip">"This device"</span> })}
                </p>
                <p class="text-label text-ink-soft">
                    <TimeAgo at=last_used_at clock /> " · " {place}
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
