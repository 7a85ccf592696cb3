use leptos::prelude::*;

use crate::i18n;

/// Has the page be loaded anew where it is not in the language with this tag, which the person reads: it was begun by a
/// stranger, or they chose another language. For the browser.
pub fn keep_to_language(tag: &str) {
    if tag != i18n::current().tag() {
        // Every text of the page is of the other language. A page that cannot be loaded anew stays as it is.
        let _ = location().reload();
    }
}
