use leptos::prelude::*;

use super::{Glyph, Icon};

/// A box with information: unobtrusive, unless its class says that it is a warning or about a danger.
#[component]
pub fn Notice(
    /// The classes, such as `notice notice-warn`.
    #[prop(default = "notice")]
    class: &'static str,
    /// The content.
    children: Children,
) -> impl IntoView {
    view! {
        <div class=class>
            <Icon glyph=Glyph::CircleAlert />
            <div class="min-w-0">{children()}</div>
        </div>
    }
}

/// The error message of a form as a whole. Renders nothing while there is no error.
#[component]
pub fn FormError(
    /// The message.
    #[prop(into)]
    error: Signal<Option<String>>,
    /// The id, used to move the focus here.
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

/// A page that shows only a message and one link.
#[component]
pub fn MessagePage(
    /// The heading.
    title: &'static str,
    /// The message, one sentence.
    #[prop(into)]
    sentence: String,
    /// The target of the link.
    #[prop(into)]
    href: String,
    /// The text of the link.
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
