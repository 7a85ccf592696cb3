use leptos::prelude::*;

use crate::components::browser::write_cookie;

/// Where the sidebar is.
#[derive(Clone, Copy)]
pub struct SidebarState {
    /// Whether it is open as a drawer, on a small screen.
    pub drawer: RwSignal<bool>,
    folded: RwSignal<bool>,
}

impl SidebarState {
    /// The state around this page.
    pub fn expect() -> Self {
        expect_context()
    }

    /// A closed drawer; on a large screen the sidebar as this browser keeps it.
    pub fn new(folded: bool) -> Self {
        Self { drawer: RwSignal::new(false), folded: RwSignal::new(folded) }
    }

    /// Whether it is folded away, on a large screen.
    pub fn is_folded(self) -> bool {
        self.folded.get()
    }

    /// Folds it away or unfolds it, here and on the next pages.
    pub fn fold(self, folded: bool) {
        write_cookie("sidebar", if folded { "folded" } else { "open" });
        self.folded.set(folded);
    }
}
