use std::time::Duration;

use leptos::prelude::*;

/// How long a toast stays.
const STAYS: Duration = Duration::from_secs(10);

/// A line that floats for a while, with one thing to do about it. Nothing while there are no words.
#[component]
pub fn Toast(
    /// What happened.
    #[prop(into)]
    words: Signal<Option<String>>,
    /// What the button says.
    action: &'static str,
    /// The button was pressed.
    on_action: Callback<()>,
    /// Its time is over.
    on_over: Callback<()>,
) -> impl IntoView {
    Effect::new(move || {
        if words.with(Option::is_some)
            && let Ok(handle) = set_timeout_with_handle(move || on_over.run(()), STAYS)
        {
            on_cleanup(move || handle.clear());
        }
    });
    view! {
        <div role="status" aria-live="polite">
            {move || {
                words
                    .get()
                    .map(|words| {
                        view! {
                            <div class="toast">
                                <p>{words}</p>
                                <button class="btn btn-line" type="button" on:click=move |_| on_action.run(())>
                                    {action}
                                </button>
                            </div>
                        }
                    })
            }}
        </div>
    }
}
