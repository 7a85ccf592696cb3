//! Redirect targets.

use super::{ChatAction, ChatId, MessageId, MessageWindow, limits};

/// Returns `next` if it is a path on this site, otherwise `/`. Rejects everything that a browser could interpret as
/// another site (open redirect).
pub fn local_path(next: Option<&str>) -> &str {
    let is_local = |next: &&str| {
        let second = next.as_bytes().get(1).copied().unwrap_or_default();
        next.starts_with('/')
            && !matches!(second, b'/' | b'\\')
            && next.len() <= 1_000
            && next.bytes().all(|byte| (0x21..0x7f).contains(&byte) && byte != b'\\')
    };
    next.filter(is_local).unwrap_or("/")
}

/// The path after an action on chats: the path that the user came from, if it is the sessions page or that of the
/// restored chat, otherwise the sessions page. After a deletion its query contains the ids of the chats, which the page
/// offers to restore.
pub fn path_after_action(from: &str, chats: &[ChatId], action: ChatAction) -> String {
    if let (ChatAction::Restore, [chat]) = (action, chats) {
        let path = format!("/chats/{chat}");
        if from.split('?').next() == Some(&path) {
            return path;
        }
    }
    let from = if from.starts_with("/sessions") { from } else { "/sessions" };
    let (path, query) = from.split_once('?').unwrap_or((from, ""));
    // Without the chats of an earlier deletion, and the result of an earlier form (`__path`, `__err`).
    let is_kept = |pair: &&str| !pair.is_empty() && !pair.starts_with("deleted=") && !pair.starts_with("__");
    let mut pairs: Vec<String> = query.split('&').filter(is_kept).map(str::to_owned).collect();
    if action == ChatAction::Delete {
        let ids: Vec<String> = chats.iter().map(ToString::to_string).collect();
        pairs.push(format!("deleted={}", ids.join(",")));
    }
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// The path to a version of a message that was chosen without scripts, given the newest messages of the path that is
/// shown now. The page of a chat shows one window: the newest one, or an older one if the version is not in that.
pub fn version_path(chat: ChatId, message: MessageId, shown: &MessageWindow) -> String {
    let window = limits::MESSAGES_PER_WINDOW as usize;
    let messages = &shown.messages;
    match messages.iter().position(|one| one.id == message) {
        Some(at) if messages.len() - at > window => {
            format!("/chats/{chat}?before={}#m-{message}", messages[at + window / 2].id)
        }
        Some(_) => format!("/chats/{chat}#m-{message}"),
        None => format!("/chats/{chat}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_58_next_stays_on_this_site() {
        for bad in [
            "//evil",
            "/\\evil",
            "https:evil",
            "https://evil",
            "@evil",
            "/x\r\nSet-Cookie: a=b",
            "data:text/html,x",
            "",
            "\\/evil",
            "/\t/evil",
            "evil",
        ] {
            assert_eq!(local_path(Some(bad)), "/", "{bad:?}");
        }
        for good in
            ["/", "/sessions?filter=pinned", "/%2f/evil", "/a//evil", "/chats/0190e2a4-7b1c-7def-8123-456789abcdef"]
        {
            assert_eq!(local_path(Some(good)), good);
        }
        assert_eq!(local_path(None), "/");
    }

    #[test]
    fn after_an_action_the_page_is_the_same_with_its_filter() {
        let chat = |last| format!("0190e2a4-7b1c-7def-8123-4567890000{last}").parse().expect("an id");
        let chats = [chat("01"), chat("02")];
        let ids = format!("deleted={},{}", chats[0], chats[1]);
        for (from, action, to) in [
            ("/sessions?filter=pinned&q=a", ChatAction::Pin, "/sessions?filter=pinned&q=a".to_owned()),
            ("/sessions?deleted=x&__path=y", ChatAction::Restore, "/sessions".to_owned()),
            ("/sessions?q=a&deleted=x", ChatAction::Delete, format!("/sessions?q=a&{ids}")),
            ("/chats/x?q=a", ChatAction::Delete, format!("/sessions?{ids}")),
        ] {
            assert_eq!(path_after_action(from, &chats, action), to, "{from}");
        }
        let page = format!("/chats/{}", chats[0]);
        for (restored, to) in [(chats[0], page.as_str()), (chats[1], "/sessions")] {
            assert_eq!(path_after_action(&format!("{page}?__path=y"), &[restored], ChatAction::Restore), to);
        }
    }
}
