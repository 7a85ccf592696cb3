use std::time::Duration;

use leptos::{form::ActionForm, leptos_dom::helpers::TimeoutHandle, prelude::*};

use super::state::SettingsState;
use crate::{
    components::TimeAgo,
    domain::{DataExport, ExportState},
    pages::{
        shell::ReaderTime,
        toolkit::{ConfirmGate, FormErrorOrConfirm, Section, SubmitButton, action_done, action_error, done_status},
    },
    server_fns::export::RequestExport,
};

/// Time between two looks while it is put together.
const LOOK: Duration = Duration::from_secs(2);

/// A download of all that is known of the person.
#[component]
pub fn DataSection(
    /// What the page shows.
    state: SettingsState,
) -> impl IntoView {
    let request = state.action::<RequestExport>();
    let export = state.part(|settings| settings.export.clone());
    let open = move || export.with(|export| export.as_ref().is_some_and(DataExport::is_open));
    let ready = move || export.with(|export| export.as_ref().is_some_and(|export| export.state == ExportState::Ready));
    let done = action_done(request);
    // Once the file is there, that says it.
    let begun = Signal::derive(move || done.get().map(|done| done && !ready()));
    Effect::new(move |last: Option<Option<TimeoutHandle>>| {
        if let Some(Some(timer)) = last {
            timer.clear();
        }
        open().then(|| set_timeout_with_handle(move || state.look_again(), LOOK).ok()).flatten()
    });
    view! {
        <Section
            id="data"
            title="Your data"
            sentence="Everything that is kept about you, as one ZIP file: your account, your sign-ins and your chats. It is kept for 3 days; a new one takes its place."
        >
            <div class="grid gap-4">
                <div role="status">{move || export.get().map(|export| view! { <Standing export /> })}</div>
                <FormErrorOrConfirm error=action_error(request) id="data-error" next="/settings#data" />
                <ConfirmGate fresh=state.fresh() next="/settings#data" what="download your data">
                    {move || {
                        export.get().filter(|export| export.state == ExportState::Ready).map(|export| {
                            view! {
                                <p>
                                    <a class="btn btn-line" href=format!("/settings/data/{}", export.id) rel="external" download>
                                        "Download the file"
                                    </a>
                                </p>
                            }
                        })
                    }}
                    {move || {
                        (!open())
                            .then(|| {
                                let words = if ready() { "Put it together anew" } else { "Put my data together" };
                                view! {
                                    <ActionForm action=request>
                                        <SubmitButton
                                            words
                                            pending=request.pending()
                                            status=done_status(request.pending().into(), begun, "export", "Begun.")
                                        />
                                    </ActionForm>
                                }
                            })
                    }}
                </ConfirmGate>
            </div>
        </Section>
    }
    .into_any()
}

#[component]
fn Standing(export: DataExport) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    match export.state {
        ExportState::Waiting | ExportState::Working => {
            let words = match export.total {
                0 => "Your data is being put together.".to_owned(),
                total => format!("Your data is being put together: {} of {total} chats.", export.done),
            };
            view! {
                <p>{words} " " <a class="link" href="/settings#data" rel="external">"Reload"</a></p>
            }
            .into_any()
        }
        ExportState::Ready => {
            view! {
                <p>
                    "Your data is ready."
                    <span class="hint block">"Asked for: " <TimeAgo at=export.created_at clock /></span>
                </p>
            }
            .into_any()
        }
        ExportState::Failed => {
            view! { <p class="text-danger">"Your data could not be put together. Try again, or tell your administrator."</p> }
                .into_any()
        }
    }
}
