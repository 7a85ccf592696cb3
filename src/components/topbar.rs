use leptos::prelude::*;

use super::{Glyph, Icon, TitleInput};

/// How a title is changed.
#[derive(Clone, Copy)]
pub struct TitleRename {
    /// Whether the field is shown.
    pub editing: RwSignal<bool>,
    /// Called with the new title.
    pub on_rename: Callback<String>,
}

fn editable_title(title: Signal<String>, rename: Option<TitleRename>) -> AnyView {
    let on_done = Callback::new(move |new: Option<String>| {
        if let Some(TitleRename { editing, on_rename }) = rename {
            editing.set(false);
            if let Some(new) = new {
                on_rename.run(new);
            }
        }
    });
    let edit = move |_| {
        if let Some(rename) = rename {
            rename.editing.set(true);
        }
    };
    view! {
        <h1 class="truncate" dir="auto" on:dblclick=edit>
            {move || match rename {
                Some(rename) if rename.editing.get() => {
                    view! { <TitleInput title=title.get_untracked() on_done /> }.into_any()
                }
                // It may be read once more when the page is gone already.
                _ => title.try_get().into_any(),
            }}
        </h1>
    }
    .into_any()
}

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
    /// A title that can be changed in its place, by a double click or by setting `editing`.
    #[prop(optional_no_strip)]
    rename: Option<TitleRename>,
    /// The model of the chat, for phones. A tap opens the model picker of the page.
    #[prop(optional_no_strip)]
    model: Option<Signal<String>>,
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
            <div class="topbar-title">
                {if heading {
                    editable_title(title, rename)
                } else {
                    view! { <p class="truncate lg:invisible">{title}</p> }.into_any()
                }}
                {model
                    .map(|model| {
                        view! {
                            <button class="topbar-model js-only" type="button" popovertarget="models">
                                <span class="sr-only">{t!("chat.topbar.model")} " "</span>
                                <span class="truncate">{model}</span>
                            </button>
                        }
                    })}
            </div>
            {children.map(|children| children())}
            <a class="icon-btn drawer-open" href="/" aria-label=t!("chat.new_chat")>
                <Icon glyph=Glyph::SquarePen />
            </a>
        </header>
    }
    .into_any()
}
