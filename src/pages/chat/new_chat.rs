//! `/`

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use server_fn::ServerFn;

use super::{greeting::Greeting, messages::new_chat, send::MessageSender, starters::Starters};
use crate::{
    components::{Composer, ComposerState, Glyph, Icon, PageTitle, TimeAgo},
    domain::{ChatSummary, ModelChoice, Role},
    pages::{
        shell::{ChatListState, CurrentPerson, MessageFormId, Models, PageBar, ReaderTime},
        toolkit::url_error,
    },
    server_fns::messages::SendMessage,
};

/// A new chat: a greeting and the composer, with starters for new people, and the most recent chats on phones.
#[component]
pub fn NewChatPage() -> impl IntoView {
    let (chats, models) = (ChatListState::expect(), Models::expect());
    let person = CurrentPerson::expect();
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
    let user = person.user.get_untracked();
    view! {
        <PageTitle text=t!("chat.new_chat") />
        <PageBar title=t!("chat.new_chat") heading=false />
        <div class="page new-chat">
            <div class="new-chat-content">
                <img class="mx-auto mb-4" src="/icon.svg" alt="" width="36" height="36" />
                <Greeting name=user.name />
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
                <ModelNote models is_administrator=user.role == Role::Administrator />
                {person.address_unverified.then(address_note)}
                <Starters chats=chats.chats draft=sender.draft />
                <RecentChats chats=chats.chats />
            </div>
        </div>
    }
    .into_any()
}

/// A line below the composer if there is no model, or only the very small one, with the way to a larger one.
#[component]
fn ModelNote(models: Models, is_administrator: bool) -> impl IntoView {
    /// Whether the selected model is the bundled one, and its name; `None` if there is no model.
    fn chosen(models: Models) -> Option<(bool, String)> {
        let id = models.chosen.get();
        let model = |choice: &ModelChoice| choice.models.iter().find(|model| model.id == id).cloned();
        models.choice.with_value(model).map(|model| (model.bundled, model.label))
    }
    move || {
        let (sentence, can_dismiss) = match chosen(models) {
            None => (t!("chat.new.no_model").to_owned(), false),
            Some((true, _)) if models.small_model_note_dismissed.get() => return None,
            Some((true, model)) => (t!("chat.new.small_model", model = model), true),
            Some(_) => return None,
        };
        let way = match (is_administrator, can_dismiss) {
            (true, true) => connect_link(t!("chat.new.connect_larger")),
            (true, false) => connect_link(t!("chat.new.connect")),
            (false, true) => t!("chat.new.ask_for_larger").into_any(),
            (false, false) => t!("chat.new.ask_for_model").into_any(),
        };
        let dismiss = can_dismiss.then(|| {
            view! {
                <button
                    class="icon-btn js-only"
                    type="button"
                    aria-label=t!("chat.new.dismiss")
                    on:click=move |_| models.dismiss_small_model_note()
                >
                    <Icon glyph=Glyph::X />
                </button>
            }
        });
        Some(view! {
            <div class="composer-note">
                <p>{sentence} " " {way}</p>
                {dismiss}
            </div>
        })
    }
}

fn connect_link(text: &'static str) -> AnyView {
    view! {
        <a class="link" href="/models">
            {text}
        </a>
    }
    .into_any()
}

/// Asks an administrator to verify their address. Nobody asked before: the first account needs no verification.
fn address_note() -> AnyView {
    view! {
        <div class="composer-note">
            <p>
                {rich!("chat.new.verify_address", link = |content| view! {
                    <a class="link" href="/settings#address">
                        {content}
                    </a>
                })}
            </p>
        </div>
    }
    .into_any()
}

/// The most recent chats, where the sidebar does not show them.
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
            <section class="mt-8 lg:hidden">
                <h2 class="mb-1 px-2 text-label font-medium text-ink-faint">{t!("chat.new.go_on")}</h2>
                <ul>
                    <For
                        each=last
                        key=|chat| (chat.id, chat.title.clone())
                        children=move |chat| {
                            view! {
                                <li>
                                    <a class="sidebar-link min-h-12" href=format!("/chats/{}", chat.id)>
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
