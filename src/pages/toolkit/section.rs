use leptos::prelude::*;

/// One part of a page, with a heading.
#[component]
pub fn Section(
    /// Its id, for links to it.
    id: &'static str,
    /// Its heading.
    title: &'static str,
    /// One sentence.
    #[prop(into)]
    sentence: String,
    /// Whether a line stands above it.
    #[prop(optional)]
    ruled: bool,
    /// What is in it.
    children: Children,
) -> impl IntoView {
    let class = if ruled { "settings-section border-t border-line" } else { "settings-section" };
    view! {
        <section class=class id=id aria-labelledby=format!("{id}-title")>
            <h2 class="font-semibold" id=format!("{id}-title")>
                {title}
            </h2>
            <p class="mt-1 mb-5 text-ink-soft">{sentence}</p>
            {children()}
        </section>
    }
    .into_any()
}
