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
            title=t!("settings.data.title")
            sentence=t!("settings.data.sentence")
        >
            <div class="grid gap-4">
                <div role="status">{move || export.get().map(|export| view! { <Standing export /> })}</div>
                <FormErrorOrConfirm error=action_error(request) id="data-error" next="/settings#data" />
                <ConfirmGate fresh=state.fresh() next="/settings#data" hint=t!("settings.data.confirm_hint")>
                    {move || {
                        export.get().filter(|export| export.state == ExportState::Ready).map(|export| {
                            view! {
                                <p>
                                    <a class="btn btn-line" href=format!("/settings/data/{}", export.id) rel="external" download>
                                        {t!("settings.data.download")}
                                    </a>
                                </p>
                            }
                        })
                    }}
                    {move || {
                        (!open())
                            .then(|| {
                                let words = if ready() { t!("settings.data.again") } else { t!("settings.data.begin") };
                                view! {
                                    <ActionForm action=request>
                                        <SubmitButton
                                            words
                                            pending=request.pending()
                                            status=done_status(
                                                request.pending().into(),
                                                begun,
                                                "export",
                                                t!("settings.data.begun"),
                                            )
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
                0 => t!("settings.data.waiting").to_owned(),
                total => t!("settings.data.working", done = export.done, total = total),
            };
            view! {
                <p>
                    {words} " "
                    <a class="link" href="/settings#data" rel="external">
                        {t!("settings.data.reload")}
                    </a>
                </p>
            }
            .into_any()
        }
        ExportState::Ready => view! {
            <p>
                {t!("settings.data.ready")}
                <span class="hint block">
                    {rich!("settings.data.asked", time = |_| view! { <TimeAgo at=export.created_at clock /> })}
                </span>
            </p>
        }
        .into_any(),
        ExportState::Failed => view! { <p class="text-danger">{t!("settings.data.failed")}</p> }.into_any(),
    }
}
