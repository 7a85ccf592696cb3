use leptos::prelude::*;

use super::{live_parts::LiveParts, run_stream::read_stream, state::ChatState};
use crate::{
    components::{Byline, Thinking, left_out_note, phase_words},
    domain::{Message, Phase, RunId},
    pages::shell::ReaderTime,
};

/// Lets the page ask for itself again, for those without scripts. As text: an element that a script puts into the page
/// would refresh it for everybody. As a constant: a literal would become an attribute by that name.
const REFRESH: &str = r#"<meta http-equiv="refresh" content="2">"#;

/// An open answer. Reads its run's stream; finished blocks are appended once and never touched again.
#[component]
pub fn LiveAnswer(
    /// The message as it was loaded.
    message: Message,
    /// The run that writes it.
    run: RunId,
    /// What the run did then.
    phase: Phase,
    /// The chat around.
    state: ChatState,
) -> impl IntoView {
    let parts = LiveParts::new(&message, phase);
    let clock = ReaderTime::expect().clock;
    read_stream(state, run, parts);
    let words = Memo::new(move |_| phase_words(parts.phase.get()));
    let thinking = Signal::derive(move || parts.phase.get() == Phase::Thinking);
    view! {
        <article class="message" id=format!("m-{}", message.id) aria-busy="true">
            <h2 class="sr-only">{t!("chat.answer.heading")}</h2>
            <Byline model=message.model at=message.created_at clock />
            {move || left_out_note(parts.left_out.get())}
            <Thinking running=thinking empty=Signal::derive(move || !parts.has_thoughts.get())>
                {parts.reasoning.view(message.reasoning_html)}
            </Thinking>
            <div class="prose streaming" dir="auto">
                {parts.text.view(message.html)}
            </div>
            {move || {
                words
                    .get()
                    .map(|words| {
                        view! {
                            <p class="state state-late">
                                <span class="state-dot" aria-hidden="true"></span>
                                {words}
                            </p>
                        }
                    })
            }}
            <Show when=move || parts.save_delayed.get()>
                <p class="state" role="status">
                    {t!("chat.answer.save_delayed")}
                </p>
            </Show>
            <noscript inner_html=REFRESH></noscript>
        </article>
    }
    .into_any()
}
