//! `/chats/{id}`

mod live;
mod send;
mod state;
mod view;

pub use send::Sender;
pub use state::new_chat;

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use serde::{Deserialize, Serialize, Serializer};

use super::{
    fault::Faulty,
    frame::{FrameState, ToSignIn},
    loaded::loaded,
};
use crate::{
    domain::{AppError, Chat, ChatId, MessageId},
    server_fns::chats::find_chat,
};
use view::ChatView;

/// What the page is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ChatData {
    #[serde(serialize_with = "without_html")]
    chat: Chat,
    /// Whether an older window is shown, as one reads without scripts.
    older: bool,
}

/// What stands for HTML that is on the page already.
const ON_THE_PAGE: &str = " ";

/// The browser takes over answers that the server has rendered into the page, so they are not sent a second time.
fn without_html<S: Serializer>(chat: &Chat, serializer: S) -> Result<S::Ok, S::Error> {
    let mut chat = chat.clone();
    for message in chat.window.messages.iter_mut().filter(|message| !message.html.is_empty()) {
        ON_THE_PAGE.clone_into(&mut message.html);
    }
    chat.serialize(serializer)
}

async fn load(id: Option<ChatId>, before: Option<MessageId>, made: Option<Chat>) -> Result<ChatData, AppError> {
    let id = id.ok_or(AppError::NotFound)?;
    if let Some(chat) = made {
        return Ok(ChatData { chat, older: false });
    }
    Ok(ChatData { chat: find_chat(id, before).await?, older: before.is_some() })
}

/// A chat of the person's.
#[component]
pub fn ChatPage() -> impl IntoView {
    let frame = FrameState::expect();
    let params = use_params_map();
    let query = use_query_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id")?.parse::<ChatId>().ok()));
    let before = Memo::new(move |_| query.with(|query| query.get("before")?.parse::<MessageId>().ok()));
    let data = Resource::new_blocking(
        move || (id.get(), before.get()),
        move |(id, before)| {
            let fits = |chat: &mut Chat| Some(chat.id) == id;
            let made = frame.made.try_update_value(|made| made.take_if(fits)).flatten();
            load(id, before, made)
        },
    );
    view! {
        <Transition>
            {loaded(move || async move {
                match data.await {
                    Ok(ChatData { chat, older }) => view! { <ChatView chat older /> }.into_any(),
                    Err(AppError::Unauthenticated) => view! { <ToSignIn /> }.into_any(),
                    Err(error) => view! { <Faulty error /> }.into_any(),
                }
            })}
        </Transition>
    }
    .into_any()
}
