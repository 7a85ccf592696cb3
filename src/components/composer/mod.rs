//! Where messages are written.

mod draft;
mod kept;

pub use draft::{Draft, Outgoing};

use leptos::{ev, prelude::*, web_sys};

use super::{Glyph, Icon, ModelPicker, browser};
use crate::domain::{AppError, ChatId, ClientId, ModelChoice, limits};

/// What can be done with the composer now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Composing {
    /// Send.
    Ready,
    /// Wait until the server has the message.
    Sending,
    /// Stop the answer.
    Answering,
}

/// The id of the plain form that stops an answer; the page places it beside the composer.
pub const STOP_FORM: &str = "stop-answer";

/// The field for a message, the model picker, and the button that sends or stops.
#[component]
pub fn Composer(
    /// Where the form is sent without scripts.
    action: &'static str,
    /// The chat; none for a new one.
    chat: Option<ChatId>,
    /// The id of what is written into the form without scripts.
    client_id: ClientId,
    /// The models that answer.
    models: ModelChoice,
    /// The chosen model.
    #[prop(into)]
    model: Signal<String>,
    /// Asks for another model.
    on_model: Callback<String>,
    /// The text.
    draft: Draft,
    /// What can be done.
    #[prop(into)]
    composing: Signal<Composing>,
    /// Why the last message was not taken.
    #[prop(into)]
    error: Signal<Option<AppError>>,
    /// Asks to send what is in the draft.
    on_send: Callback<()>,
    /// Asks to stop the answer.
    on_stop: Callback<()>,
) -> impl IntoView {
    Effect::new(move || {
        // Where the page was waited for, the field comes after this effect has run for the first time.
        if draft.area.get().is_some() {
            draft.restore();
            draft.focus();
        }
    });
    let send = move || {
        if composing.get_untracked() == Composing::Ready && !draft.text().trim().is_empty() {
            on_send.run(());
        }
    };
    let on_key = move |event: web_sys::KeyboardEvent| {
        // 229: a key that an input method is still working on, in browsers that do not say so otherwise.
        let composed = event.is_composing() || event.key_code() == 229;
        if event.key() == "Enter" && !event.shift_key() && !composed && !browser::is_touch() {
            event.prevent_default();
            send();
        }
    };
    stop_on_escape(composing, on_stop);
    view! {
        <SendError error on_retry=Callback::new(move |()| send()) />
        <form
            class="composer"
            method="post"
            action=action
            on:submit=move |event: web_sys::SubmitEvent| {
                event.prevent_default();
                send();
            }
        >
            {chat.map(|chat| view! { <input type="hidden" name="chat" value=chat.to_string() /> })}
            <input type="hidden" name="client_id" value=client_id.to_string() />
            <label class="sr-only" for="message">
                {t!("chat.composer.label")}
            </label>
            // A page without scripts looks again every other second, which would take away what is typed meanwhile.
            <textarea
                class:js-only=move || composing.get() == Composing::Answering
                id="message"
                name="text"
                rows="1"
                required
                dir="auto"
                enterkeyhint="send"
                placeholder=t!("chat.composer.placeholder")
                autocomplete="off"
                aria-describedby="message-note"
                node_ref=draft.area
                readonly=move || composing.get() == Composing::Sending
                on:input=move |_| draft.noticed()
                on:keydown=on_key
            ></textarea>
            <Show when=move || composing.get() == Composing::Answering>
                <p class="nojs-only p-2 text-ink-soft">{t!("chat.composer.answering")}</p>
            </Show>
            <div class="composer-foot">
                <ModelPicker models model on_choose=on_model />
                <p class="flex-1 text-end text-label text-ink-faint" id="message-note" aria-live="polite">
                    {move || length_note(draft.bytes.get())}
                </p>
                <SendOrStop draft composing on_stop />
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn SendOrStop(draft: Draft, composing: Signal<Composing>, on_stop: Callback<()>) -> impl IntoView {
    let answering = Memo::new(move |_| composing.get() == Composing::Answering);
    let too_long = Memo::new(move |_| draft.bytes.get() > limits::MESSAGE_BYTES);
    let disabled = move || draft.blank.get() || too_long.get() || composing.get() == Composing::Sending;
    move || {
        if answering.get() {
            view! {
                <button
                    class="send send-stop"
                    type="submit"
                    form=STOP_FORM
                    aria-label=t!("chat.composer.stop")
                    on:click=move |event| {
                        event.prevent_default();
                        on_stop.run(());
                    }
                >
                    <Icon glyph=Glyph::Square />
                </button>
            }
            .into_any()
        } else {
            view! {
                <button class="send" type="submit" aria-label=t!("chat.composer.send") disabled=disabled>
                    <Icon glyph=Glyph::ArrowUp />
                </button>
            }
            .into_any()
        }
    }
}

#[component]
fn SendError(error: Signal<Option<AppError>>, on_retry: Callback<()>) -> impl IntoView {
    move || {
        error.get().map(|error| {
            let way_on = match error {
                AppError::Invalid { .. } => ().into_any(),
                _ => view! {
                    <button class="btn btn-line btn-small js-only" type="button" on:click=move |_| on_retry.run(())>
                        <Icon glyph=Glyph::RotateCw />
                        {t!("chat.answer.retry")}
                    </button>
                }
                .into_any(),
            };
            view! {
                <div class="column notice notice-danger mb-2" role="alert">
                    <Icon glyph=Glyph::CircleAlert />
                    <p class="min-w-0 flex-1">{error.text()}</p>
                    {way_on}
                </div>
            }
        })
    }
}

/// Says how long the message is when it comes near the limit.
fn length_note(bytes: usize) -> String {
    match bytes {
        0..180_001 => String::new(),
        _ if bytes <= limits::MESSAGE_BYTES => t!("chat.composer.bytes_left", bytes = limits::MESSAGE_BYTES - bytes),
        _ => t!("chat.composer.bytes_too_long", bytes = bytes - limits::MESSAGE_BYTES),
    }
}

/// Escape stops the answer, unless it is needed to close something.
fn stop_on_escape(composing: Signal<Composing>, on_stop: Callback<()>) {
    Effect::new(move || {
        let listener = window_event_listener(ev::keydown, move |event| {
            let closes = || document().query_selector("dialog[open], details.menu[open]").ok().flatten().is_some();
            if event.key() == "Escape" && composing.get_untracked() == Composing::Answering && !closes() {
                on_stop.run(());
            }
        });
        on_cleanup(move || listener.remove());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_only_told_near_the_limit() {
        assert_eq!(length_note(100), "");
        assert_eq!(length_note(limits::MESSAGE_BYTES), "0 bytes left");
        assert_eq!(length_note(limits::MESSAGE_BYTES + 1), "1 bytes too long");
    }
}
