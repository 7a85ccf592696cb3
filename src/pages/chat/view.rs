use leptos::prelude::*;
use server_fn::ServerFn;

use super::{
    live::{LiveAnswer, open_run},
    state::ChatState,
};
use crate::{
    components::{
        Answer, AnswerForms, AnswerIntents, Composer, Ids, JumpToLatest, PageTitle, STOP_FORM, Transcript, UserMessage,
    },
    domain::{Author, Chat, Message, MessageId},
    pages::{
        forms::url_error,
        frame::{FrameState, PageBar},
        sessions::ChatMenu,
    },
    server_fns::messages::{ContinueAnswer, RetryAnswer, SendMessage, StopAnswer},
};

/// An open chat: the transcript and the composer.
#[component]
pub fn ChatView(
    /// The chat with one window of its messages.
    chat: Chat,
    /// Whether that is not the newest window.
    older: bool,
) -> impl IntoView {
    let frame = FrameState::expect();
    let state = ChatState::new(frame, &chat);
    let error = url_error::<SendMessage>()
        .or_else(url_error::<RetryAnswer>)
        .or_else(url_error::<ContinueAnswer>)
        .or_else(url_error::<StopAnswer>);
    state.sender.error.set(error);
    if !older {
        Effect::watch(move || frame.news.get(), move |_, _, _| state.look_again(), false);
    }
    let title = title_of(frame, &chat);
    let first = Memo::new(move |_| state.messages.with(|messages| messages.first().map(|message| message.id)));
    let home = format!("/chats/{}", chat.id);
    let older_href = format!("{home}?before=");
    view! {
        <PageTitle text=title />
        <PageBar title>
            <ChatMenu chat=chat.id title pinned=chat.pinned archived=chat.archived />
        </PageBar>
        {move || {
            (state.offline.get() && !frame.signed_out.get())
                .then(|| view! { <p class="bar" role="status">"Reconnecting… The answer goes on meanwhile."</p> })
        }}
        <Transcript
            place=state.place
            has_older=state.has_older
            on_older=Callback::new(move |()| state.load_older())
            first
            older_href=Signal::derive(move || first.get().map_or_else(String::new, |first| format!("{older_href}{first}")))
        >
            <Rows state />
            {older
                .then(|| {
                    view! {
                        <p class="py-4 text-center">
                            <a class="link" href=home rel="external">
                                "Back to the newest messages"
                            </a>
                        </p>
                    }
                })}
        </Transcript>
        <Dock state />
        <p class="sr-only" aria-live="polite">
            {state.said}
        </p>
    }
    .into_any()
}

/// The title as the lists have it, where they do; it may change there.
fn title_of(frame: FrameState, chat: &Chat) -> Signal<String> {
    let (id, title) = (chat.id, chat.title.clone());
    Signal::derive(move || {
        let listed = frame.chats.with(|chats| chats.iter().find(|c| c.id == id).map(|c| c.title.clone()));
        listed.unwrap_or_else(|| title.clone())
    })
}

#[component]
fn Rows(state: ChatState) -> impl IntoView {
    let last = Memo::new(move |_| state.last());
    let forms = AnswerForms { chat: state.id, retry: RetryAnswer::url(), go_on: ContinueAnswer::url() };
    let intents = AnswerIntents {
        copy: Callback::new(move |(id, copied)| state.copy(id, copied)),
        retry: Callback::new(move |id: MessageId| state.retry(id)),
        go_on: Callback::new(move |id: MessageId| state.go_on(id)),
    };
    let row = move |message: Message| {
        let id = message.id;
        match (message.author, open_run(&message)) {
            (Author::User, _) => view! { <UserMessage message on_copy=intents.copy /> }.into_any(),
            (_, Some((run, phase))) => view! { <LiveAnswer message run phase state /> }.into_any(),
            _ => view! {
                <Answer
                    message
                    clock=state.frame.clock
                    last=Signal::derive(move || last.get() == Some(id))
                    model=state.sender.model
                    forms
                    intents
                />
            }
            .into_any(),
        }
    };
    view! {
        <For
            each=move || state.messages.get()
            // A row is made anew when its run changes or ends, and only then.
            key=|message| (message.id, open_run(message).map(|(run, _)| run))
            children=row
        />
    }
    .into_any()
}

#[component]
fn Dock(state: ChatState) -> impl IntoView {
    let frame = state.frame;
    let open = Memo::new(move |_| state.open());
    view! {
        <div class="dock">
            <JumpToLatest place=state.place />
            <Composer
                action=SendMessage::url()
                chat=Some(state.id)
                client_id=frame.client_id
                models=frame.models.get_value()
                model=state.sender.model
                on_model=Callback::new(move |id| state.sender.choose_model(id))
                draft=state.sender.draft
                composing=Signal::derive(move || state.composing())
                error=state.sender.error
                on_send=Callback::new(move |()| state.send())
                on_stop=Callback::new(move |()| state.stop())
            />
            // Without scripts the stop button of the composer sends this form.
            <form id=STOP_FORM method="post" action=StopAnswer::url()>
                {move || open.get().map(|message| view! { <Ids chat=state.id message /> })}
            </form>
        </div>
    }
    .into_any()
}
