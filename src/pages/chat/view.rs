use std::time::Duration;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use server_fn::ServerFn;

use super::{live::LiveAnswer, menu::OpenChatMenu, messages::open_run, state::ChatState};
use crate::{
    components::{
        Answer, AnswerCallbacks, AnswerForms, BranchForms, Composer, JumpToLatest, MessageEditing, MessageIdInputs,
        PageTitle, STOP_FORM_ID, TitleRename, Transcript, UserMessage, VersionChoice, copy_label,
    },
    domain::{Author, Chat, ChatId, Message, MessageId},
    pages::{
        shell::{ChatListState, MessageFormId, Models, PageBar, ReaderTime, SignInState},
        toolkit::url_error,
    },
    server_fns::messages::{
        ChooseVersion, ContinueAnswer, CopyBranch, DeleteBranch, EditMessage, RetryAnswer, SendMessage, StopAnswer,
    },
};

/// An open chat: the transcript and the composer.
#[component]
pub fn ChatView(
    /// The chat with one window of its messages.
    chat: Chat,
    /// Whether this is not the newest window.
    older: bool,
) -> impl IntoView {
    let (chats, sign_in) = (ChatListState::expect(), SignInState::expect());
    let models = Models::expect();
    let query = use_query_map();
    let of_query = |name: &str| query.with_untracked(|query| query.get(name)?.parse::<MessageId>().ok());
    // Without scripts, the page loads again during an answer, which would lose what is typed in the meantime.
    let is_idle = chat.window.messages.last().is_some_and(|last| !last.state.is_open());
    let state = ChatState::new(models, chats, &chat, of_query("edit").filter(|_| is_idle));
    let edit_url = edit_url(chat.id, of_query("before"));
    let error = url_error::<SendMessage>()
        .or_else(url_error::<RetryAnswer>)
        .or_else(url_error::<ContinueAnswer>)
        .or_else(url_error::<ChooseVersion>)
        .or_else(url_error::<EditMessage>)
        .or_else(url_error::<CopyBranch>)
        .or_else(url_error::<DeleteBranch>)
        .or_else(url_error::<StopAnswer>);
    state.sender.error.set(error);
    if just_asked(&chat) {
        Effect::new(move || state.scroll.show_question());
    }
    if !older {
        let id = chat.id;
        // Once the page before is gone: its title is read from the same list.
        Effect::new(move || set_timeout(move || chats.mark_read(id), Duration::ZERO));
        Effect::watch(move || chats.external_changes.get(), move |_, _, _| state.reload_if_idle(), false);
    }
    let title = chat_title(chats, &chat);
    let id = chat.id;
    let on_rename = Callback::new(move |title| chats.rename(id, title, || ()));
    let rename = TitleRename { editing: RwSignal::new(false), on_rename };
    let first = Memo::new(move |_| state.messages.with(|messages| messages.first().map(|message| message.id)));
    let chat_url = format!("/chats/{}", chat.id);
    let older_href = format!("{chat_url}?before=");
    view! {
        <PageTitle text=title />
        <PageBar
            title
            rename=Some(rename)
            model=Signal::derive(move || models.label(&state.sender.model.get()))
        >
            <OpenChatMenu chat title editing=rename.editing chats />
        </PageBar>
        {move || {
            (state.offline.get() && !sign_in.ended.get())
                .then(|| view! { <p class="bar" role="status">{t!("chat.transcript.reconnecting")}</p> })
        }}
        <Transcript
            scroll=state.scroll
            has_older=state.has_older
            on_older=Callback::new(move |()| state.load_older())
            on_code_copied=Callback::new(move |copied| {
                state.announce_again(copy_label(Some(copied)).to_owned());
            })
            first
            older_href=Signal::derive(move || first.get().map_or_else(String::new, |first| format!("{older_href}{first}")))
        >
            <MessageRows state edit_url />
            {older
                .then(|| {
                    view! {
                        <p class="py-4 text-center">
                            <a class="link" href=chat_url rel="external">
                                {t!("chat.transcript.to_newest")}
                            </a>
                        </p>
                    }
                })}
        </Transcript>
        <ComposerDock state />
        <p class="sr-only" aria-live="polite">
            {state.announcement}
        </p>
    }
    .into_any()
}

/// Whether nothing of the last answer is written yet.
fn just_asked(chat: &Chat) -> bool {
    let last = chat.window.messages.last();
    last.is_some_and(|last| last.state.is_open() && last.html.is_empty() && last.reasoning_html.is_empty())
}

/// The title from the chat list, where it may change; the loaded one if the chat is not in the list.
fn chat_title(list: ChatListState, chat: &Chat) -> Signal<String> {
    let (id, title) = (chat.id, chat.title.clone());
    Signal::derive(move || {
        let listed = list.chats.with(|chats| chats.iter().find(|c| c.id == id).map(|c| c.title.clone()));
        listed.unwrap_or_else(|| title.clone())
    })
}

/// The URL of the page with the same window, to which the id of the message is appended that is edited there.
fn edit_url(chat: ChatId, before: Option<MessageId>) -> String {
    let window = before.map(|before| format!("before={before}&")).unwrap_or_default();
    format!("/chats/{chat}?{window}edit=")
}

#[component]
fn MessageRows(state: ChatState, edit_url: String) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    let last = Memo::new(move |_| state.last_message_id());
    let branch = BranchForms { copy: CopyBranch::url(), delete: DeleteBranch::url() };
    let forms = AnswerForms {
        chat: state.id,
        branch,
        retry: RetryAnswer::url(),
        continue_answer: ContinueAnswer::url(),
        models: Models::expect().choice,
    };
    let callbacks = AnswerCallbacks {
        copy: Callback::new(move |(id, copied)| state.copy(id, copied)),
        retry: Callback::new(move |(id, model)| state.retry(id, model)),
        continue_answer: Callback::new(move |id: MessageId| state.continue_answer(id)),
    };
    let answering = Memo::new(move |_| state.open_answer_id().is_some());
    let choice = VersionChoice {
        chat: state.id,
        action: ChooseVersion::url(),
        disabled: answering.into(),
        on_choose: Callback::new(move |(shown, chosen)| state.choose_version(shown, chosen)),
    };
    let editing = MessageEditing {
        chat: state.id,
        action: EditMessage::url(),
        client_id: MessageFormId::expect().0,
        edit_url: StoredValue::new(edit_url),
        message: state.edited,
        on_save: Callback::new(move |(message, id, text)| state.save_edited(message, id, text)),
    };
    let row = move |message: Message| {
        let id = message.id;
        match (message.author, open_run(&message)) {
            (Author::User, _) => {
                view! { <UserMessage message on_copy=callbacks.copy choice editing branch /> }.into_any()
            }
            (_, Some((run, phase))) => view! { <LiveAnswer message run phase state /> }.into_any(),
            _ => view! {
                <Answer
                    message
                    clock
                    last=Signal::derive(move || last.get() == Some(id))
                    model=state.sender.model
                    forms
                    callbacks
                    choice
                    seen_growing=state.seen_growing.with_value(|seen| seen.contains(&id))
                />
            }
            .into_any(),
        }
    };
    view! {
        <For
            each=move || state.messages.get()
            // A row is rebuilt only when its run changes or ends, or when there is another version.
            key=|message| {
                let versions = message.versions.map(|versions| versions.count);
                (message.id, open_run(message).map(|(run, _)| run), versions)
            }
            children=row
        />
    }
    .into_any()
}

#[component]
fn ComposerDock(state: ChatState) -> impl IntoView {
    let models = Models::expect().choice.get_value();
    let client_id = MessageFormId::expect().0;
    let open = Memo::new(move |_| state.open_answer_id());
    view! {
        <div class="dock">
            <JumpToLatest scroll=state.scroll answering=Signal::derive(move || open.get().is_some()) />
            <Composer
                action=SendMessage::url()
                chat=Some(state.id)
                client_id
                models
                model=state.sender.model
                on_model=Callback::new(move |id| state.sender.choose_model(id))
                draft=state.sender.draft
                state=Signal::derive(move || state.composer_state())
                error=state.sender.error
                on_send=Callback::new(move |()| state.send())
                on_stop=Callback::new(move |()| state.stop())
                on_edit_last=Callback::new(move |()| state.edit_last())
            />
            // Without scripts the stop button of the composer submits this form.
            <form id=STOP_FORM_ID method="post" action=StopAnswer::url()>
                {move || open.get().map(|message| view! { <MessageIdInputs chat=state.id message /> })}
            </form>
        </div>
    }
    .into_any()
}
