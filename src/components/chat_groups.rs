use leptos::prelude::*;

use super::ReaderClock;
use crate::domain::ChatSummary;

/// A list of chats under its headings. A row is made anew when something that it shows has changed.
#[component]
pub fn ChatGroups<R>(
    /// The chats, in their order.
    #[prop(into)]
    chats: Signal<Vec<ChatSummary>>,
    /// The reader's clock.
    #[prop(into)]
    clock: Signal<ReaderClock>,
    /// The classes of a heading.
    heading: &'static str,
    /// A chat as an item of the list.
    row: R,
) -> impl IntoView
where
    R: Fn(ChatSummary) -> AnyView + Copy + Send + Sync + 'static,
{
    let groups = Memo::new(move |_| chats.with(|chats| clock.with(|clock| group_chats(chats, clock))));
    let of = move |name: &str| {
        groups.with(|groups| groups.iter().find(|g| g.heading == name).map(|g| g.chats.clone()).unwrap_or_default())
    };
    view! {
        <For
            each=move || groups.with(|g| g.iter().map(|g| g.heading.clone()).collect::<Vec<_>>())
            key=String::clone
            children=move |name: String| {
                let words = name.clone();
                view! {
                    <section>
                        <h2 class=heading>{words}</h2>
                        <ul>
                            <For
                                each=move || of(&name)
                                key=|chat| {
                                    let flags = (chat.pinned, chat.archived, chat.running);
                                    (chat.id, chat.title.clone(), chat.active_at, flags)
                                }
                                children=row
                            />
                        </ul>
                    </section>
                }
            }
        />
    }
    .into_any()
}

/// Chats under one heading of a list, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ChatGroup {
    heading: String,
    chats: Vec<ChatSummary>,
}

/// Puts chats under headings: pinned ones first, then by day. Keeps their order.
fn group_chats(chats: &[ChatSummary], clock: &ReaderClock) -> Vec<ChatGroup> {
    let mut groups: Vec<ChatGroup> = Vec::new();
    for chat in chats {
        let heading = if chat.pinned { t!("chat.sidebar.pinned").to_owned() } else { clock.group(chat.active_at) };
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
            last_words: String::new(),
            model: String::new(),
            active_at: Timestamp::from_micros(1_795_262_400_000_000).plus_seconds(-days_ago * 86_400),
            pinned,
            archived: false,
            running: false,
        }
    }

    #[test]
    fn pinned_chats_stand_above_the_days() {
        let clock = ReaderClock {
            now: Timestamp::from_micros(1_795_262_400_000_000),
            zone: super::super::ReaderZone::Known([].into()),
        };
        let groups = group_chats(&[chat(3, true), chat(0, false), chat(0, false), chat(1, false)], &clock);
        let told: Vec<_> = groups.iter().map(|group| (group.heading.as_str(), group.chats.len())).collect();
        assert_eq!(told, [("Pinned", 1), ("Today", 2), ("Yesterday", 1)]);
    }
}
