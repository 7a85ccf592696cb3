use leptos::{prelude::*, text_prop::TextProp};
use leptos_meta::Title;

/// The document title.
#[component]
pub fn PageTitle(
    /// The title of the page; the name of the product is appended.
    #[prop(into)]
    text: Signal<String>,
) -> impl IntoView {
    // The server writes the title into the head once, unescaped, and possibly after this component is disposed. The
    // browser sets it as text whenever it changes.
    let title = if cfg!(feature = "ssr") {
        let title = escape_html(&full_title(&text.get_untracked()));
        TextProp::from(title)
    } else {
        TextProp::from(move || full_title(&text.get()))
    };
    view! { <Title text=title /> }
}

fn full_title(text: &str) -> String {
    format!("{text} · Colloquy")
}

fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_title_cannot_close_the_title_element() {
        assert_eq!(super::escape_html("</title><b>&"), "&lt;/title&gt;&lt;b&gt;&amp;");
    }
}
