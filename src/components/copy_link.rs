use leptos::{prelude::*, task::spawn_local};

use super::{Glyph, Icon, browser::copy_text};

/// A link that is shown once, in a read-only field; with scripts, a button copies it.
#[component]
pub fn CopyLink(
    /// The accessible name of the field.
    label: &'static str,
    /// The link.
    link: String,
) -> impl IntoView {
    let copied = RwSignal::new(None::<bool>);
    let text = StoredValue::new(link.clone());
    let copy = move |_| {
        spawn_local(async move {
            let done = copy_text(text.get_value()).await;
            copied.try_set(Some(done));
        });
    };
    view! {
        <div class="flex flex-wrap items-center gap-3">
            <input class="input min-w-0 flex-1 basis-60" type="text" readonly aria-label=label value=link />
            <button class="btn btn-line js-only min-h-11" type="button" on:click=copy>
                <Icon glyph=Glyph::Copy />
                {t!("chat.copy")}
            </button>
            <p class="text-label text-ink-soft" role="status">
                {move || {
                    copied.get().map(|done| if done { t!("chat.link.copied") } else { t!("chat.link.not_copied") })
                }}
            </p>
        </div>
    }
    .into_any()
}
