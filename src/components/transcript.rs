use leptos::{html::Div, prelude::*, task::spawn_local, wasm_bindgen::JsCast, web_sys};

use crate::domain::MessageId;

use super::{
    Glyph, Icon,
    browser::{self, Sentinel, copy_text},
    copy_label,
};

/// Distance from the end, in pixels, within which the reader counts as being at the end.
const END_THRESHOLD: i32 = 40;

/// The space around the row of a question that is shown at the top, in pixels: above it, and the padding of `.transcript`
/// below the answer.
const SPACE_AROUND: i32 = 8 + 32;

/// The scroll state of a transcript. The scroller is reversed: 0 is the end, values above it are negative.
///
/// After a question was sent, it is shown at the top, with room for its answer below. The answer grows into this room, and
/// then beyond the lower edge, so nothing moves that is being read. The end is followed only once the reader goes there.
#[derive(Clone, Copy)]
pub struct ScrollState {
    scroller: NodeRef<Div>,
    following: StoredValue<bool>,
    away_from_end: RwSignal<bool>,
    last_top: StoredValue<i32>,
}

impl Default for ScrollState {
    fn default() -> Self {
        Self {
            scroller: NodeRef::new(),
            following: StoredValue::new(true),
            away_from_end: RwSignal::new(false),
            last_top: StoredValue::new(0),
        }
    }
}

impl ScrollState {
    /// Scrolls to the end and follows it from now on.
    pub fn scroll_to_end(self) {
        self.following.set_value(true);
        self.move_to_end();
    }

    /// Shows the last question at the top once its row is rendered, with room for the answer below.
    pub fn show_question(self) {
        self.following.set_value(false);
        request_animation_frame(move || {
            self.make_room();
            self.move_to_end();
        });
    }

    /// Takes the room away again, because the question was not accepted.
    pub fn remove_room(self) {
        if let Some(scroller) = self.scroller.try_get_untracked().flatten() {
            // A valid name is accepted.
            let _ = web_sys::HtmlElement::style(&scroller).remove_property("--taken");
        }
    }

    /// Leaves room below the last question, so that it is at the top when the reader is at the end. The style sheet
    /// knows the height of the window, and needs the height of everything else in it.
    fn make_room(self) {
        let Some(scroller) = self.scroller.try_get_untracked().flatten() else { return };
        // It is the last message, or the one before its answer.
        let Ok(Some(question)) = scroller.query_selector(".message-user:nth-last-child(-n + 2)") else { return };
        let window = document().document_element().map_or(0, |root| root.client_height());
        let room = scroller.client_height() - question.client_height() - SPACE_AROUND;
        // A valid name and value are accepted.
        let _ = web_sys::HtmlElement::style(&scroller).set_property("--taken", &format!("{}px", window - room));
    }

    fn move_to_end(self) {
        self.away_from_end.try_set(false);
        // Not a step of the reader towards the end.
        self.last_top.try_set_value(0);
        if let Some(scroller) = self.scroller.try_get_untracked().flatten() {
            scroller.set_scroll_top(0);
        }
    }

    /// Runs a change of the content. The visible text does not move; a reader at the end stays at the end.
    pub fn preserve_position(self, change: impl FnOnce()) {
        let before = self.height();
        change();
        // After the effects of the change, which can add and remove lines, and before the page is painted.
        spawn_local(async move { self.restore_position(before) });
    }

    /// Like [`Self::preserve_position`], for a change that takes effect before the next frame.
    pub fn preserve_position_until_frame(self) {
        let before = self.height();
        request_animation_frame(move || self.restore_position(before));
    }

    /// Keeps the place on the screen for a message that replaces another one before the next frame. The focus goes to
    /// the `first` or `last` of the buttons that choose a version, or to the other one if that cannot be used.
    pub fn replace_in_place(self, old: MessageId, new: MessageId, button: &'static str) {
        let top = self.top_of(old);
        request_animation_frame(move || {
            browser::focus_first(&format!("#m-{new} .versions > button:{button}-of-type"));
            if browser::is_focus_lost() {
                browser::focus_first(&format!("#m-{new} .versions > button"));
            }
            self.move_to_top(new, top);
            // Rows that were only estimated have their height now.
            request_animation_frame(move || self.move_to_top(new, top));
        });
    }

    /// The distance of a message from the place of the scroller's first line at its end; `None` if it is not shown.
    fn top_of(self, message: MessageId) -> Option<i32> {
        let row = document().get_element_by_id(&format!("m-{message}"))?;
        let scroller = self.scroller.try_get_untracked().flatten()?;
        Some(row.unchecked_ref::<web_sys::HtmlElement>().offset_top() - scroller.scroll_top())
    }

    /// Scrolls so that a message is there.
    fn move_to_top(self, message: MessageId, wanted: Option<i32>) {
        let scroller = self.scroller.try_get_untracked().flatten();
        if let (Some(scroller), Some(wanted), Some(top)) = (scroller, wanted, self.top_of(message)) {
            scroller.set_scroll_top(scroller.scroll_top() + top - wanted);
        }
    }

    fn height(self) -> i32 {
        self.scroller.try_get_untracked().flatten().map_or(0, |scroller| scroller.scroll_height())
    }

    fn restore_position(self, before: i32) {
        let Some(scroller) = self.scroller.try_get_untracked().flatten() else { return };
        // The reader may have scrolled, and the event comes later.
        self.record_top(scroller.scroll_top());
        if self.following.try_get_value().unwrap_or(true) {
            if scroller.scroll_top() != 0 {
                scroller.set_scroll_top(0);
            }
        } else {
            let grown = scroller.scroll_height() - before;
            if grown != 0 {
                let top = scroller.scroll_top() - grown;
                scroller.set_scroll_top(top);
                self.last_top.try_set_value(top);
            }
        }
    }

    /// Follows the end from where the reader goes there, until they leave it.
    fn record_top(self, top: i32) {
        let Some(before) = self.last_top.try_get_value() else { return };
        if top < before {
            self.following.try_set_value(false);
        } else if top > before && top > -END_THRESHOLD {
            self.following.try_set_value(true);
        }
        self.last_top.try_set_value(top);
    }

    fn on_scroll(self) {
        let Some(scroller) = self.scroller.get_untracked() else { return };
        let top = scroller.scroll_top();
        self.record_top(top);
        let away_from_end = top <= -END_THRESHOLD;
        if self.away_from_end.get_untracked() != away_from_end {
            self.away_from_end.set(away_from_end);
        }
    }
}

/// The scroller with the messages. Loads older ones before the reader reaches the top.
#[component]
pub fn Transcript(
    /// The scroll state.
    scroll: ScrollState,
    /// Whether there are older messages to load.
    #[prop(into)]
    has_older: Signal<bool>,
    /// Called to load them.
    on_older: Callback<()>,
    /// Called after a click on the copy button of a code block, with whether the code was copied.
    on_code_copied: Callback<bool>,
    /// The first loaded message.
    #[prop(into)]
    first: Signal<Option<MessageId>>,
    /// The URL of the older messages, for use without scripts.
    #[prop(into)]
    older_href: Signal<String>,
    /// The messages.
    children: Children,
) -> impl IntoView {
    let top = NodeRef::<Div>::new();
    // The effect owns its sentinel until its next run. (A local stored value would also be created on the server, and
    // dropped there on another thread.)
    Effect::new(move |_: Option<Option<Sentinel>>| {
        // Observed again after each page: an element that stays visible does not trigger the observer again.
        first.track();
        let (top, scroller) = (top.get()?, scroll.scroller.get()?);
        Sentinel::watch(&top, &scroller, move || on_older.run(()))
    });
    view! {
        <div class="scroller" node_ref=scroll.scroller on:scroll=move |_| scroll.on_scroll() on:click=move |event| copy_code(&event, on_code_copied)>
            <div class="transcript">
                <Show when=move || has_older.get()>
                    <div class="flex min-h-11 justify-center" node_ref=top>
                        <a class="link nojs-only" href=older_href>
                            {t!("chat.transcript.older")}
                        </a>
                        <span class="js-only text-label text-ink-faint">{t!("chat.transcript.loading_older")}</span>
                    </div>
                </Show>
                {children()}
            </div>
        </div>
    }
    .into_any()
}

/// A button that scrolls to the end, shown while the reader is away from it. It has a dot while an answer is written.
#[component]
pub fn JumpToLatest(
    /// The scroll state.
    scroll: ScrollState,
    /// Whether an answer is being written.
    #[prop(into)]
    answering: Signal<bool>,
) -> impl IntoView {
    view! {
        <Show when=move || scroll.away_from_end.get()>
            <button
                class="jump"
                class:jump-answering=answering
                type="button"
                aria-label=t!("chat.transcript.to_latest")
                title=t!("chat.transcript.to_latest")
                on:click=move |_| scroll.scroll_to_end()
            >
                <Icon glyph=Glyph::ArrowDown />
            </button>
        </Show>
    }
}

/// Copies a code block. One click handler serves all copy buttons of the transcript.
fn copy_code(event: &web_sys::MouseEvent, on_copied: Callback<bool>) {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let Some(button) = target.and_then(|target| target.closest(".copy-code").ok().flatten()) else { return };
    let block = button.closest(".code-block").ok().flatten();
    let code = block.and_then(|block| block.query_selector("pre").ok().flatten()).and_then(|pre| pre.text_content());
    let (Some(code), Some(label)) = (code, button.first_element_child()) else { return };
    spawn_local(async move {
        let copied = copy_text(code).await;
        on_copied.try_run(copied);
        label.set_text_content(Some(copy_label(Some(copied))));
        // The style sheet shows a check. Setting an attribute with a valid name does not fail.
        let _ = button.toggle_attribute_with_force("data-copied", copied);
        let reset = move || {
            label.set_text_content(Some(copy_label(None)));
            let _ = button.remove_attribute("data-copied");
        };
        set_timeout(reset, std::time::Duration::from_secs(2));
    });
}
