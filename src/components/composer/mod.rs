//! The composer, in which the user writes messages.

mod draft;
mod stored_draft;

pub use draft::{Draft, OutgoingMessage};

use leptos::{ev, prelude::*, web_sys};

use super::{Glyph, Icon, ModelPicker, browser};
use crate::domain::{AppError, ChatId, ClientId, ModelChoice, limits};

/// The state of the composer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComposerState {
    /// A message can be sent.
    Ready,
    /// A message is being sent.
    Sending,
    /// An answer is being written and can be stopped.
    Answering,
}

/// The id of the form that stops an answer without scripts. The page places it next to the composer.
pub const STOP_FORM_ID: &str = "stop-answer";

/// The message field, the model picker, and the button that sends or stops.
#[component]
pub fn Composer(
    /// The form URL, for use without scripts.
    action: &'static str,
    /// The chat; `None` for a new one.
    chat: Option<ChatId>,
    /// The message id (idempotency key) that the form sends without scripts.
    client_id: ClientId,
    /// The available models.
    models: ModelChoice,
    /// The id of the selected model.
    #[prop(into)]
    model: Signal<String>,
    /// Called with the id of the chosen model.
    on_model: Callback<String>,
    /// The draft.
    draft: Draft,
    /// The state of the composer.
    #[prop(into)]
    state: Signal<ComposerState>,
    /// Why the last message was not accepted.
    #[prop(into)]
    error: Signal<Option<AppError>>,
    /// Called to send the draft.
    on_send: Callback<()>,
    /// Called to stop the answer.
    on_stop: Callback<()>,
    /// Called on Arrow-Up in the empty field, to edit the last message. Returns whether there is one.
    #[prop(optional)]
    on_edit_last: Option<Callback<(), bool>>,
) -> impl IntoView {
    Effect::new(move || {
        // If the page was suspended, the field is mounted only after the first run of this effect.
        if draft.textarea.get().is_some() {
            draft.load_stored();
            draft.focus();
        }
    });
    let send = move || {
        if state.get_untracked() == ComposerState::Ready && !draft.text().trim().is_empty() {
            on_send.run(());
        }
    };
    let on_key = move |event: web_sys::KeyboardEvent| {
        if enter_sends(&event) {
            event.prevent_default();
            send();
        } else if event.key() == "ArrowUp"
            && !(event.alt_key() || event.ctrl_key() || event.meta_key() || event.shift_key() || event.is_composing())
            && draft.text().is_empty()
            && on_edit_last.is_some_and(|edit_last| edit_last.run(()))
        {
            event.prevent_default();
        }
    };
    stop_on_escape(state, on_stop);
    view! {
        <SendError error chat on_retry=Callback::new(move |()| send()) />
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
            // Without scripts the page reloads every 2 s during an answer, which would lose what is typed in the
            // meantime.
            <textarea
                class:js-only=move || state.get() == ComposerState::Answering
                id="message"
                name="text"
                rows="1"
                required
                dir="auto"
                enterkeyhint="enter"
                placeholder=t!("chat.composer.placeholder")
                autocomplete="off"
                aria-describedby="message-note"
                node_ref=draft.textarea
                readonly=move || state.get() == ComposerState::Sending
                on:input=move |_| draft.on_input()
                on:keydown=on_key
            ></textarea>
            <Show when=move || state.get() == ComposerState::Answering>
                <p class="nojs-only p-2 text-ink-soft">{t!("chat.composer.answering")}</p>
            </Show>
            <div class="composer-foot">
                <ModelPicker models model on_choose=on_model />
                <p class="flex-1 text-end text-label text-ink-faint" id="message-note" aria-live="polite">
                    {move || length_note(draft.bytes.get())}
                </p>
                <SendOrStopButton draft state on_stop />
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn SendOrStopButton(draft: Draft, state: Signal<ComposerState>, on_stop: Callback<()>) -> impl IntoView {
    let answering = Memo::new(move |_| state.get() == ComposerState::Answering);
    let too_long = Memo::new(move |_| draft.bytes.get() > limits::MAX_MESSAGE_BYTES);
    let disabled = move || draft.is_blank.get() || too_long.get() || state.get() == ComposerState::Sending;
    move || {
        if answering.get() {
            let shown_at = browser::now_millis();
            view! {
                <button
                    class="send send-stop"
                    type="submit"
                    form=STOP_FORM_ID
                    aria-label=t!("chat.composer.stop")
                    on:click=move |event| {
                        event.prevent_default();
                        if !is_accidental(&event, shown_at) {
                            on_stop.run(());
                        }
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

/// The time in milliseconds in which a click on the button that has just become "Stop" was meant for "Send".
const STOP_DELAY: f64 = 400.0;

/// Whether a click on "Stop" belongs to the one on "Send", which was in the same place: the second one of a double
/// click, or one right after it. Key presses are clicks without a count.
fn is_accidental(click: &web_sys::MouseEvent, shown_at: f64) -> bool {
    match click.detail() {
        0 => false,
        1 => browser::now_millis() - shown_at < STOP_DELAY,
        _ => true,
    }
}

/// Whether a key press sends the message: Enter, unless the user or a touch screen makes it a line break; with Ctrl or
/// Cmd always.
fn enter_sends(event: &web_sys::KeyboardEvent) -> bool {
    // 229: a key press consumed by an input method, in browsers that do not set `isComposing`.
    let composed = event.is_composing() || event.key_code() == 229;
    if event.key() != "Enter" || event.shift_key() || composed {
        return false;
    }
    let is_line_break = || {
        let root = document().document_element();
        root.is_some_and(|root| root.get_attribute("data-enter").as_deref() == Some("newline")) || browser::is_touch()
    };
    event.ctrl_key() || event.meta_key() || !is_line_break()
}

#[component]
fn SendError(error: Signal<Option<AppError>>, chat: Option<ChatId>, on_retry: Callback<()>) -> impl IntoView {
    move || {
        error.get().map(|error| {
            let text = match error {
                AppError::Unauthenticated => signed_out_text(chat),
                _ => error.text().into_any(),
            };
            let retry_button = match error {
                AppError::Invalid { .. } | AppError::Unauthenticated => ().into_any(),
                _ => view! {
                    <button class="btn btn-line btn-small js-only" type="button" on:click=move |_| on_retry.run(())>
                        <Icon glyph=Glyph::RotateCw />
                        {t!("chat.answer.retry")}
                    </button>
                }
                .into_any(),
            };
            view! {
                <div class="column notice notice-danger mb-2 max-w-[44.5rem]" role="alert">
                    <Icon glyph=Glyph::CircleAlert />
                    <p class="min-w-0 flex-1">{text}</p>
                    {retry_button}
                </div>
            }
        })
    }
}

/// Says that the session has ended, with a link to sign in and come back to the draft.
fn signed_out_text(chat: Option<ChatId>) -> AnyView {
    let href = chat.map_or_else(|| "/sign-in".to_owned(), |chat| format!("/sign-in?next=/chats/{chat}"));
    rich!(
        "chat.composer.signed_out",
        link = |text| view! {
            <a class="link" href=href.clone() rel="external">
                {text}
            </a>
        }
    )
}

/// From this length on, in bytes, the composer says how much is left: nine tenths of the limit.
const NEAR_LIMIT_BYTES: usize = limits::MAX_MESSAGE_BYTES / 10 * 9;

/// The number of bytes left or too many, once the message is near the limit; empty before that.
fn length_note(bytes: usize) -> String {
    match bytes {
        0..=NEAR_LIMIT_BYTES => String::new(),
        _ if bytes <= limits::MAX_MESSAGE_BYTES => {
            t!("chat.composer.bytes_left", count = limits::MAX_MESSAGE_BYTES - bytes)
        }
        _ => t!("chat.composer.bytes_too_long", count = bytes - limits::MAX_MESSAGE_BYTES),
    }
}

/// Stops the answer on Escape, unless Escape closes a dialog or a menu.
fn stop_on_escape(state: Signal<ComposerState>, on_stop: Callback<()>) {
    Effect::new(move || {
        let listener = window_event_listener(ev::keydown, move |event| {
            let is_overlay_open = || {
                document().query_selector("dialog[open], details.menu[open], :popover-open").ok().flatten().is_some()
            };
            if event.key() == "Escape" && state.get_untracked() == ComposerState::Answering && !is_overlay_open() {
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
    fn the_length_is_only_shown_near_the_limit() {
        assert_eq!(length_note(100), "");
        assert_eq!(length_note(limits::MAX_MESSAGE_BYTES), "0 bytes left");
        assert_eq!(length_note(limits::MAX_MESSAGE_BYTES + 1), "1 byte over the limit");
    }
}
