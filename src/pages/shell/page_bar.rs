use leptos::prelude::*;

use super::sidebar_state::SidebarState;
use crate::components::TopBar;

/// The bar above a page of somebody who is signed in.
#[component]
pub fn PageBar(
    /// The page's heading.
    #[prop(into)]
    title: Signal<String>,
    /// Whether the page has no other heading.
    #[prop(default = true)]
    heading: bool,
    /// What can be done with the page.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let sidebar = SidebarState::expect();
    let children = children.map(|children| children());
    view! {
        <TopBar
            title
            heading
            on_drawer=Callback::new(move |()| sidebar.drawer.set(true))
            on_unfold=Callback::new(move |()| sidebar.fold(false))
        >
            {children}
        </TopBar>
    }
}
