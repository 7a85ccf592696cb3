use leptos::prelude::*;

use super::{Copied, CopyButton, Glyph, Icon, ReaderClock, TimeAgo};
use crate::domain::{ChatId, Message, MessageId, MessageState, Phase};

/// Where the plain forms under an answer are sent.
#[derive(Debug, Clone, Copy)]
pub struct AnswerForms {
    /// The chat.
    pub chat: ChatId,
    /// Writes the answer anew.
    pub retry: &'static str,
    /// Lets the answer go on.
    pub go_on: &'static str,
}

/// What can be asked of an answer.
#[derive(Clone, Copy)]
pub struct AnswerIntents {
    /// Copy its text.
    pub copy: Callback<(MessageId, Copied)>,
    /// Write it anew.
    pub retry: Callback<MessageId>,
    /// Let it go on.
    pub go_on: Callback<MessageId>,
}

/// An answer that has ended, in one way or another.
#[component]
pub fn Answer(
    /// The message.
    message: Message,
    /// The reader's clock.
    #[prop(into)]
    clock: Signal<ReaderClock>,
    /// Whether it is the last message of the chat, which alone can be retried and continued.
    #[prop(into)]
    last: Signal<bool>,
    /// The model for a retry.
    #[prop(into)]
    model: Signal<String>,
    /// Where forms are sent without scripts.
    forms: AnswerForms,
    /// What is asked with scripts.
    intents: AnswerIntents,
) -> impl IntoView {
    let id = message.id;
    let has_text = !message.html.is_empty();
    let has_thoughts = !message.reasoning_html.is_empty();
    let note = state_note(&message.state);
    let can_go_on = message.state.can_go_on();
    view! {
        <article class="message" id=format!("m-{id}")>
            <h2 class="sr-only">{t!("chat.answer.heading")}</h2>
            <Byline model=message.model at=message.created_at clock />
            {left_out_note(message.left_out)}
            {has_thoughts
                .then(|| {
                    view! {
                        <Thinking running=Signal::stored(false) empty=Signal::stored(false)>
                            <div class="part" inner_html=message.reasoning_html></div>
                        </Thinking>
                    }
                })}
            <div class="prose" dir="auto">
                <div class="part" inner_html=message.html></div>
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
                {has_text.then(|| view! { <CopyButton on_copy=Callback::new(move |copied| intents.copy.run((id, copied))) /> })}
                <Show when=move || last.get()>
                    {(has_text && can_go_on)
                        .then(|| {
                            view! {
                                <form method="post" action=forms.go_on on:submit=move |event| {
                                    event.prevent_default();
                                    intents.go_on.run(id);
                                }>
                                    <Ids chat=forms.chat message=id />
                                    <button class="btn btn-quiet btn-small" type="submit">
                                        <Icon glyph=Glyph::Play />
                                        {t!("chat.answer.go_on")}
                                    </button>
                                </form>
                            }
                        })}
                    <form method="post" action=forms.retry on:submit=move |event| {
                        event.prevent_default();
                        intents.retry.run(id);
                    }>
                        <Ids chat=forms.chat message=id />
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

/// The hidden inputs that name a message.
#[component]
pub fn Ids(
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

/// Who answered, and when.
#[component]
pub fn Byline(
    /// The model's name for people.
    model: Option<String>,
    /// When the answer was begun.
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

/// The model's thinking, folded away.
#[component]
pub fn Thinking(
    /// Whether it is still going on.
    #[prop(into)]
    running: Signal<bool>,
    /// Whether there is none yet.
    #[prop(into)]
    empty: Signal<bool>,
    /// The rendered thinking.
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

/// Says that the model did not read the beginning of the chat. Nothing where it did.
pub fn left_out_note(left_out: u32) -> Option<impl IntoView> {
    (left_out > 0).then(|| {
        view! { <p class="mb-2 text-label text-ink-faint">{t!("chat.answer.left_out", count = left_out)}</p> }
    })
}

/// What is said of an answer that did not end by itself.
pub fn state_note(state: &MessageState) -> Option<&'static str> {
    match state {
        MessageState::Complete | MessageState::Open { .. } => None,
        MessageState::Stopped => Some(t!("chat.answer.stopped")),
        MessageState::Interrupted => Some(t!("chat.answer.interrupted")),
        MessageState::Failed { failure } => Some(failure.text()),
    }
}

/// What an open answer does, in words; nothing where its text says it.
pub fn phase_words(phase: Phase) -> Option<String> {
    match phase {
        Phase::Waiting { place: None } => Some(t!("chat.answer.waiting").to_owned()),
        Phase::Waiting { place: Some(place) } => Some(place_words(place)),
        Phase::Loading => Some(t!("chat.answer.loading").to_owned()),
        Phase::Thinking => Some(t!("chat.answer.thinking").to_owned()),
        Phase::Streaming => None,
    }
}

/// English writes its ordinal numbers in four ways. Other languages may say the same in all.
fn place_words(place: u32) -> String {
    match (place % 10, place % 100) {
        (1, tens) if tens != 11 => t!("chat.answer.place_1st", place = place),
        (2, tens) if tens != 12 => t!("chat.answer.place_2nd", place = place),
        (3, tens) if tens != 13 => t!("chat.answer.place_3rd", place = place),
        _ => t!("chat.answer.place_nth", place = place),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_line_is_told_in_words() {
        let told = |n| phase_words(Phase::Waiting { place: Some(n) });
        assert_eq!(told(1).as_deref(), Some("1st in line"));
        assert_eq!(told(2).as_deref(), Some("2nd in line"));
        assert_eq!(told(11).as_deref(), Some("11th in line"));
        assert_eq!(told(23).as_deref(), Some("23rd in line"));
        assert_eq!(phase_words(Phase::Streaming), None);
    }
}
