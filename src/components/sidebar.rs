use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::{Avatar, ChatGroups, Glyph, Icon, Menu, ReaderClock};
use crate::domain::{ChatSummary, CurrentUser, Role};

/// The sidebar: new chat, search, the list of chats, the user's menu.
#[component]
pub fn Sidebar(
    /// The signed-in user.
    #[prop(into)]
    user: Signal<CurrentUser>,
    /// The version of their picture; 0 if there is none.
    #[prop(into)]
    picture: Signal<i64>,
    /// The newest chats.
    #[prop(into)]
    chats: Signal<Vec<ChatSummary>>,
    /// The reader's clock.
    #[prop(into)]
    clock: Signal<ReaderClock>,
    /// The URL of the sign-out form.
    sign_out: &'static str,
    /// Called when the user closes the sidebar.
    on_close: Callback<()>,
    /// The accessible name of the close button.
    close_label: &'static str,
    /// Whether links replace the history entry. They do in the drawer, which has its own entry.
    #[prop(default = false)]
    replace: bool,
) -> impl IntoView {
    view! {
        <aside class="sidebar" aria-label=t!("chat.sidebar.label")>
            <div class="flex items-center justify-between p-2 ps-4">
                <a class="font-semibold no-underline" href="/" prop:replace=replace>
                    "Colloquy"
                </a>
                <button
                    class="icon-btn js-only"
                    type="button"
                    aria-label=close_label
                    on:click=move |_| on_close.run(())
                >
                    <Icon glyph=if replace { Glyph::X } else { Glyph::PanelLeft } />
                </button>
            </div>
            <nav class="flex flex-col gap-1 px-2" aria-label=t!("chat.sidebar.main")>
                <a class="sidebar-link" href="/" prop:replace=replace>
                    <Icon glyph=Glyph::SquarePen />
                    {t!("chat.new_chat")}
                </a>
                <a class="sidebar-link" href="/sessions" prop:replace=replace>
                    <Icon glyph=Glyph::Search />
                    {t!("chat.sidebar.search")}
                </a>
            </nav>
            <ChatList chats clock replace />
            <PersonMenu user picture sign_out replace />
        </aside>
    }
    .into_any()
}

#[component]
fn ChatList(chats: Signal<Vec<ChatSummary>>, clock: Signal<ReaderClock>, replace: bool) -> impl IntoView {
    view! {
        <nav class="sidebar-list" aria-label=t!("chat.sidebar.chats")>
            <ChatGroups
                chats
                clock
                heading="sidebar-heading"
                row=move |chat| view! { <ChatLink chat replace /> }.into_any()
            />
            <Show when=move || chats.with(Vec::is_empty)>
                <p class="px-2 py-4 text-label text-ink-faint">{t!("chat.sidebar.empty")}</p>
            </Show>
        </nav>
    }
    .into_any()
}

#[component]
fn ChatLink(chat: ChatSummary, replace: bool) -> impl IntoView {
    let pathname = use_location().pathname;
    let href = format!("/chats/{}", chat.id);
    let tooltip = chat.title.clone();
    let current = {
        let href = href.clone();
        move || (pathname.get() == href).then_some("page")
    };
    view! {
        <li>
            <a
                class="sidebar-link"
                href=href
                title=tooltip
                aria-current=current
                prop:replace=replace
            >
                <span class="min-w-0 flex-1 truncate" dir="auto">
                    {chat.title}
                </span>
                {chat
                    .running
                    .then(|| {
                        view! {
                            <span class="running"></span>
                            <span class="sr-only">{t!("chat.sidebar.running")}</span>
                        }
                    })}
            </a>
        </li>
    }
    .into_any()
}

#[component]
fn PersonMenu(user: Signal<CurrentUser>, picture: Signal<i64>, sign_out: &'static str, replace: bool) -> impl IntoView {
    let name = move || user.with(|user| user.name.clone());
    let button = view! {
        <Avatar user picture />
        <span class="min-w-0 flex-1 truncate text-start" dir="auto">
            {name}
        </span>
        <span class="sr-only">{t!("chat.sidebar.menu")}</span>
        <Icon glyph=Glyph::Ellipsis />
    }
    .into_any();
    view! {
        <div class="border-t border-line p-2">
            <Menu
                label=t!("chat.sidebar.your_menu")
                placement="bottom-full inset-x-0 mb-1"
                button
                button_class="sidebar-link"
            >
                <p class="truncate px-2.5 py-2 text-label text-ink-faint">{move || user.with(|user| user.email.clone())}</p>
                <a class="menu-item" href="/settings" prop:replace=replace>
                    <Icon glyph=Glyph::Settings />
                    {t!("chat.sidebar.settings")}
                </a>
                <Show when=move || user.with(|user| user.role == Role::Administrator)>
                    <a class="menu-item" href="/people" prop:replace=replace>
                        <Icon glyph=Glyph::Users />
                        {t!("chat.sidebar.people")}
                    </a>
                    <a class="menu-item" href="/audit" prop:replace=replace>
                        <Icon glyph=Glyph::ScrollText />
                        {t!("chat.sidebar.audit")}
                    </a>
                    <a class="menu-item" href="/jobs" prop:replace=replace>
                        <Icon glyph=Glyph::RotateCw />
                        {t!("chat.sidebar.jobs")}
                    </a>
                </Show>
                // A full page load, so that no data of this user stays in memory.
                <form method="post" action=sign_out>
                    <button class="menu-item" type="submit">
                        <Icon glyph=Glyph::LogOut />
                        {t!("chat.sidebar.sign_out")}
                    </button>
                </form>
            </Menu>
        </div>
    }
    .into_any()
}
