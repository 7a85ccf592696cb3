use leptos::{html::Span, prelude::*};

use super::{Glyph, Icon};

/// The reasoning of the model, folded. While the model reasons, the fold shows its last line and the seconds.
#[component]
pub fn Thinking(
    /// Whether the model is still reasoning.
    #[prop(into)]
    running: Signal<bool>,
    /// Whether there is no reasoning yet; the element is hidden then.
    #[prop(into)]
    empty: Signal<bool>,
    /// How long the model has reasoned, in milliseconds; 0 if it is not known.
    #[prop(into)]
    millis: Signal<u32>,
    /// The element for the last line of the reasoning.
    #[prop(optional)]
    last_line: NodeRef<Span>,
    /// The rendered reasoning.
    children: Children,
) -> impl IntoView {
    let text = Memo::new(move |_| thinking_text(running.get(), millis.get() / 1_000));
    view! {
        <details class="thinking" hidden=empty>
            <summary>
                <span class="state-dot" aria-hidden="true" hidden=move || !running.get()></span>
                <span class="flex-none">{text}</span>
                <Icon glyph=Glyph::ChevronDown />
                <span class="thinking-line" aria-hidden="true" dir="auto" hidden=move || !running.get() node_ref=last_line></span>
            </summary>
            <div class="prose" dir="auto">
                {children()}
            </div>
        </details>
    }
    .into_any()
}

fn thinking_text(is_running: bool, seconds: u32) -> String {
    match (is_running, seconds) {
        (true, 0) => t!("chat.answer.thinking").to_owned(),
        (true, _) => t!("chat.answer.thinking_seconds", seconds = seconds),
        (false, 0) => t!("chat.answer.thoughts").to_owned(),
        (false, 1..=119) => t!("chat.answer.thought_seconds", count = seconds),
        (false, _) => t!("chat.answer.thought_minutes", count = seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_the_reasoning_is_said_once_it_is_known() {
        assert_eq!(thinking_text(true, 0), "Thinking…");
        assert_eq!(thinking_text(true, 8), "Thinking… 8 s");
        assert_eq!(thinking_text(false, 0), "Thoughts");
        assert_eq!(thinking_text(false, 1), "Thought for 1 second");
        assert_eq!(thinking_text(false, 119), "Thought for 119 seconds");
        assert_eq!(thinking_text(false, 130), "Thought for 2 minutes");
    }
}
