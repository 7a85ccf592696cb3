use leptos::{prelude::*, text_prop::TextProp};
use leptos_meta::Title;

/// The number of chats with an unread answer, in the context of the pages of signed-in people.
#[derive(Clone, Copy)]
pub struct UnreadChats(pub Signal<usize>);

/// The document title. In the browser, the number of unread chats precedes it.
#[component]
pub fn PageTitle(
    /// The title of the page; the name of the product is appended.
    #[prop(into)]
    text: Signal<String>,
) -> impl IntoView {
    // The server writes the title into the head once, unescaped, and possibly after this component is disposed. The
    // browser sets it as text whenever it changes.
    #[cfg(feature = "ssr")]
    let title = TextProp::from(escape(&full_title(&text.get_untracked(), 0)));
    #[cfg(not(feature = "ssr"))]
    let title = {
        let unread = use_context::<UnreadChats>();
        // The number outlives the page, whose title may be read once more when it changes, before that of the next page.
        let last = std::sync::Mutex::new(String::new());
        TextProp::from(move || {
            let mut last = last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if let Some(text) = text.try_get() {
                *last = text;
            }
            full_title(&last, unread.and_then(|unread| unread.0.try_get()).unwrap_or_default())
        })
    };
    view! { <Title text=title /> }
}

fn full_title(text: &str, unread: usize) -> String {
    if unread == 0 { format!("{text} · Colloquy") } else { format!("({unread}) {text} · Colloquy") }
}

#[cfg(feature = "ssr")]
fn escape(title: &str) -> String {
    html_escape::encode_text(title).into_owned()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    #[test]
    fn unread_chats_are_counted_in_the_title() {
        assert_eq!(super::full_title("Bread", 0), "Bread · Colloquy");
        assert_eq!(super::full_title("Bread", 2), "(2) Bread · Colloquy");
    }

    #[test]
    fn a_title_cannot_close_the_title_element() {
        assert_eq!(super::escape("</title><b>&"), "&lt;/title&gt;&lt;b&gt;&amp;");
    }
}
