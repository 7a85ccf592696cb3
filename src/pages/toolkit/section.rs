use leptos::prelude::*;

/// A section of a page, with a heading.
#[component]
pub fn Section(
    /// The id, for links to the section.
    id: &'static str,
    /// The heading.
    title: &'static str,
    /// The sentence below the heading.
    #[prop(into)]
    sentence: String,
    /// Whether to draw a line above it.
    #[prop(optional)]
    ruled: bool,
    /// The content.
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
