use leptos::prelude::*;

use super::{Glyph, Icon, copying};

/// A link that is shown once, in a read-only field; with scripts, a button copies it.
#[component]
pub fn CopyLink(
    /// The accessible name of the field.
    label: &'static str,
    /// The link.
    link: String,
) -> impl IntoView {
    let (copy, copied) = copying(link.clone());
    view! {
        <div class="flex flex-wrap items-center gap-3">
            <input class="input min-w-0 flex-1 basis-60" type="text" readonly aria-label=label value=link />
            <button class="btn btn-line js-only min-h-11" type="button" on:click=move |_| copy()>
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
