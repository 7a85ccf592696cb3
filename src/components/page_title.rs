use leptos::{prelude::*, text_prop::TextProp};
use leptos_meta::Title;

/// The title of the page in the browser's frame.
#[component]
pub fn PageTitle(
    /// What the page is about; the name of the product is added.
    #[prop(into)]
    text: Signal<String>,
) -> impl IntoView {
    // The server writes the title into the head as it stands, once, and possibly after this component is gone;
    // the browser sets it as text, whenever it changes.
    let title = if cfg!(feature = "ssr") {
        let title = escape(&full(&text.get_untracked()));
        TextProp::from(title)
    } else {
        TextProp::from(move || full(&text.get()))
    };
    view! { <Title text=title /> }
}

fn full(text: &str) -> String {
    format!("{text} · Colloquy")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_title_cannot_end_the_head() {
        assert_eq!(super::escape("</title><b>&"), "&lt;/title&gt;&lt;b&gt;&amp;");
    }
}
