use std::time::Duration;

use leptos::{form::ActionForm, leptos_dom::helpers::TimeoutHandle, prelude::*};

use super::state::SettingsState;
use crate::{
    components::TimeAgo,
    domain::{DataExport, ExportState},
    pages::{
        shell::ReaderTime,
        toolkit::{FormErrorOrReauth, ReauthGate, Section, SubmitButton, action_done, action_error, done_status},
    },
    server_fns::export::RequestExport,
};

/// How often the page polls while the export is being created.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// The export of all data of the user.
#[component]
pub fn ExportSection(
    /// The state of the page.
    state: SettingsState,
) -> impl IntoView {
    let request = state.action::<RequestExport>();
    let export = state.select(|settings| settings.export.clone());
    let is_open = move || export.with(|export| export.as_ref().is_some_and(DataExport::is_open));
    let is_ready =
        move || export.with(|export| export.as_ref().is_some_and(|export| export.state == ExportState::Ready));
    let done = action_done(request);
    // Once the file is ready, its own status replaces this message.
    let requested = Signal::derive(move || done.get().map(|done| done && !is_ready()));
    Effect::new(move |last_timer: Option<Option<TimeoutHandle>>| {
        if let Some(Some(timer)) = last_timer {
            timer.clear();
        }
        is_open().then(|| set_timeout_with_handle(move || state.reload(), POLL_INTERVAL).ok()).flatten()
    });
    view! {
        <Section
            id="data"
            title=t!("settings.data.title")
            sentence=t!("settings.data.sentence")
        >
            <div class="grid gap-4">
                <div role="status">{move || export.get().map(|export| view! { <ExportStatus export /> })}</div>
                <FormErrorOrReauth error=action_error(request) id="data-error" next="/settings/data#data" />
                <ReauthGate
                    recently_authenticated=state.recently_authenticated()
                    next="/settings/data#data"
                    hint=t!("settings.data.confirm_hint")
                >
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
                        (!is_open())
                            .then(|| {
                                let label = if is_ready() { t!("settings.data.again") } else { t!("settings.data.begin") };
                                view! {
                                    <ActionForm action=request>
                                        <SubmitButton
                                            label
                                            pending=request.pending()
                                            status=done_status(
                                                request.pending().into(),
                                                requested,
                                                "export",
                                                t!("settings.data.begun"),
                                            )
                                        />
                                    </ActionForm>
                                }
                            })
                    }}
                </ReauthGate>
            </div>
        </Section>
    }
    .into_any()
}

#[component]
fn ExportStatus(export: DataExport) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    match export.state {
        ExportState::Waiting | ExportState::Working => {
            let text = match export.total {
                0 => t!("settings.data.waiting").to_owned(),
                total => t!("settings.data.working", done = export.done, total = total),
            };
            view! {
                <p>
                    {text} " "
                    <a class="link" href="/settings/data#data" rel="external">
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
