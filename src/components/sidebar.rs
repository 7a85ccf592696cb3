use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys};
use leptos_router::hooks::use_location;

use super::{
    Avatar, ChatForms, ChatGroups, ChatMenu, Glyph, Icon, Menu, ReaderClock, ThemeSwitch, TitleInput,
    touch_hold::TouchHold,
};
use crate::domain::{ChatAction, ChatId, ChatSummary, CurrentUser, Role};

/// What the rows of the sidebar can do.
#[derive(Clone, Copy)]
pub struct ChatRowActions {
    /// The form URLs of the menus.
    pub forms: ChatForms,
    /// Applies an action to a chat.
    pub on_action: Callback<(ChatId, ChatAction)>,
    /// Renames a chat.
    pub on_rename: Callback<(ChatId, String)>,
}

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
    /// Whether the group of pinned chats is folded.
    pinned_folded: RwSignal<bool>,
    /// What the rows can do.
    actions: ChatRowActions,
    /// The URL of the sign-out form.
    sign_out: &'static str,
    /// Called to open the search.
    on_search: Callback<()>,
    /// Called to show the shortcuts.
    on_shortcuts: Callback<()>,
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
            <div class="sidebar-head">
                <a class="sidebar-mark" href="/" prop:replace=replace>
                    <img src="/icon.svg" alt="" width="20" height="20" />
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
            <nav class="sidebar-main" aria-label=t!("chat.sidebar.main")>
                <a class="sidebar-link sidebar-new" href="/" prop:replace=replace>
                    <Icon glyph=Glyph::SquarePen />
                    <span class="flex-1">{t!("chat.new_chat")}</span>
                    <kbd class="sidebar-keys command-key js-only" aria-hidden="true">" ⇧ O"</kbd>
                </a>
                <a
                    class="sidebar-link"
                    href="/sessions"
                    prop:replace=replace
                    on:click=move |event| {
                        // With a key held, the link opens in a new tab.
                        if !(event.ctrl_key() || event.meta_key() || event.shift_key()) {
                            event.prevent_default();
                            on_search.run(());
                        }
                    }
                >
                    <Icon glyph=Glyph::Search />
                    <span class="flex-1">{t!("chat.sidebar.search")}</span>
                    <kbd class="sidebar-keys command-key js-only" aria-hidden="true">" K"</kbd>
                </a>
            </nav>
            <ChatList chats clock pinned_folded actions replace />
            <PersonMenu user picture sign_out on_shortcuts replace />
        </aside>
    }
    .into_any()
}

#[component]
fn ChatList(
    chats: Signal<Vec<ChatSummary>>,
    clock: Signal<ReaderClock>,
    pinned_folded: RwSignal<bool>,
    actions: ChatRowActions,
    replace: bool,
) -> impl IntoView {
    // The row whose menu can be opened: the one under the pointer or with the focus. Fifty menus would be most of the page.
    let active = RwSignal::new(None);
    view! {
        <nav class="sidebar-list" aria-label=t!("chat.sidebar.chats")>
            <ChatGroups
                chats
                clock
                heading=|name| view! { <p class="sidebar-heading">{name}</p> }.into_any()
                pinned_folded=Some(pinned_folded)
                row=move |chat| view! { <ChatRow chat active actions replace /> }.into_any()
            />
            <Show
                when=move || chats.with(Vec::is_empty)
                fallback=move || {
                    view! {
                        <a class="sidebar-link sidebar-all" href="/sessions" prop:replace=replace>
                            {t!("chat.topbar.all_chats")}
                        </a>
                    }
                }
            >
                <p class="px-2 py-4 text-label text-ink-faint">{t!("chat.sidebar.empty")}</p>
            </Show>
        </nav>
    }
    .into_any()
}

#[component]
fn ChatRow(
    chat: ChatSummary,
    active: RwSignal<Option<ChatId>>,
    actions: ChatRowActions,
    replace: bool,
) -> impl IntoView {
    let pathname = use_location().pathname;
    let id = chat.id;
    let href = format!("/chats/{id}");
    let current = {
        let href = href.clone();
        move || (pathname.get() == href).then_some("page")
    };
    let editing = RwSignal::new(false);
    let hold = TouchHold::default();
    let row = NodeRef::<leptos::html::Li>::new();
    let activate = move || {
        let is_other_open = || document().query_selector(".sidebar-row > .menu[open]").is_ok_and(|menu| menu.is_some());
        if active.get_untracked() != Some(id) && !is_other_open() {
            active.set(Some(id));
        }
    };
    let on_done = Callback::new(move |title: Option<String>| {
        editing.set(false);
        if let Some(title) = title {
            actions.on_rename.run((id, title));
        }
    });
    let (title, pinned, archived) = (StoredValue::new(chat.title.clone()), chat.pinned, chat.archived);
    view! {
        <li
            class="sidebar-row"
            node_ref=row
            on:pointerover=move |_| activate()
            on:focusin=move |_| activate()
            on:pointerdown=move |event| {
                if event.pointer_type() == "touch" {
                    activate();
                    hold.start(move || open_menu(row));
                }
            }
            on:pointerup=move |_| hold.end()
            on:pointercancel=move |_| hold.end()
            on:click:capture=move |event| {
                // The finger that opened the menu must not follow the link when it is lifted.
                if hold.take_opened() {
                    event.prevent_default();
                    event.stop_propagation();
                }
            }
            on:contextmenu=move |event| {
                activate();
                if open_menu(row) {
                    event.prevent_default();
                }
            }
        >
            {move || {
                if editing.get() {
                    return view! { <TitleInput title=title.get_value() on_done /> }.into_any();
                }
                chat_link(href.clone(), title.get_value(), (chat.running, chat.unread), current.clone(), editing, replace)
            }}
            <Show when=move || active.get() == Some(id) && !editing.get()>
                <ChatMenu
                    chat=id
                    title=Signal::derive(move || title.get_value())
                    pinned=Signal::stored(pinned)
                    archived=Signal::stored(archived)
                    forms=actions.forms
                    on_demand=true
                    placement="row-menu-items"
                    editing
                    on_action=Callback::new(move |action| actions.on_action.run((id, action)))
                    on_rename=Callback::new(move |title| actions.on_rename.run((id, title)))
                />
            </Show>
        </li>
    }
    .into_any()
}

fn chat_link(
    href: String,
    title: String,
    (is_running, is_unread): (bool, bool),
    current: impl Fn() -> Option<&'static str> + Send + 'static,
    editing: RwSignal<bool>,
    replace: bool,
) -> AnyView {
    let tooltip = title.clone();
    view! {
        <a
            class="sidebar-link"
            href=href
            title=tooltip
            aria-current=current
            prop:replace=replace
            on:dblclick=move |_| editing.set(true)
        >
            <span class="sidebar-title" dir="auto">
                {title}
            </span>
            {is_running
                .then(|| {
                    view! {
                        <span class="running"></span>
                        <span class="sr-only">{t!("chat.sidebar.running")}</span>
                    }
                })}
            {(is_unread && !is_running)
                .then(|| {
                    view! {
                        <span class="unread">
                            <span class="sr-only">{t!("chat.sidebar.unread")}</span>
                        </span>
                    }
                })}
        </a>
    }
    .into_any()
}

/// Opens the menu of a row; `false` if it has none.
fn open_menu(row: NodeRef<leptos::html::Li>) -> bool {
    let menu = row.get_untracked().and_then(|row| row.query_selector(".menu").ok().flatten());
    menu.map(|menu| menu.unchecked_into::<web_sys::HtmlDetailsElement>().set_open(true)).is_some()
}

#[component]
fn PersonMenu(
    user: Signal<CurrentUser>,
    picture: Signal<i64>,
    sign_out: &'static str,
    on_shortcuts: Callback<()>,
    replace: bool,
) -> impl IntoView {
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
        <div class="sidebar-person">
            <Menu
                label=t!("chat.sidebar.your_menu")
                placement="bottom-full inset-x-0 mb-1"
                button
                button_class="sidebar-link"
            >
                <div class="menu-head">
                    <p class="truncate font-medium" dir="auto">{name}</p>
                    <p class="truncate text-label text-ink-faint">{move || user.with(|user| user.email.clone())}</p>
                </div>
                <ThemeSwitch />
                <hr class="menu-line" />
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
                    <a class="menu-item" href="/models" prop:replace=replace>
                        <Icon glyph=Glyph::Cpu />
                        {t!("chat.sidebar.models")}
                    </a>
                </Show>
                <button class="menu-item js-only" type="button" on:click=move |_| on_shortcuts.run(())>
                    <Icon glyph=Glyph::Keyboard />
                    {t!("chat.shortcuts.title")}
                </button>
                <hr class="menu-line" />
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
