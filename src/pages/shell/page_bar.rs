use leptos::prelude::*;

use super::sidebar_state::SidebarState;
use crate::components::{TitleRename, TopBar};

/// The bar above a page of a signed-in user.
#[component]
pub fn PageBar(
    /// The title of the page.
    #[prop(into)]
    title: Signal<String>,
    /// Whether the title is the page's heading (`h1`).
    #[prop(default = true)]
    heading: bool,
    /// A title that can be changed in its place.
    #[prop(optional_no_strip)]
    rename: Option<TitleRename>,
    /// The model of the chat.
    #[prop(optional)]
    model: Option<Signal<String>>,
    /// The actions of the page.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let sidebar = SidebarState::expect();
    let children = children.map(|children| children());
    view! {
        <TopBar
            title
            heading
            rename
            model
            on_drawer=Callback::new(move |()| sidebar.drawer.set(true))
            on_unfold=Callback::new(move |()| sidebar.set_folded(false))
        >
            {children}
        </TopBar>
    }
}
