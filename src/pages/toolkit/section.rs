use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys};

use super::status::StatusMessage;
use crate::components::browser;

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
    /// Whether what it does cannot be undone.
    #[prop(optional)]
    danger: bool,
    /// The content.
    children: Children,
) -> impl IntoView {
    view! {
        <section
            class="settings-section"
            class:settings-danger=danger
            id=id
            aria-labelledby=format!("{id}-title")
        >
            <h2 class="font-semibold" id=format!("{id}-title")>
                {title}
            </h2>
            <p class="mt-1 mb-4 text-label text-ink-soft">{sentence}</p>
            {children()}
        </section>
    }
    .into_any()
}

/// A section in one row: what it is about at the start, the control at the end.
#[component]
pub fn RowSection(
    /// The id, for links to the section.
    id: &'static str,
    /// The heading.
    title: &'static str,
    /// The sentence below the heading.
    #[prop(into)]
    sentence: String,
    /// What is set now.
    #[prop(optional)]
    value: Option<AnyView>,
    /// What stands below the row.
    #[prop(optional)]
    extra: Option<AnyView>,
    /// The control.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <section class="settings-section" id=id aria-labelledby=format!("{id}-title")>
            <div class="setting">
                <div class="min-w-0">
                    <h2 class="font-medium" id=format!("{id}-title")>
                        {title}
                    </h2>
                    {value} <p class="setting-about">{sentence}</p>
                </div>
                {children.map(|children| view! { <div class="setting-control">{children()}</div> })}
            </div>
            {extra}
        </section>
    }
    .into_any()
}

/// A section in one row whose form opens in place, and closes when it has succeeded.
#[component]
pub fn EditSection(
    /// The id, for links to the section.
    id: &'static str,
    /// The heading.
    title: &'static str,
    /// The sentence below the heading.
    sentence: &'static str,
    /// What is set now.
    #[prop(optional)]
    value: Option<AnyView>,
    /// The label of the button that opens the form.
    #[prop(default = t!("common.change"))]
    open_label: &'static str,
    /// What stands below the row.
    #[prop(optional_no_strip)]
    extra: Option<AnyView>,
    /// Whether the form is open at first: it failed without scripts.
    open: bool,
    /// The success message; `None` until there is one.
    status: Signal<Option<&'static str>>,
    /// The form.
    children: Children,
) -> impl IntoView {
    let details = NodeRef::<leptos::html::Details>::new();
    Effect::new(move |had_succeeded: Option<bool>| {
        let succeeded = status.get().is_some();
        if let (true, Some(false), Some(details)) = (succeeded, had_succeeded, details.get_untracked()) {
            details.set_open(false);
            if let Ok(Some(summary)) = details.query_selector("summary") {
                browser::focus(&summary);
            }
        }
        succeeded
    });
    // Closed without success: what was typed is dropped.
    let on_toggle = move |_| {
        if let Some(details) = details.get_untracked().filter(|details| !details.open())
            && let Ok(Some(form)) = details.query_selector("form")
        {
            form.unchecked_into::<web_sys::HtmlFormElement>().reset();
        }
    };
    view! {
        <section class="settings-section" id=id aria-labelledby=format!("{id}-title")>
            <details class="edit" open=open node_ref=details on:toggle=on_toggle>
                <summary class="setting">
                    <span class="block min-w-0">
                        <h2 class="font-medium" id=format!("{id}-title")>
                            {title}
                        </h2>
                        {value} <span class="setting-about">{sentence}</span>
                    </span>
                    <span class="btn btn-line edit-open">{open_label}</span>
                    <span class="btn btn-line edit-close">{t!("common.cancel")}</span>
                </summary>
                <div class="edit-form">{children()}</div>
            </details>
            {extra}
            <StatusMessage text=status />
        </section>
    }
    .into_any()
}
