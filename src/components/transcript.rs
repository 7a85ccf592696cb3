use leptos::{html::Div, prelude::*, wasm_bindgen::JsCast, web_sys};

use crate::domain::MessageId;

use super::{
    Glyph, Icon,
    browser::{Sentinel, copy_text},
    copy_word,
};

/// Pixels from the end within which the reader is at the end.
const NEAR: i32 = 40;

/// Where the reader is in a transcript. The scroller is reversed: 0 is the end, upwards is negative.
#[derive(Clone, Copy)]
pub struct ReadingPlace {
    scroller: NodeRef<Div>,
    following: StoredValue<bool>,
    away: RwSignal<bool>,
    last_top: StoredValue<i32>,
}

impl Default for ReadingPlace {
    fn default() -> Self {
        Self {
            scroller: NodeRef::new(),
            following: StoredValue::new(true),
            away: RwSignal::new(false),
            last_top: StoredValue::new(0),
        }
    }
}

impl ReadingPlace {
    /// Goes to the end and follows it from now on.
    pub fn to_end(self) {
        self.following.set_value(true);
        self.away.set(false);
        if let Some(scroller) = self.scroller.get_untracked() {
            scroller.set_scroll_top(0);
        }
    }

    /// Changes the page without moving the words that the reader looks at, or stays at the end.
    pub fn keep<T>(self, change: impl FnOnce() -> T) -> T {
        let before = self.height();
        let changed = change();
        self.settle(before);
        changed
    }

    /// The same for a change that takes effect until the next frame.
    pub fn keep_until_frame(self) {
        let before = self.height();
        request_animation_frame(move || self.settle(before));
    }

    fn height(self) -> i32 {
        self.scroller.try_get_untracked().flatten().map_or(0, |scroller| scroller.scroll_height())
    }

    fn settle(self, before: i32) {
        let Some(scroller) = self.scroller.try_get_untracked().flatten() else { return };
        if self.following.try_get_value().unwrap_or(true) {
            if scroller.scroll_top() != 0 {
                scroller.set_scroll_top(0);
            }
        } else {
            let grown = scroller.scroll_height() - before;
            if grown != 0 {
                scroller.set_scroll_top(scroller.scroll_top() - grown);
            }
        }
    }

    fn scrolled(self) {
        let Some(scroller) = self.scroller.get_untracked() else { return };
        let top = scroller.scroll_top();
        if top < self.last_top.get_value() {
            self.following.set_value(false);
        } else if top > -NEAR {
            self.following.set_value(true);
        }
        self.last_top.set_value(top);
        let away = top <= -NEAR;
        if self.away.get_untracked() != away {
            self.away.set(away);
        }
    }
}

/// The scroller with the messages. Asks for older ones before the reader comes to the top.
#[component]
pub fn Transcript(
    /// Where the reader is.
    place: ReadingPlace,
    /// Whether there are older messages to ask for.
    #[prop(into)]
    has_older: Signal<bool>,
    /// Asks for them.
    on_older: Callback<()>,
    /// The first message that is there.
    #[prop(into)]
    first: Signal<Option<MessageId>>,
    /// Where the older ones are without scripts.
    #[prop(into)]
    older_href: Signal<String>,
    /// The messages.
    children: Children,
) -> impl IntoView {
    let top = NodeRef::<Div>::new();
    // The effect keeps its sentinel until its next run. (A local stored value would be made on the server too,
    // and dropped there on another thread.)
    Effect::new(move |_: Option<Option<Sentinel>>| {
        // Watched anew after each step, because a top that stays in sight does not come into sight again.
        first.track();
        let (top, scroller) = (top.get()?, place.scroller.get()?);
        Sentinel::watch(&top, &scroller, move || on_older.run(()))
    });
    view! {
        <div class="scroller" node_ref=place.scroller on:scroll=move |_| place.scrolled() on:click=copy_code>
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

/// Leads back to the end, while the reader is away from it.
#[component]
pub fn JumpToLatest(
    /// Where the reader is.
    place: ReadingPlace,
) -> impl IntoView {
    view! {
        <Show when=move || place.away.get()>
            <button class="btn btn-line jump" type="button" on:click=move |_| place.to_end()>
                <Icon glyph=Glyph::ArrowDown />
                {t!("chat.transcript.to_latest")}
            </button>
        </Show>
    }
}

/// Copies a block of code, wherever in the transcript its button was pressed.
fn copy_code(event: web_sys::MouseEvent) {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let Some(button) = target.and_then(|target| target.closest(".copy-code").ok().flatten()) else { return };
    let block = button.closest(".code-block").ok().flatten();
    let code = block.and_then(|block| block.query_selector("pre").ok().flatten()).and_then(|pre| pre.text_content());
    let Some(code) = code else { return };
    leptos::task::spawn_local(async move {
        let copied = copy_text(code).await;
        button.set_text_content(Some(copy_word(Some(copied))));
        set_timeout(move || button.set_text_content(Some(copy_word(None))), std::time::Duration::from_secs(2));
    });
}
