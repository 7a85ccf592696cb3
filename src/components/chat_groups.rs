use leptos::{prelude::*, web_sys};

use super::{Glyph, Icon, ReaderClock, browser::write_cookie};
use crate::domain::ChatSummary;

/// A list of chats grouped under headings. A row is rebuilt when something that it shows has changed.
#[component]
pub fn ChatGroups<R>(
    /// The chats, already sorted.
    #[prop(into)]
    chats: Signal<Vec<ChatSummary>>,
    /// The reader's clock.
    #[prop(into)]
    clock: Signal<ReaderClock>,
    /// Renders the name of a group.
    heading: fn(String) -> AnyView,
    /// Whether the group of pinned chats is folded. Without it, it cannot be folded.
    #[prop(optional_no_strip)]
    pinned_folded: Option<RwSignal<bool>>,
    /// Renders a chat as an item of the list.
    row: R,
) -> impl IntoView
where
    R: Fn(ChatSummary) -> AnyView + Copy + Send + Sync + 'static,
{
    let groups = Memo::new(move |_| chats.with(|chats| clock.with(|clock| group_chats(chats, clock))));
    let chats_under = move |name: &str| {
        groups.with(|groups| groups.iter().find(|g| g.heading == name).map(|g| g.chats.clone()).unwrap_or_default())
    };
    view! {
        <For
            each=move || groups.with(|g| g.iter().map(|g| g.heading.clone()).collect::<Vec<_>>())
            key=String::clone
            children=move |name: String| {
                let (title, label) = (name.clone(), name.clone());
                let folded = pinned_folded.filter(|_| name == t!("chat.sidebar.pinned"));
                let list = view! {
                    <ul aria-label=label>
                        <For
                            each=move || chats_under(&name)
                            key=|chat| {
                                let flags = (chat.pinned, chat.archived, chat.running, chat.unread);
                                (chat.id, chat.title.clone(), chat.active_at, flags)
                            }
                            children=row
                        />
                    </ul>
                }
                    .into_any();
                match folded {
                    Some(folded) => folding_group(folded, heading(title), list),
                    None => view! { <section>{heading(title)} {list}</section> }.into_any(),
                }
            }
        />
    }
    .into_any()
}

/// A group that can be folded. A cookie remembers it for the next page.
fn folding_group(folded: RwSignal<bool>, heading: AnyView, list: AnyView) -> AnyView {
    let on_toggle = move |event| {
        let is_folded = !event_target::<web_sys::HtmlDetailsElement>(&event).open();
        if is_folded != folded.get_untracked() {
            folded.set(is_folded);
            write_cookie("pinned", if is_folded { "folded" } else { "open" });
        }
    };
    view! {
        <details class="sidebar-group" open=move || !folded.get() on:toggle=on_toggle>
            <summary>{heading} <Icon glyph=Glyph::ChevronDown /></summary>
            {list}
        </details>
    }
    .into_any()
}

/// The chats under one heading, in list order.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ChatGroup {
    heading: String,
    chats: Vec<ChatSummary>,
}

/// Groups chats under headings: pinned ones first, then by day. Keeps their order.
fn group_chats(chats: &[ChatSummary], clock: &ReaderClock) -> Vec<ChatGroup> {
    let mut groups: Vec<ChatGroup> = Vec::new();
    for chat in chats {
        let heading =
            if chat.pinned { t!("chat.sidebar.pinned").to_owned() } else { clock.group_heading(chat.active_at) };
        match groups.iter_mut().find(|group| group.heading == heading) {
            Some(group) => group.chats.push(chat.clone()),
            None => groups.push(ChatGroup { heading, chats: vec![chat.clone()] }),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn chat(days_ago: i64, pinned: bool) -> ChatSummary {
        ChatSummary {
            id: "0190e2a4-7b1c-7def-8123-456789abcdef".parse().expect("an id"),
            title: days_ago.to_string(),
            preview: String::new(),
            model: String::new(),
            active_at: Timestamp::from_micros(1_795_262_400_000_000).plus_seconds(-days_ago * 86_400),
            pinned,
            archived: false,
            running: false,
            unread: false,
        }
    }

    #[test]
    fn pinned_chats_come_before_the_days() {
        let clock = ReaderClock {
            now: Timestamp::from_micros(1_795_262_400_000_000),
            zone: super::super::ReaderZone::Known([].into()),
        };
        let groups = group_chats(&[chat(3, true), chat(0, false), chat(0, false), chat(1, false)], &clock);
        let counts: Vec<_> = groups.iter().map(|group| (group.heading.as_str(), group.chats.len())).collect();
        assert_eq!(counts, [("Pinned", 1), ("Today", 2), ("Yesterday", 1)]);
    }
}
