//! `/`

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use server_fn::ServerFn;

use super::{messages::new_chat, send::MessageSender};
use crate::{
    components::{Composer, ComposerState, Notice, PageTitle, TimeAgo},
    domain::{ChatSummary, ModelOption},
    pages::{
        shell::{ChatListState, CurrentPerson, MessageFormId, Models, PageBar, ReaderTime},
        toolkit::url_error,
    },
    server_fns::messages::SendMessage,
};

/// A new chat: a greeting, the composer, the most recent chats.
#[component]
pub fn NewChatPage() -> impl IntoView {
    let (chats, models) = (ChatListState::expect(), Models::expect());
    let user = CurrentPerson::expect().user;
    let sender = MessageSender::new(models, models.chosen, "new");
    sender.error.set(url_error::<SendMessage>());
    let navigate = use_navigate();
    let send = move || {
        let Some(outgoing) = sender.take_draft() else { return };
        let text = outgoing.text().to_owned();
        let navigate = navigate.clone();
        spawn_local(async move {
            let sent = sender.send(None, outgoing).await;
            if sent.is_some() {
                chats.notify_changed();
            }
            // Do not navigate if the user has left the page in the meantime.
            if let Some(sent) = sent.filter(|_| !sender.sending.is_disposed()) {
                let path = format!("/chats/{}", sent.chat);
                // The chat's page renders this immediately, without a request.
                chats.store_new_chat(new_chat(&sent, text, sender.model.get_untracked(), sender.model_label()));
                navigate(&path, NavigateOptions::default());
            }
        });
    };
    let composer_state =
        Signal::derive(move || if sender.sending.get() { ComposerState::Sending } else { ComposerState::Ready });
    let name = user.with_untracked(|user| user.name.clone());
    view! {
        <PageTitle text=t!("chat.new_chat") />
        <PageBar title=t!("chat.new_chat") heading=false />
        <div class="page flex flex-col">
            <div class="column my-auto pt-8 pb-[12vh]">
                <h1 class="mb-6 text-center text-display font-semibold tracking-tight">
                    {rich!("chat.new.question", name = |_| view! { <bdi>{name.clone()}</bdi> })}
                </h1>
                <Composer
                    action=SendMessage::url()
                    chat=None
                    client_id=MessageFormId::expect().0
                    models=models.choice.get_value()
                    model=models.chosen
                    on_model=Callback::new(move |id| sender.choose_model(id))
                    draft=sender.draft
                    state=composer_state
                    error=sender.error
                    on_send=Callback::new(move |()| send())
                    on_stop=Callback::new(|()| ())
                />
                <SmallModelNote models />
                <RecentChats chats=chats.chats />
            </div>
        </div>
    }
    .into_any()
}

/// A note that the bundled model is very small, and how to connect a larger one.
#[component]
fn SmallModelNote(models: Models) -> impl IntoView {
    let chosen = move || {
        let id = models.chosen.get();
        models.choice.with_value(|choice| choice.models.iter().find(|model| model.id == id).cloned())
    };
    move || {
        let note = match chosen() {
            None => t!("chat.new.no_model").to_owned(),
            Some(ModelOption { bundled: true, label, .. }) => t!("chat.new.small_model", model = label),
            Some(_) => return None,
        };
        Some(view! {
            <div class="mt-4">
                <Notice>{note}</Notice>
            </div>
        })
    }
}

#[component]
fn RecentChats(chats: RwSignal<Vec<ChatSummary>>) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    let last = move || {
        chats.with(|chats| {
            let mut newest = chats.clone();
            newest.sort_by_key(|chat| std::cmp::Reverse(chat.active_at));
            newest.truncate(3);
            newest
        })
    };
    view! {
        <Show when=move || chats.with(|chats| !chats.is_empty())>
            <section class="mt-10">
                <h2 class="mb-1 px-2 text-label font-medium text-ink-faint">{t!("chat.new.go_on")}</h2>
                <ul>
                    <For
                        each=last
                        key=|chat| (chat.id, chat.title.clone())
                        children=move |chat| {
                            view! {
                                <li>
                                    <a class="sidebar-link" href=format!("/chats/{}", chat.id)>
                                        <span class="min-w-0 flex-1 truncate" dir="auto">
                                            {chat.title}
                                        </span>
                                        <span class="flex-none text-label text-ink-faint">
                                            <TimeAgo at=chat.active_at clock />
                                        </span>
                                    </a>
                                </li>
                            }
                        }
                    />
                </ul>
            </section>
        </Show>
    }
    .into_any()
}
