use std::time::Duration;

use leptos::prelude::*;

use super::{live_parts::LiveParts, run_stream::read_stream, state::ChatState};
use crate::{
    components::{Thinking, phase_text, truncation_note},
    domain::{Message, Phase, RunId},
};

/// Reloads the page every 2 s without scripts. It is text because an element that a script inserts would also refresh
/// pages with scripts. It is a constant because the macro would turn a literal into an attribute.
const REFRESH_META: &str = r#"<meta http-equiv="refresh" content="2">"#;

/// An answer that is being written. Reads the stream of its run; finished blocks are appended once and not changed
/// again.
#[component]
pub fn LiveAnswer(
    /// The message as loaded.
    message: Message,
    /// The run that writes the answer.
    run: RunId,
    /// The phase of the run at that time.
    phase: Phase,
    /// The state of the chat.
    state: ChatState,
) -> impl IntoView {
    let parts = LiveParts::new(&message, phase);
    read_stream(state, run, parts);
    state.seen_growing.update_value(|seen| seen.push(message.id));
    let text = Memo::new(move |_| phase_text(parts.phase.get()));
    let thinking = Signal::derive(move || parts.phase.get() == Phase::Thinking);
    // The server says how long the model has been thinking when there are new words. Until then, the seconds are counted.
    Effect::new(move || {
        if thinking.get() {
            parts.thinking_ms.track();
            let count = move || {
                parts.thinking_ms.try_update(|millis| *millis += 1_000);
            };
            if let Ok(timer) = set_timeout_with_handle(count, Duration::from_secs(1)) {
                on_cleanup(move || timer.clear());
            }
        }
    });
    view! {
        <article class="message" id=format!("m-{}", message.id) aria-busy="true">
            <h2 class="sr-only">{t!("chat.answer.heading")}</h2>
            {move || truncation_note(parts.truncated_messages.get())}
            <Thinking
                running=thinking
                empty=Signal::derive(move || !parts.has_reasoning.get() && !thinking.get())
                millis=parts.thinking_ms
                last_line=parts.last_thought
            >
                {parts.reasoning.view(&message.reasoning_html)}
            </Thinking>
            <div class="prose streaming unfolded" dir="auto">
                {parts.text.view(&message.html)}
            </div>
            {move || {
                text
                    .get()
                    .map(|text| {
                        view! {
                            <p class="state state-waiting">
                                <span class="state-dot" aria-hidden="true"></span>
                                <span class="state-words">{text}</span>
                            </p>
                        }
                    })
            }}
            <Show when=move || parts.save_delayed.get()>
                <p class="state" role="status">
                    {t!("chat.answer.save_delayed")}
                </p>
            </Show>
            <noscript inner_html=REFRESH_META></noscript>
        </article>
    }
    .into_any()
}
