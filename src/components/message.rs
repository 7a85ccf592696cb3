use leptos::prelude::*;

use super::{
    BranchForms, EditLink, Glyph, Icon, Menu, MessageEditing, MessageEditor, VersionChoice, VersionSwitch, branch_items,
};
use crate::domain::{Message, MessageId};

/// A message of the user.
#[component]
pub fn UserMessage(
    /// The message.
    message: Message,
    /// Copies the text; the result goes into the signal.
    on_copy: Callback<(MessageId, CopyStatus)>,
    /// How another version is chosen.
    choice: VersionChoice,
    /// How it is edited.
    editing: MessageEditing,
    /// The actions on its branch.
    branch: BranchForms,
) -> impl IntoView {
    let Message { id, versions, text, .. } = message;
    let is_edited = Memo::new(move |_| editing.message.get() == Some(id));
    let content = move || {
        if is_edited.get() {
            return view! { <MessageEditor message=id text=text.clone() editing /> }.into_any();
        }
        view! {
            {bubble(id, &text)}
            <div class="actions">
                <CopyButton on_copy=Callback::new(move |copied| on_copy.run((id, copied))) />
                <EditLink message=id editing />
                <Menu
                    label=t!("chat.message.more")
                    placement="menu-above"
                    button_class="action"
                    on_demand=true
                >
                    {branch_items(editing.chat, id, branch)}
                </Menu>
            </div>
            <VersionSwitch message=id versions choice />
        }
        .into_any()
    };
    view! {
        <article class="message message-user" id=format!("m-{id}")>
            <h2 class="sr-only">{t!("chat.message.you")}</h2>
            {content}
        </article>
    }
    .into_any()
}

/// Messages with more lines are folded.
const MAX_LINES: usize = 12;
/// About as many characters as fit into these lines.
const MAX_CHARS: usize = MAX_LINES * 60;

/// Whether a message is so long that it is folded.
fn is_long(text: &str) -> bool {
    text.lines().nth(MAX_LINES).is_some() || text.chars().nth(MAX_CHARS).is_some()
}

/// The text. A check box folds a long one, so that it works without scripts.
fn bubble(id: MessageId, text: &str) -> AnyView {
    let parts = split_code(text)
        .into_iter()
        .map(|(is_code, part)| {
            // Not `pre`: browsers drop its first line break.
            if is_code { view! { <code dir="ltr">{part}</code> }.into_any() } else { part.into_any() }
        })
        .collect_view();
    if !is_long(text) {
        return view! { <div class="bubble"><div dir="auto">{parts}</div></div> }.into_any();
    }
    let fold = format!("f-{id}");
    view! {
        <div class="bubble">
            <input class="sr-only" type="checkbox" id=fold.clone() aria-label=t!("chat.message.show_all") />
            <div class="bubble-text" dir="auto">{parts}</div>
            <label class="bubble-fold" for=fold aria-hidden="true">
                <span>{t!("chat.message.show_more")}</span>
                <span>{t!("chat.message.show_less")}</span>
            </label>
        </div>
    }
    .into_any()
}

/// The parts of a text, and whether they are code between fences (lines of three backticks). Nothing else of what a
/// user writes is read as Markdown.
fn split_code(text: &str) -> Vec<(bool, String)> {
    let (mut parts, mut part, mut is_code) = (Vec::new(), String::new(), false);
    for line in text.lines() {
        let fence = line.trim_start().strip_prefix("```");
        // The first fence can name the language, the second one is bare.
        if fence.is_some_and(|language| !language.contains('`') && (!is_code || language.trim_end().is_empty())) {
            parts.push((is_code, std::mem::take(&mut part)));
            is_code = !is_code;
        } else {
            part.push_str(line);
            part.push('\n');
        }
    }
    parts.push((is_code, part));
    parts.retain_mut(|(_, part)| {
        // Each part is a block of its own.
        part.truncate(part.trim_end().len());
        !part.is_empty()
    });
    if parts.is_empty() {
        parts.push((false, text.to_owned()));
    }
    parts
}

/// The result of a copy, shown for 2 s; otherwise `None`.
pub type CopyStatus = RwSignal<Option<bool>>;

/// Shows the result of a copy for 2 s.
pub fn show_copy_result(copied: CopyStatus, success: bool) {
    // The button may be disposed by now.
    copied.try_set(Some(success));
    let reset = move || {
        copied.try_set(None);
    };
    set_timeout(reset, std::time::Duration::from_secs(2));
}

/// The label of a copy button.
pub fn copy_label(copied: Option<bool>) -> &'static str {
    match copied {
        None => t!("chat.copy"),
        Some(true) => t!("chat.copied"),
        Some(false) => t!("chat.not_copied"),
    }
}

/// A button that copies a message and shows the result.
#[component]
pub fn CopyButton(
    /// Copies the text and reports the result with [`show_copy_result`].
    on_copy: Callback<CopyStatus>,
) -> impl IntoView {
    let copied = CopyStatus::new(None);
    view! {
        <button
            class="action js-only"
            type="button"
            aria-label=move || copy_label(copied.get())
            title=move || copy_label(copied.get())
            on:click=move |_| on_copy.run(copied)
        >
            {move || view! { <Icon glyph=if copied.get() == Some(true) { Glyph::Check } else { Glyph::Copy } /> }}
        </button>
    }
}

#[cfg(test)]
mod tests {
    use super::{is_long, split_code};

    #[test]
    fn messages_of_more_than_twelve_lines_are_long() {
        assert!(!is_long(&"line\n".repeat(12)));
        assert!(is_long(&"line\n".repeat(13)));
        assert!(!is_long(&"ä".repeat(720)));
        assert!(is_long(&"ä".repeat(721)));
    }

    #[test]
    fn code_between_fences_is_a_part() {
        let split = |text| {
            let parts = split_code(text);
            parts
                .into_iter()
                .map(|(is_code, part)| format!("{}{part}", if is_code { "code: " } else { "" }))
                .collect::<Vec<_>>()
        };
        assert_eq!(split("one\n\n  two"), ["one\n\n  two"]);
        assert_eq!(split("Why?\n```rust\n  let a;\n\n  a\n```\nThanks"), ["Why?", "code:   let a;\n\n  a", "Thanks"]);
        assert_eq!(split("```\r\na\r\n```\r\n"), ["code: a"], "line breaks of forms");
        assert_eq!(split("```\n```rust\n```"), ["code: ```rust"]);
        assert_eq!(split("```\nnot closed"), ["code: not closed"]);
    }

    #[test]
    fn backticks_within_a_line_are_text() {
        for text in ["```a``` is code", "a ``` b", "``", "```", "````"] {
            assert_eq!(split_code(text), [(false, text.to_owned())], "{text}");
        }
    }
}
