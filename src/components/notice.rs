use leptos::prelude::*;

use super::{Glyph, Icon};

/// A quiet box with something to know.
#[component]
pub fn Notice(children: Children) -> impl IntoView {
    view! {
        <div class="notice">
            <Icon glyph=Glyph::CircleAlert />
            <div class="min-w-0">{children()}</div>
        </div>
    }
}

/// What went wrong with a form as a whole. Nothing while there is no error.
#[component]
pub fn FormError(
    /// The sentence.
    #[prop(into)]
    error: Signal<Option<String>>,
    /// The id, so that focus can be moved here.
    id: &'static str,
) -> impl IntoView {
    move || {
        error.get().map(|sentence| {
            view! {
                <div class="notice notice-danger" role="alert" id=id tabindex="-1">
                    <Icon glyph=Glyph::CircleAlert />
                    <p class="min-w-0">{sentence}</p>
                </div>
            }
        })
    }
}

/// A whole page that says one sentence and shows one way on.
#[component]
pub fn Dead(
    /// The heading.
    title: &'static str,
    /// One sentence.
    #[prop(into)]
    sentence: String,
    /// Where to go.
    #[prop(into)]
    href: String,
    /// What the link says.
    action: &'static str,
) -> impl IntoView {
    view! {
        <div class="grid flex-1 place-items-center px-6 py-16">
            <div class="max-w-[360px] text-center">
                <h1 class="text-title font-semibold">{title}</h1>
                <p class="mt-2 mb-6 text-ink-soft">{sentence}</p>
                <a class="btn btn-primary" href=href>
                    {action}
                </a>
            </div>
        </div>
    }
}
