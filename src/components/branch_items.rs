use leptos::prelude::*;

use super::{Glyph, Icon, MessageIdInputs};
use crate::domain::{ChatId, MessageId};

/// The form URLs of the actions on branches.
#[derive(Debug, Clone, Copy)]
pub struct BranchForms {
    /// Starts a chat with a copy of a message and all that leads to it.
    pub copy: &'static str,
    /// Deletes a message and all that follows it.
    pub delete: &'static str,
}

/// The actions of a message's menu on its branch. Their forms load a page, with scripts too: what they change is
/// everything on it.
pub fn branch_items(chat: ChatId, message: MessageId, forms: BranchForms) -> AnyView {
    let BranchForms { copy, delete } = forms;
    view! {
        // The style sheet hides them while an answer is being written.
        <form class="menu-form when-idle" method="post" action=copy>
            <MessageIdInputs chat message />
            <button class="menu-item" type="submit">
                <Icon glyph=Glyph::SquarePen />
                {t!("chat.branch.copy")}
            </button>
        </form>
        <details class="when-idle">
            <summary class="menu-item btn-danger">
                <Icon glyph=Glyph::Trash />
                {t!("chat.branch.delete")}
            </summary>
            <form class="menu-form menu-confirm" method="post" action=delete>
                <MessageIdInputs chat message />
                <p>{t!("chat.branch.delete_hint")}</p>
                <button class="btn btn-line btn-danger btn-small" type="submit">
                    {t!("chat.branch.confirm_delete")}
                </button>
            </form>
        </details>
    }
    .into_any()
}
