use leptos::{prelude::*, task::spawn_local};

use super::{CopyStatus, browser::copy_text, show_copy_result};

/// What a button does that copies a text, and the result for its label.
pub fn copying(text: String) -> (impl Fn() + Copy, CopyStatus) {
    let copied = CopyStatus::new(None);
    let text = StoredValue::new(text);
    let copy = move || {
        spawn_local(async move { show_copy_result(copied, copy_text(text.get_value()).await) });
    };
    (copy, copied)
}
