use std::time::Duration;

use leptos::prelude::*;

/// How long a toast is visible.
const TOAST_DURATION: Duration = Duration::from_secs(10);

/// A toast with one action button. Renders nothing while there is no text.
#[component]
pub fn Toast(
    /// The text; `None` hides the toast.
    #[prop(into)]
    text: Signal<Option<String>>,
    /// The label of the button.
    action: &'static str,
    /// Called when the button is pressed.
    on_action: Callback<()>,
    /// Called when the toast has been visible for 10 s.
    on_timeout: Callback<()>,
) -> impl IntoView {
    Effect::new(move || {
        if text.with(Option::is_some)
            && let Ok(handle) = set_timeout_with_handle(move || on_timeout.run(()), TOAST_DURATION)
        {
            on_cleanup(move || handle.clear());
        }
    });
    view! {
        <div role="status" aria-live="polite">
            {move || {
                text
                    .get()
                    .map(|text| {
                        view! {
                            <div class="toast">
                                <p>{text}</p>
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
