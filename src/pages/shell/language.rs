use leptos::prelude::*;

use crate::i18n;

/// Reloads the page if it is not in the user's language, given by its tag. This happens after signing in, or when the
/// user chooses another language. Only for the browser.
pub fn reload_if_language_changed(tag: &str) {
    if tag != i18n::current().tag() {
        // Every text of the page is in the wrong language. If the reload fails, the page stays as it is.
        let _ = location().reload();
    }
}
