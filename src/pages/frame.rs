//! What stands around every page of a person who is signed in.

use leptos::prelude::*;
use leptos_router::{components::Outlet, hooks::use_location};
use serde::{Deserialize, Serialize};
use server_fn::ServerFn;

pub use super::signed_out::ToSignIn;
use super::{
    cookies::cookie,
    deletion::DeletionNotice,
    fault::{Alone, Faulty},
    loaded::loaded,
    people::RemovalNotice,
    signed_out::{SignedOut, sign_in_holds, watch_sign_in},
};
use crate::{
    components::{
        Drawer, Notice, ReaderClock, ReaderZone, Sidebar, Toast, TopBar,
        browser::{self, Elsewhere},
    },
    domain::{
        AppError, Chat, ChatAction, ChatFilter, ChatId, ChatSummary, ClientId, CurrentUser, ModelChoice, Timestamp,
    },
    server_fns::{
        account::SignOut,
        chats::{change_chats, list_chats, rename_chat},
        frame::{Frame, load_frame},
    },
};

/// What the frame is made of, read in one go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct FrameData {
    frame: Frame,
    /// The model that was chosen last in this browser.
    model: Option<String>,
    /// The id of what is written into a form without scripts.
    client_id: ClientId,
}

/// What the pages inside the frame share.
#[derive(Clone, Copy)]
pub struct FrameState {
    /// The person.
    pub user: RwSignal<CurrentUser>,
    /// The newest chats.
    pub chats: RwSignal<Vec<ChatSummary>>,
    /// The reader's clock.
    pub clock: RwSignal<ReaderClock>,
    /// The models that answer.
    pub models: StoredValue<ModelChoice>,
    /// The id of the model for the next message; empty where there is none.
    pub model: RwSignal<String>,
    /// The id of what is written into a form without scripts. Each page that the server sends has another one.
    pub client_id: ClientId,
    /// A chat that was just made, so that its page need not ask for it.
    pub made: StoredValue<Option<Chat>>,
    /// Chats that were just deleted and can be brought back.
    deleted: RwSignal<Vec<ChatId>>,
    /// Counts how often something was brought back, so that lists are read anew.
    pub restored: RwSignal<u32>,
    /// Counts the signs that something may have changed in another tab or on another device.
    pub news: RwSignal<u32>,
    /// Whether the sign-in has ended while the page was open. Nothing is asked for by itself then.
    pub signed_out: RwSignal<bool>,
    /// Why something could not be done with a chat.
    problem: RwSignal<Option<AppError>>,
    /// When the person's second factors are removed, if an administrator was told that they are lost.
    pub factor_removal: Option<Timestamp>,
    /// When the person's account is deleted, if that was asked for.
    pub deletion: RwSignal<Option<Timestamp>>,
    /// Whether the person must add a second factor before anything else.
    pub must_enrol: RwSignal<bool>,
    /// The version of the person's picture; 0 where there is none.
    pub picture: RwSignal<i64>,
    /// Whether a time zone was chosen, which goes before the browser's.
    time_zone_chosen: bool,
    drawer: RwSignal<bool>,
    folded: RwSignal<bool>,
}

impl FrameState {
    /// The state of the frame around this page.
    pub fn expect() -> Self {
        expect_context()
    }

    fn new(data: FrameData) -> Self {
        let FrameData { frame, model, client_id } = data;
        let models = frame.models;
        let offered = |id: &String| models.models.iter().any(|model| model.id == *id);
        let model = model.filter(offered).or(models.default.clone()).unwrap_or_default();
        let zone = ReaderZone::Known(frame.clock_changes.into());
        Self {
            user: RwSignal::new(frame.user),
            chats: RwSignal::new(frame.chats.chats),
            clock: RwSignal::new(ReaderClock { now: frame.now, zone, language: frame.language }),
            models: StoredValue::new(models),
            model: RwSignal::new(model),
            client_id,
            made: StoredValue::new(None),
            deleted: RwSignal::new(Vec::new()),
            restored: RwSignal::new(0),
            news: RwSignal::new(0),
            signed_out: RwSignal::new(false),
            problem: RwSignal::new(None),
            factor_removal: frame.factor_removal,
            deletion: RwSignal::new(frame.deletion),
            must_enrol: RwSignal::new(frame.must_enrol),
            picture: RwSignal::new(frame.picture),
            time_zone_chosen: frame.time_zone_chosen,
            drawer: RwSignal::new(false),
            folded: RwSignal::new(frame.sidebar_folded),
        }
    }

    /// Chooses the model for the next message, and for new chats of this browser.
    pub fn choose_model(self, id: String) {
        browser::write_cookie("model", &id);
        self.model.set(id);
    }

    /// The name of a model for people; its id where the model is gone.
    pub fn model_label(self, id: &str) -> String {
        let label = |choice: &ModelChoice| choice.models.iter().find(|model| model.id == id).map(|m| m.label.clone());
        self.models.with_value(label).unwrap_or_else(|| id.to_owned())
    }

    /// Reads the list of chats anew.
    pub fn refresh_chats(self) {
        leptos::task::spawn_local(async move {
            // Where that fails the old list stays; the next change tries again.
            if let Ok(page) = list_chats(ChatFilter::All, String::new(), None).await {
                self.chats.try_set(page.chats);
                sign_in_holds(self.signed_out);
            }
        });
    }

    /// Something was changed here: reads the list anew, and lets other tabs look again.
    pub fn changed(self) {
        self.refresh_chats();
        browser::tell_other_tabs();
    }

    /// Whether a model answers.
    pub fn offers(self, id: &str) -> bool {
        self.models.with_value(|choice| choice.models.iter().any(|model| model.id == id))
    }

    /// Does one thing with some chats; `done` is called when it has been done.
    pub fn change_chats(self, chats: Vec<ChatId>, action: ChatAction, done: impl FnOnce() + 'static) {
        self.problem.set(None);
        leptos::task::spawn_local(async move {
            match change_chats(chats.clone(), action).await {
                Ok(_) => {
                    if action == ChatAction::Delete {
                        self.deleted.try_set(chats);
                    }
                    done();
                    self.changed();
                }
                Err(error) => self.fail(error),
            }
        });
    }

    /// Brings back what was deleted last.
    fn restore(self) {
        let chats = self.deleted.get_untracked();
        self.deleted.set(Vec::new());
        self.change_chats(chats, ChatAction::Restore, move || {
            self.restored.try_update(|count| *count += 1);
        });
    }

    /// Gives a chat another title; `done` is called when it has it.
    pub fn rename_chat(self, chat: ChatId, title: String, done: impl FnOnce() + 'static) {
        self.problem.set(None);
        leptos::task::spawn_local(async move {
            match rename_chat(chat, title).await {
                Ok(()) => {
                    done();
                    self.changed();
                }
                Err(error) => self.fail(error),
            }
        });
    }

    fn fail(self, error: AppError) {
        // That the sign-in has ended is said above the page.
        if error != AppError::Unauthenticated {
            self.problem.try_set(Some(error));
        }
    }

    fn fold(self, folded: bool) {
        browser::write_cookie("sidebar", if folded { "folded" } else { "open" });
        self.folded.set(folded);
    }
}

async fn load() -> Result<FrameData, AppError> {
    let model = cookie("model");
    Ok(FrameData { frame: load_frame().await?, model, client_id: ClientId::random() })
}

/// The frame. Decides whether the person may be here; strangers are sent to the sign-in page.
#[component]
pub fn FramePage() -> impl IntoView {
    let data = Resource::new_blocking(|| (), |()| load());
    view! {
        <Suspense>
            {loaded(move || async move {
                match data.await {
                    Ok(data) => view! { <Around data /> }.into_any(),
                    Err(AppError::Unauthenticated) => view! { <ToSignIn /> }.into_any(),
                    Err(error) => view! { <Alone><Faulty error /></Alone> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Around(data: FrameData) -> impl IntoView {
    let state = FrameState::new(data);
    provide_context(state);
    keep_time(state);
    watch_runs(state);
    watch_elsewhere(state);
    keep_to_settings(state);
    watch_sign_in(state.signed_out);
    let sidebar = move |close_label: &'static str, on_close: Callback<()>, replace: bool| {
        view! {
            <Sidebar
                user=state.user
                picture=state.picture
                chats=state.chats
                clock=state.clock
                sign_out=SignOut::url()
                on_close
                close_label
                replace
            />
        }
    };
    view! {
        <a class="skip btn btn-primary" href="#main" rel="external">
            "Skip to the content"
        </a>
        <div class="frame" data-folded=move || state.folded.get().then_some("")>
            {sidebar("Hide the sidebar", Callback::new(move |()| state.fold(true)), false)}
            <main class="main" id="main" tabindex="-1">
                {move || state.signed_out.get().then(|| view! { <SignedOut /> })}
                <DeletionNotice />
                <RemovalNotice />
                {move || state.must_enrol.get().then(|| view! { <AskForFactor /> })}
                <Outlet />
            </main>
        </div>
        <Drawer open=state.drawer label="Chats">
            {sidebar("Close", Callback::new(move |()| state.drawer.set(false)), true)}
        </Drawer>
        <Toasts state />
    }
    .into_any()
}

/// Says what must be done before anything else.
#[component]
fn AskForFactor() -> impl IntoView {
    view! {
        <div class="mx-auto w-full max-w-[768px] px-4 pt-4">
            <Notice>
                <p>
                    "This installation asks you for a second factor, so that a password alone opens nothing. "
                    <a class="link" href="/settings#two-step">
                        "Add one"
                    </a> " to go on."
                </p>
            </Notice>
        </div>
    }
}

/// Whoever must add a second factor first is asked by the server at every other page, also when they come there by a
/// link: the server knows at once when they have one.
fn keep_to_settings(state: FrameState) {
    let here = use_location().pathname;
    Effect::new(move || {
        let path = here.get();
        if state.must_enrol.get() && !path.starts_with("/settings") {
            // Going to a page of ours does not fail.
            let _ = location().set_href(&path);
        }
    });
}

/// What floats above every page: the way back from a deletion, and what could not be done.
#[component]
fn Toasts(state: FrameState) -> impl IntoView {
    let told = move || match state.deleted.with(Vec::len) {
        0 => None,
        1 => Some("Chat deleted".to_owned()),
        n => Some(format!("{n} chats deleted")),
    };
    let problem = move || state.problem.get().map(|error| error.to_string());
    view! {
        <Toast
            words=Signal::derive(told)
            action="Undo"
            on_action=Callback::new(move |()| state.restore())
            on_over=Callback::new(move |()| state.deleted.set(Vec::new()))
        />
        <Toast
            words=Signal::derive(problem)
            action="Close"
            on_action=Callback::new(move |()| state.problem.set(None))
            on_over=Callback::new(move |()| state.problem.set(None))
        />
    }
    .into_any()
}

/// The bar above a page of the frame.
#[component]
pub fn PageBar(
    /// The page's heading.
    #[prop(into)]
    title: Signal<String>,
    /// Whether the page has no other heading.
    #[prop(default = true)]
    heading: bool,
    /// What can be done with the page.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let state = FrameState::expect();
    let children = children.map(|children| children());
    view! {
        <TopBar
            title
            heading
            on_drawer=Callback::new(move |()| state.drawer.set(true))
            on_unfold=Callback::new(move |()| state.fold(false))
        >
            {children}
        </TopBar>
    }
}

/// Lets the clock go on in the browser, and tells the server the time zone for the next page.
fn keep_time(state: FrameState) {
    Effect::new(move || {
        browser::write_cookie("tz", &browser::time_zone());
        if !state.time_zone_chosen {
            state.clock.update(|clock| clock.zone = ReaderZone::Browser);
        }
        let begin = state.clock.with_untracked(|clock| clock.now);
        let started = browser::now_millis();
        let tick = move || {
            #[expect(clippy::cast_possible_truncation, reason = "milliseconds of one visit")]
            let passed = (browser::now_millis() - started) as i64;
            state.clock.try_update(|clock| clock.now = begin.plus_millis(passed.max(0)));
        };
        if let Ok(handle) = set_interval_with_handle(tick, std::time::Duration::from_secs(60)) {
            on_cleanup(move || handle.clear());
        }
    });
}

/// Looks at the list again while an answer is being written in some chat, so that its mark goes away.
fn watch_runs(state: FrameState) {
    let running = Memo::new(move |_| state.chats.with(|chats| chats.iter().any(|chat| chat.running)));
    Effect::new(move || {
        if running.get()
            && !state.signed_out.get()
            && let Ok(handle) =
                set_interval_with_handle(move || state.refresh_chats(), std::time::Duration::from_secs(5))
        {
            on_cleanup(move || handle.clear());
        }
    });
}

/// Looks again when something may have changed elsewhere.
fn watch_elsewhere(state: FrameState) {
    // The effect keeps its watch as long as the frame is there.
    Effect::new(move |_: Option<Elsewhere>| {
        Elsewhere::watch(move || {
            state.news.try_update(|news| *news += 1);
            state.refresh_chats();
        })
    });
}
