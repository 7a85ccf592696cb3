use leptos::prelude::*;

use crate::components::browser::write_cookie;

/// Whether the sidebar is visible.
#[derive(Clone, Copy)]
pub struct SidebarState {
    /// Whether it is open as a drawer, on small screens.
    pub drawer: RwSignal<bool>,
    /// Whether the group of pinned chats is folded.
    pub pinned_folded: RwSignal<bool>,
    folded: RwSignal<bool>,
}

impl SidebarState {
    /// Gets the state from the context.
    pub fn expect() -> Self {
        expect_context()
    }

    /// A closed drawer. `folded` is the preference of this browser for large screens; `pinned_folded` that for the pinned
    /// chats.
    pub fn new(folded: bool, pinned_folded: bool) -> Self {
        Self {
            drawer: RwSignal::new(false),
            pinned_folded: RwSignal::new(pinned_folded),
            folded: RwSignal::new(folded),
        }
    }

    /// Whether it is folded (collapsed), on large screens.
    pub fn is_folded(self) -> bool {
        self.folded.get()
    }

    /// Folds it, or unfolds it if it is folded.
    pub fn toggle_folded(self) {
        self.set_folded(!self.folded.get_untracked());
    }

    /// Folds or unfolds it, on this page and the next ones.
    pub fn set_folded(self, folded: bool) {
        write_cookie("sidebar", if folded { "folded" } else { "open" });
        self.folded.set(folded);
    }
}
