use leptos::{prelude::*, web_sys};
use server_fn::ServerFn;

use crate::{
    components::{PageTitle, chat_action_name},
    domain::{ChatAction, ChatId},
    pages::shell::{ChatListState, PageBar, set_status},
    server_fns::chats::ChangeChats,
};

/// The page of a chat that is deleted and can be restored.
#[component]
pub fn DeletedChat(
    /// The chat.
    id: Option<ChatId>,
    /// Called when a chat was restored in this tab, here or by the toast.
    on_restored: impl Fn() + 'static,
) -> impl IntoView {
    set_status(410);
    let chats = ChatListState::expect();
    Effect::watch(move || chats.restored.get(), move |_, _, _| on_restored(), false);
    let on_submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        chats.restore(id);
    };
    let title = t!("chat.deleted_page.title");
    view! {
        <PageTitle text=title />
        <PageBar title heading=false />
        <div class="error-message">
            <div>
                <h1>{title}</h1>
                <p>{t!("chat.deleted_page.sentence")}</p>
                <form class="flex flex-wrap justify-center gap-2" method="post" action=ChangeChats::url() on:submit=on_submit>
                    <input type="hidden" name="chats[]" value=id.map(|id| id.to_string()) />
                    <input type="hidden" name="action" value=chat_action_name(ChatAction::Restore) />
                    <button class="btn btn-primary" type="submit">
                        {t!("chat.action.restore")}
                    </button>
                    <a class="btn btn-line" href="/sessions">
                        {t!("chat.topbar.all_chats")}
                    </a>
                </form>
            </div>
        </div>
    }
    .into_any()
}
