//! `/sessions`

mod list;
mod menu;
mod search;

pub use menu::ChatMenu;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use serde::{Deserialize, Serialize};
use server_fn::ServerFn;

use super::{
    fault::Faulty,
    forms::url_error,
    frame::{FrameState, PageBar, ToSignIn},
    loaded::loaded,
};
use crate::{
    components::{FormError, Glyph, Icon, PageTitle},
    domain::{AppError, ChatAction, ChatFilter, ChatId, ChatPage, Role},
    server_fns::{
        account::SignOut,
        chats::{ChangeChats, RenameChat, list_chats},
    },
};
use list::SessionList;
use search::{SearchForm, Tabs};

/// Which part of the list is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Shown {
    /// Which chats.
    pub filter: ChatFilter,
    /// What their titles contain.
    pub search: String,
    /// Where the page begins.
    pub cursor: Option<String>,
}

impl Shown {
    /// The address of this part.
    pub fn href(&self) -> String {
        let mut pairs = Vec::new();
        match self.filter {
            ChatFilter::All => {}
            ChatFilter::Pinned => pairs.push("filter=pinned".to_owned()),
            ChatFilter::Archived => pairs.push("filter=archived".to_owned()),
        }
        if !self.search.is_empty() {
            pairs.push(format!("q={}", leptos_router::location::Url::escape(&self.search)));
        }
        pairs.extend(self.cursor.as_ref().map(|cursor| format!("cursor={cursor}")));
        if pairs.is_empty() { "/sessions".to_owned() } else { format!("/sessions?{}", pairs.join("&")) }
    }
}

/// The person's chats, newest first, with what can be done with them.
#[component]
pub fn SessionsPage() -> impl IntoView {
    let frame = FrameState::expect();
    let query = use_query_map();
    let shown = Memo::new(move |_| {
        query.with(|query| Shown {
            filter: match query.get_str("filter") {
                Some("pinned") => ChatFilter::Pinned,
                Some("archived") => ChatFilter::Archived,
                _ => ChatFilter::All,
            },
            search: query.get("q").unwrap_or_default(),
            cursor: query.get("cursor"),
        })
    });
    let page = Resource::new_blocking(
        move || (shown.get(), frame.restored.get()),
        |(shown, _)| async move {
            let page = list_chats(shown.filter, shown.search.clone(), shown.cursor.clone()).await?;
            Ok::<(Shown, ChatPage), AppError>((shown, page))
        },
    );
    let administrator = frame.user.with_untracked(|user| user.role == Role::Administrator);
    let error = url_error::<ChangeChats>().or_else(url_error::<RenameChat>).map(|error| error.to_string());
    view! {
        <PageTitle text="Chats" />
        <PageBar title="Chats" heading=false />
        <div class="page">
            <div class="column sessions">
                <h1 class="mb-4 text-title font-semibold max-lg:sr-only">"Chats"</h1>
                <FormError error=Signal::stored(error) id="sessions-error" />
                <SearchForm shown />
                <Tabs shown />
                <UndoBanner />
                <Transition>
                    {loaded(move || async move {
                        match page.await {
                            Ok((shown, page)) => view! { <SessionList shown page /> }.into_any(),
                            Err(AppError::Unauthenticated) => view! { <ToSignIn /> }.into_any(),
                            Err(error) => view! { <Faulty error /> }.into_any(),
                        }
                    })}
                </Transition>
                // On phones this page is the menu where there are no scripts.
                <form class="nojs-only mt-12 flex flex-wrap gap-3 lg:hidden" method="post" action=SignOut::url()>
                    <a class="btn btn-line" href="/settings">
                        <Icon glyph=Glyph::Settings />
                        "Settings"
                    </a>
                    {administrator
                        .then(|| {
                            view! {
                                <a class="btn btn-line" href="/people">
                                    <Icon glyph=Glyph::Users />
                                    "People"
                                </a>
                                <a class="btn btn-line" href="/audit">
                                    <Icon glyph=Glyph::ScrollText />
                                    "Audit"
                                </a>
                                <a class="btn btn-line" href="/jobs">
                                    <Icon glyph=Glyph::RotateCw />
                                    "Jobs"
                                </a>
                            }
                        })}
                    <button class="btn btn-line" type="submit">
                        <Icon glyph=Glyph::LogOut />
                        "Sign out"
                    </button>
                </form>
            </div>
        </div>
    }
    .into_any()
}

/// Offers to undo a deletion that was made without scripts.
#[component]
fn UndoBanner() -> impl IntoView {
    let query = use_query_map();
    let deleted = move || -> Vec<ChatId> {
        let named = query.with(|query| query.get("deleted")).unwrap_or_default();
        named.split(',').filter_map(|id| id.parse().ok()).collect()
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
                        {if deleted.len() == 1 {
                            "Chat deleted.".to_owned()
                        } else {
                            format!("{} chats deleted.", deleted.len())
                        }}
                    </p>
                    <button class="btn btn-line btn-small" type="submit" name="action" value=action_name(ChatAction::Restore)>
                        <Icon glyph=Glyph::Undo />
                        "Undo"
                    </button>
                </form>
            }
        })
    }
}

/// An action as plain forms send it.
pub fn action_name(action: ChatAction) -> &'static str {
    match action {
        ChatAction::Pin => "pin",
        ChatAction::Unpin => "unpin",
        ChatAction::Archive => "archive",
        ChatAction::Unarchive => "unarchive",
        ChatAction::Delete => "delete",
        ChatAction::Restore => "restore",
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn an_action_has_the_same_name_on_both_sides() {
        use ChatAction::*;
        for action in [Pin, Unpin, Archive, Unarchive, Delete, Restore] {
            assert_eq!(serde_json::to_value(action).expect("a name"), action_name(action));
        }
    }

    #[test]
    fn a_part_of_the_list_has_an_address() {
        assert_eq!(Shown::default().href(), "/sessions");
        let shown = Shown { filter: ChatFilter::Pinned, search: "a b&c".into(), cursor: Some("0.1.x".into()) };
        assert_eq!(shown.href(), "/sessions?filter=pinned&q=a%20b%26c&cursor=0.1.x");
    }
}
