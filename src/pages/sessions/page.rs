//! `/sessions`

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use server_fn::ServerFn;

use super::{list::SessionList, query::SessionsQuery, search::SearchForm, tabs::Tabs, undo_banner::UndoBanner};
use crate::{
    components::{FormError, Glyph, Icon},
    domain::{AppError, ChatFilter, ChatPage, Role},
    pages::{
        shell::{ChatListState, CurrentPerson, Loaded, Page, page_resource},
        toolkit::url_error,
    },
    server_fns::{
        account::SignOut,
        chats::{ChangeChats, RenameChat, list_chats},
    },
};

/// The user's chats, newest first, with their actions.
#[component]
pub fn SessionsPage() -> impl IntoView {
    let restored = ChatListState::expect().restored;
    let query = use_query_map();
    let list_query = Memo::new(move |_| {
        query.with(|query| SessionsQuery {
            filter: match query.get_str("filter") {
                Some("pinned") => ChatFilter::Pinned,
                Some("archived") => ChatFilter::Archived,
                _ => ChatFilter::All,
            },
            search: query.get("q").unwrap_or_default(),
            cursor: query.get("cursor"),
        })
    });
    let page = page_resource(
        move || (list_query.get(), restored.get()),
        |(list_query, _)| async move {
            let page = list_chats(list_query.filter, list_query.search.clone(), list_query.cursor.clone()).await?;
            Ok::<(SessionsQuery, ChatPage), AppError>((list_query, page))
        },
    );
    let deleted = StoredValue::new(None);
    let administrator = CurrentPerson::expect().user.with_untracked(|user| user.role == Role::Administrator);
    let error = url_error::<ChangeChats>().or_else(url_error::<RenameChat>).map(|error| error.text());
    view! {
        <Page title=t!("sessions.title") class="column sessions">
            <h1 class="mb-4 text-title font-semibold max-lg:sr-only">{t!("sessions.title")}</h1>
            <FormError error=Signal::stored(error) id="sessions-error" />
            <SearchForm list_query />
            <Tabs list_query />
            <UndoBanner />
            <Loaded
                data=page
                view=move |(list_query, page)| view! { <SessionList list_query page deleted /> }.into_any()
            />
            // Without scripts this page replaces the menu on phones.
            <form class="nojs-only mt-12 flex flex-wrap gap-3 lg:hidden" method="post" action=SignOut::url()>
                <a class="btn btn-line" href="/settings">
                    <Icon glyph=Glyph::Settings />
                    {t!("sessions.menu.settings")}
                </a>
                {administrator
                    .then(|| {
                        view! {
                            <a class="btn btn-line" href="/people">
                                <Icon glyph=Glyph::Users />
                                {t!("sessions.menu.people")}
                            </a>
                            <a class="btn btn-line" href="/audit">
                                <Icon glyph=Glyph::ScrollText />
                                {t!("sessions.menu.audit")}
                            </a>
                            <a class="btn btn-line" href="/jobs">
                                <Icon glyph=Glyph::RotateCw />
                                {t!("sessions.menu.jobs")}
                            </a>
                            <a class="btn btn-line" href="/models">
                                <Icon glyph=Glyph::Cpu />
                                {t!("sessions.menu.models")}
                            </a>
                        }
                    })}
                <button class="btn btn-line" type="submit">
                    <Icon glyph=Glyph::LogOut />
                    {t!("sessions.menu.sign_out")}
                </button>
            </form>
        </Page>
    }
    .into_any()
}
