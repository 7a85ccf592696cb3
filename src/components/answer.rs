use leptos::prelude::*;

use super::{
    AnswerActions, AnswerCallbacks, AnswerFacts, AnswerForms, Glyph, Icon, ReaderClock, Thinking, VersionChoice,
};
use crate::{
    domain::{Message, MessageState, Phase},
    i18n::fill_references,
};

/// A finished answer: complete, stopped, interrupted or failed.
#[component]
pub fn Answer(
    /// The message.
    message: Message,
    /// The reader's clock.
    #[prop(into)]
    clock: Signal<ReaderClock>,
    /// Whether this is the last message of the chat. Only the last one can be continued.
    #[prop(into)]
    last: Signal<bool>,
    /// The id of the model for a retry.
    #[prop(into)]
    model: Signal<String>,
    /// The form URLs, for use without scripts.
    forms: AnswerForms,
    /// The callbacks, for use with scripts.
    callbacks: AnswerCallbacks,
    /// How another version is chosen.
    choice: VersionChoice,
    /// Whether the reader has seen the answer being written. Its long code is not folded then, so that nothing moves.
    seen_growing: bool,
) -> impl IntoView {
    let id = message.id;
    let about = AnswerFacts::of(&message);
    let has_reasoning = !message.reasoning_html.is_empty();
    let note = state_note(&message.state);
    let thinking_ms = message.stats.thinking_ms;
    view! {
        <article class="message" id=format!("m-{id}")>
            <h2 class="sr-only">{t!("chat.answer.heading")}</h2>
            {truncation_note(message.truncated_messages)}
            {has_reasoning
                .then(|| {
                    view! {
                        <Thinking running=Signal::stored(false) empty=Signal::stored(false) millis=Signal::stored(thinking_ms)>
                            <div class="part" inner_html=fill_references(message.reasoning_html.into()).into_owned()></div>
                        </Thinking>
                    }
                })}
            <div class="prose" class:unfolded=seen_growing dir="auto">
                <div class="part" inner_html=fill_references(message.html.into()).into_owned()></div>
            </div>
            {note
                .map(|note| {
                    view! {
                        <p class="state" role="note">
                            <Icon glyph=Glyph::CircleAlert />
                            {note}
                        </p>
                    }
                })}
            <AnswerActions message=about clock last model forms callbacks choice />
        </article>
    }
    .into_any()
}

/// A note that the model was not sent the first messages of the chat; `None` if it was sent all of them.
pub fn truncation_note(truncated_messages: u32) -> Option<impl IntoView> {
    (truncated_messages > 0).then(|| {
        view! { <p class="mb-2 text-label text-ink-faint">{t!("chat.answer.left_out", count = truncated_messages)}</p> }
    })
}

/// The note below an answer that was stopped, interrupted or failed; `None` for all others.
pub fn state_note(state: &MessageState) -> Option<&'static str> {
    match state {
        MessageState::Complete | MessageState::Open { .. } => None,
        MessageState::Stopped => Some(t!("chat.answer.stopped")),
        MessageState::Interrupted => Some(t!("chat.answer.interrupted")),
        MessageState::Failed { failure } => Some(failure.text()),
    }
}

/// The progress text of an open answer; `None` once there is reasoning or text.
pub fn phase_text(phase: Phase) -> Option<String> {
    match phase {
        Phase::Waiting { position: None } => Some(t!("chat.answer.waiting").to_owned()),
        Phase::Waiting { position: Some(position) } => Some(queue_position_text(position)),
        Phase::Loading => Some(t!("chat.answer.loading").to_owned()),
        // The fold of the reasoning says it.
        Phase::Thinking | Phase::Streaming => None,
    }
}

/// English has four forms of ordinal numbers. Other languages may use the same text for all four keys.
fn queue_position_text(position: u32) -> String {
    match (position % 10, position % 100) {
        (1, tens) if tens != 11 => t!("chat.answer.place_1st", place = position),
        (2, tens) if tens != 12 => t!("chat.answer.place_2nd", place = position),
        (3, tens) if tens != 13 => t!("chat.answer.place_3rd", place = position),
        _ => t!("chat.answer.place_nth", place = position),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_position_is_shown_as_text() {
        let text = |n| phase_text(Phase::Waiting { position: Some(n) });
        assert_eq!(text(1).as_deref(), Some("1st in the queue"));
        assert_eq!(text(2).as_deref(), Some("2nd in the queue"));
        assert_eq!(text(11).as_deref(), Some("11th in the queue"));
        assert_eq!(text(23).as_deref(), Some("23rd in the queue"));
        assert_eq!(phase_text(Phase::Streaming), None);
    }
}
