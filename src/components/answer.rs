use leptos::prelude::*;

use super::{CopyButton, CopyStatus, Glyph, Icon, ReaderClock, TimeAgo};
use crate::{
    domain::{ChatId, Message, MessageId, MessageState, Phase},
    i18n::fill_references,
};

/// The chat and the form URLs of an answer, for use without scripts.
#[derive(Debug, Clone, Copy)]
pub struct AnswerForms {
    /// The chat.
    pub chat: ChatId,
    /// URL that retries the answer.
    pub retry: &'static str,
    /// URL that continues the answer.
    pub continue_answer: &'static str,
}

/// What the user can do with an answer.
#[derive(Clone, Copy)]
pub struct AnswerCallbacks {
    /// Copies the text; the result goes into the signal.
    pub copy: Callback<(MessageId, CopyStatus)>,
    /// Retries the answer.
    pub retry: Callback<MessageId>,
    /// Continues the answer.
    pub continue_answer: Callback<MessageId>,
}

/// A finished answer: complete, stopped, interrupted or failed.
#[component]
pub fn Answer(
    /// The message.
    message: Message,
    /// The reader's clock.
    #[prop(into)]
    clock: Signal<ReaderClock>,
    /// Whether this is the last message of the chat. Only the last one can be retried or continued.
    #[prop(into)]
    last: Signal<bool>,
    /// The id of the model for a retry.
    #[prop(into)]
    model: Signal<String>,
    /// The form URLs, for use without scripts.
    forms: AnswerForms,
    /// The callbacks, for use with scripts.
    callbacks: AnswerCallbacks,
    /// Whether the reader has seen the answer being written. Its long code is not folded then, so that nothing moves.
    seen_growing: bool,
) -> impl IntoView {
    let id = message.id;
    let has_text = !message.html.is_empty();
    let has_reasoning = !message.reasoning_html.is_empty();
    let note = state_note(&message.state);
    let can_continue = message.state.can_continue();
    view! {
        <article class="message" id=format!("m-{id}")>
            <h2 class="sr-only">{t!("chat.answer.heading")}</h2>
            <Byline model=message.model at=message.created_at clock />
            {truncation_note(message.truncated_messages)}
            {has_reasoning
                .then(|| {
                    view! {
                        <Thinking running=Signal::stored(false) empty=Signal::stored(false)>
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
            <div class="actions">
                {has_text
                    .then(|| {
                        view! { <CopyButton on_copy=Callback::new(move |copied| callbacks.copy.run((id, copied))) /> }
                    })}
                <Show when=move || last.get()>
                    {(has_text && can_continue)
                        .then(|| {
                            view! {
                                <form method="post" action=forms.continue_answer on:submit=move |event| {
                                    event.prevent_default();
                                    callbacks.continue_answer.run(id);
                                }>
                                    <MessageIdInputs chat=forms.chat message=id />
                                    <button class="btn btn-quiet btn-small" type="submit">
                                        <Icon glyph=Glyph::Play />
                                        {t!("chat.answer.go_on")}
                                    </button>
                                </form>
                            }
                        })}
                    <form method="post" action=forms.retry on:submit=move |event| {
                        event.prevent_default();
                        callbacks.retry.run(id);
                    }>
                        <MessageIdInputs chat=forms.chat message=id />
                        <input type="hidden" name="model" value=model />
                        <button class="btn btn-quiet btn-small" type="submit">
                            <Icon glyph=Glyph::RotateCw />
                            {t!("chat.answer.retry")}
                        </button>
                    </form>
                </Show>
            </div>
        </article>
    }
    .into_any()
}

/// Hidden inputs with the ids of a chat and a message.
#[component]
pub fn MessageIdInputs(
    /// The chat.
    chat: ChatId,
    /// The message.
    message: MessageId,
) -> impl IntoView {
    view! {
        <input type="hidden" name="chat" value=chat.to_string() />
        <input type="hidden" name="message" value=message.to_string() />
    }
}

/// The model of an answer and the time it was started.
#[component]
pub fn Byline(
    /// The display name of the model; `None` if it is unknown.
    model: Option<String>,
    /// When the answer was started.
    at: crate::domain::Timestamp,
    /// The reader's clock.
    #[prop(into)]
    clock: Signal<ReaderClock>,
) -> impl IntoView {
    view! {
        <p class="byline">
            {model.map(|model| view! { <span>{model}</span> })}
            <TimeAgo at clock />
        </p>
    }
}

/// The reasoning of the model, collapsed.
#[component]
pub fn Thinking(
    /// Whether the model is still reasoning.
    #[prop(into)]
    running: Signal<bool>,
    /// Whether there is no reasoning yet; the element is hidden then.
    #[prop(into)]
    empty: Signal<bool>,
    /// The rendered reasoning.
    children: Children,
) -> impl IntoView {
    view! {
        <details class="thinking" hidden=empty>
            <summary>
                {move || if running.get() { t!("chat.answer.thinking") } else { t!("chat.answer.thoughts") }}
                <Icon glyph=Glyph::ChevronDown />
            </summary>
            <div class="prose" dir="auto">
                {children()}
            </div>
        </details>
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

/// The progress text of an open answer; `None` while its text is streaming.
pub fn phase_text(phase: Phase) -> Option<String> {
    match phase {
        Phase::Waiting { position: None } => Some(t!("chat.answer.waiting").to_owned()),
        Phase::Waiting { position: Some(position) } => Some(queue_position_text(position)),
        Phase::Loading => Some(t!("chat.answer.loading").to_owned()),
        Phase::Thinking => Some(t!("chat.answer.thinking").to_owned()),
        Phase::Streaming => None,
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
