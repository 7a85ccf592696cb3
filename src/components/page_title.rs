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
    #[cfg(feature = "ssr")]
    let title = TextProp::from(escape(&full_title(&text.get_untracked())));
    #[cfg(not(feature = "ssr"))]
    let title = TextProp::from(move || full_title(&text.get()));
    view! { <Title text=title /> }
}

fn full_title(text: &str) -> String {
    format!("{text} · Colloquy")
}

#[cfg(feature = "ssr")]
fn escape(title: &str) -> String {
    html_escape::encode_text(title).into_owned()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    #[test]
    fn a_title_cannot_close_the_title_element() {
        assert_eq!(super::escape("</title><b>&"), "&lt;/title&gt;&lt;b&gt;&amp;");
    }
}
