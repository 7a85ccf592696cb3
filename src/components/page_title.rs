use leptos::prelude::*;
use leptos_meta::Title;

/// The title of the page in the browser's frame.
#[component]
pub fn PageTitle(
    /// What the page is about; the name of the product is added.
    #[prop(into)]
    text: Signal<String>,
) -> impl IntoView {
    let title = move || {
        let title = format!("{} · Colloquy", text.get());
        // The server writes this into the head as it stands; the browser sets it as text.
        if cfg!(feature = "ssr") { escape(&title) } else { title }
    };
    view! { <Title text=title /> }
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
