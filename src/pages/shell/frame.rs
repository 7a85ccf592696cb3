use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    components::Outlet,
    hooks::{use_location, use_navigate},
};
use serde::{Deserialize, Serialize};
use server_fn::ServerFn;

use super::{
    chat_list::ChatListState,
    connection_bar::ConnectionBar,
    cookie::read_cookie,
    current_person::CurrentPerson,
    deletion_notice::DeletionNotice,
    enrolment::{EnrolmentNotice, enforce_enrolment},
    error_page::ErrorPage,
    factor_removal_notice::FactorRemovalNotice,
    guard::RedirectToSignIn,
    language::reload_if_language_changed,
    loaded::loaded,
    message_form_id::MessageFormId,
    models::{Models, SMALL_MODEL_NOTE},
    navigation::PageAnnouncer,
    page_resource::page_resource,
    reader_time::ReaderTime,
    search_dialog::SearchDialog,
    shortcuts::{Dialogs, ShortcutsDialog, watch_shortcuts},
    sidebar_state::SidebarState,
    sign_in_state::SignInState,
    signed_out_notice::SignedOutNotice,
    toast_area::ToastArea,
    toasts::Toasts,
};
#[cfg(feature = "ssr")]
use crate::server::site::UnknownUrl;
use crate::{
    components::{ChatForms, ChatRowActions, Drawer, ReaderClock, ReaderZone, Sidebar, UnreadChats},
    domain::{AppError, ChatAction, ChatId, ClientId, Frame},
    server_fns::{
        account::SignOut,
        chats::{ChangeChats, RenameChat},
        frame::load_frame,
    },
};

/// The data of the frame, loaded in one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct FrameData {
    frame: Frame,
    /// The id of the model that was last chosen in this browser.
    model: Option<String>,
    /// Whether the note about the small model was dismissed in this browser.
    small_model_note_dismissed: bool,
    /// The message id (idempotency key) for a form without scripts.
    client_id: ClientId,
}

/// Whether the page that is being rendered has an unknown URL, where it does not help to sign in.
fn is_unknown_url() -> bool {
    #[cfg(feature = "ssr")]
    {
        use_context::<UnknownUrl>().is_some()
    }
    #[cfg(not(feature = "ssr"))]
    false
}

async fn load() -> Result<FrameData, AppError> {
    let is_unknown_url = is_unknown_url();
    let model = read_cookie("model");
    let small_model_note_dismissed = read_cookie(SMALL_MODEL_NOTE).is_some();
    let frame = match load_frame().await {
        Err(AppError::Unauthenticated) if is_unknown_url => return Err(AppError::NotFound),
        frame => frame?,
    };
    Ok(FrameData { frame, model, small_model_note_dismissed, client_id: ClientId::random() })
}

/// The frame around every page of a signed-in user. Signed-out visitors are redirected to the sign-in page; at an
/// unknown URL they see that instead.
#[component]
pub fn FramePage() -> impl IntoView {
    let data = page_resource(|| (), |()| load());
    view! {
        <Suspense>
            {loaded(move || async move {
                match data.await {
                    Ok(data) => view! { <FrameView data /> }.into_any(),
                    Err(AppError::Unauthenticated) => view! { <RedirectToSignIn /> }.into_any(),
                    Err(error) => view! { <ErrorPage error on_retry=Callback::new(move |()| data.refetch()) /> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn FrameView(data: FrameData) -> impl IntoView {
    let FrameData { frame, model, small_model_note_dismissed, client_id } = data;
    let person = CurrentPerson {
        user: RwSignal::new(frame.user),
        picture: RwSignal::new(frame.picture),
        must_enrol: RwSignal::new(frame.must_enrol),
        address_unverified: frame.address_unverified,
        deletion: RwSignal::new(frame.deletion),
    };
    let zone = ReaderZone::Known(frame.clock_changes.into());
    let time = ReaderTime::new(ReaderClock { now: frame.now, zone });
    let (sign_in, toasts) = (SignInState::new(), Toasts::new());
    let chats = ChatListState::new(frame.chats.chats, toasts, sign_in);
    let sidebar = SidebarState::new(frame.sidebar_folded, frame.pinned_folded);
    provide_context(person);
    provide_context(time);
    provide_context(sign_in);
    provide_context(chats);
    provide_context(UnreadChats(chats.count_unread()));
    provide_context(sidebar);
    provide_context(Models::new(frame.models, model, small_model_note_dismissed));
    provide_context(MessageFormId(client_id));
    time.start(frame.time_zone_chosen);
    Effect::new(move || reload_if_language_changed(&frame.language));
    chats.poll_running();
    chats.watch_external_changes();
    enforce_enrolment(person.must_enrol);
    sign_in.watch();
    let clock = time.clock;
    let dialogs = Dialogs::new();
    watch_shortcuts(dialogs, sidebar);
    let actions = chat_row_actions(chats);
    let sidebar_view = move |close_label: &'static str, on_close: Callback<()>, replace: bool| {
        view! {
            <Sidebar
                user=person.user
                picture=person.picture
                chats=chats.chats
                clock
                pinned_folded=sidebar.pinned_folded
                actions
                sign_out=SignOut::url()
                on_search=Callback::new(move |()| {
                    sidebar.drawer.set(false);
                    dialogs.search.set(true);
                })
                on_shortcuts=Callback::new(move |()| {
                    sidebar.drawer.set(false);
                    dialogs.shortcuts.set(true);
                })
                on_close
                close_label
                replace
            />
        }
    };
    view! {
        <a class="skip btn btn-primary" href="#main" rel="external">
            {t!("chat.frame.skip")}
        </a>
        <div class="frame" data-folded=move || sidebar.is_folded().then_some("")>
            {sidebar_view(t!("chat.sidebar.hide"), Callback::new(move |()| sidebar.set_folded(true)), false)}
            <main class="main" id="main" tabindex="-1">
                <ConnectionBar />
                {move || sign_in.ended.get().then(|| view! { <SignedOutNotice /> })}
                <DeletionNotice due=person.deletion clock />
                <FactorRemovalNotice due=frame.factor_removal clock />
                {move || person.must_enrol.get().then(|| view! { <EnrolmentNotice /> })}
                <Outlet />
            </main>
        </div>
        <Drawer open=sidebar.drawer label=t!("chat.sidebar.chats")>
            {sidebar_view(t!("common.close"), Callback::new(move |()| sidebar.drawer.set(false)), true)}
        </Drawer>
        <SearchDialog open=dialogs.search />
        <ShortcutsDialog open=dialogs.shortcuts />
        <ToastArea toasts chats />
        <PageAnnouncer />
    }
    .into_any()
}

/// What the rows of the sidebar do. After the open chat was deleted, its page does not exist any more.
fn chat_row_actions(chats: ChatListState) -> ChatRowActions {
    let (navigate, path) = (use_navigate(), use_location().pathname);
    let on_action = Callback::new(move |(id, action): (ChatId, ChatAction)| {
        let navigate = navigate.clone();
        chats.change(vec![id], action, move || {
            if action == ChatAction::Delete && path.get_untracked() == format!("/chats/{id}") {
                navigate("/", NavigateOptions::default());
            }
        });
    });
    let on_rename = Callback::new(move |(id, title)| chats.rename(id, title, || ()));
    let forms = ChatForms { change: ChangeChats::url(), rename: RenameChat::url() };
    ChatRowActions { forms, on_action, on_rename }
}
