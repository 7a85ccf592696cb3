use super::Glyph;
use crate::domain::ChatAction;

/// The form value of an action.
pub fn chat_action_name(action: ChatAction) -> &'static str {
    match action {
        ChatAction::Pin => "pin",
        ChatAction::Unpin => "unpin",
        ChatAction::Archive => "archive",
        ChatAction::Unarchive => "unarchive",
        ChatAction::Delete => "delete",
        ChatAction::Restore => "restore",
    }
}

/// The icon and the label of an action.
pub fn chat_action_icon_and_label(action: ChatAction) -> (Glyph, &'static str) {
    match action {
        ChatAction::Pin => (Glyph::Pin, t!("chat.action.pin")),
        ChatAction::Unpin => (Glyph::Pin, t!("chat.action.unpin")),
        ChatAction::Archive => (Glyph::Archive, t!("chat.action.archive")),
        ChatAction::Unarchive => (Glyph::Archive, t!("chat.action.unarchive")),
        ChatAction::Delete => (Glyph::Trash, t!("chat.action.delete")),
        ChatAction::Restore => (Glyph::Undo, t!("chat.action.restore")),
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn form_values_match_the_serialised_actions() {
        use ChatAction::*;
        for action in [Pin, Unpin, Archive, Unarchive, Delete, Restore] {
            assert_eq!(serde_json::to_value(action).expect("a name"), chat_action_name(action));
        }
    }
}
