use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use server_fn::ServerFn;

use crate::{
    components::{Glyph, Icon, chat_action_name},
    domain::{ChatAction, ChatId},
    server_fns::chats::ChangeChats,
};

/// A banner to undo a deletion that was made without scripts.
#[component]
pub fn UndoBanner() -> impl IntoView {
    let query = use_query_map();
    let deleted = move || -> Vec<ChatId> {
        let ids = query.with(|query| query.get("deleted")).unwrap_or_default();
        ids.split(',').filter_map(|id| id.parse().ok()).collect()
    };
    move || {
        let deleted = deleted();
        (!deleted.is_empty()).then(|| {
            let ids = deleted
                .iter()
                .map(|id| view! { <input type="hidden" name="chats[]" value=id.to_string() /> })
                .collect_view();
            view! {
                <form class="notice mt-4 items-center" method="post" action=ChangeChats::url()>
                    {ids}
                    <p class="flex-1" role="status">
                        {t!("sessions.deleted", count = deleted.len())}
                    </p>
                    <button
                        class="btn btn-line btn-small"
                        type="submit"
                        name="action"
                        value=chat_action_name(ChatAction::Restore)
                    >
                        <Icon glyph=Glyph::Undo />
                        {t!("sessions.undo")}
                    </button>
                </form>
            }
        })
    }
}
