use leptos::{prelude::*, task::spawn_local};

use super::browser::copy_text;

/// What a button does that copies a text, and whether that worked; `None` before it was pressed.
pub fn copying(text: String) -> (impl Fn() + Copy, RwSignal<Option<bool>>) {
    let copied = RwSignal::new(None::<bool>);
    let text = StoredValue::new(text);
    let copy = move || {
        spawn_local(async move {
            let done = copy_text(text.get_value()).await;
            copied.try_set(Some(done));
        });
    };
    (copy, copied)
}
