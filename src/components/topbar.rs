use leptos::prelude::*;

use super::{Glyph, Icon};

/// The bar above a page: the buttons that open the list of chats, the title, the page's actions.
#[component]
pub fn TopBar(
    /// The title of the page.
    #[prop(into)]
    title: Signal<String>,
    /// Called to open the drawer.
    on_drawer: Callback<()>,
    /// Called to unfold (expand) the sidebar.
    on_unfold: Callback<()>,
    /// Whether the title is the page's heading (`h1`).
    #[prop(default = true)]
    heading: bool,
    /// The actions of the page.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <header class="topbar">
            <button
                class="icon-btn drawer-open js-only"
                type="button"
                aria-label=t!("chat.topbar.open_chats")
                aria-haspopup="dialog"
                on:click=move |_| on_drawer.run(())
            >
                <Icon glyph=Glyph::Menu />
            </button>
            <a class="icon-btn drawer-open nojs-only" href="/sessions" aria-label=t!("chat.topbar.all_chats")>
                <Icon glyph=Glyph::Menu />
            </a>
            <button
                class="icon-btn unfold js-only"
                type="button"
                aria-label=t!("chat.sidebar.show")
                on:click=move |_| on_unfold.run(())
            >
                <Icon glyph=Glyph::PanelLeft />
            </button>
            {if heading {
                view! {
                    <h1 class="min-w-0 flex-1 truncate px-2 font-medium" dir="auto">
                        {title}
                    </h1>
                }
                    .into_any()
            } else {
                view! { <p class="flex-1 truncate px-2 font-medium lg:invisible">{title}</p> }.into_any()
            }}
            {children.map(|children| children())}
            <a class="icon-btn drawer-open" href="/" aria-label=t!("chat.new_chat")>
                <Icon glyph=Glyph::SquarePen />
            </a>
        </header>
    }
    .into_any()
}
