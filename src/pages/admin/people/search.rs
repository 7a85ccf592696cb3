use leptos::prelude::*;

use crate::{
    components::{Glyph, Icon},
    domain::limits,
};

/// The search form. A GET form, so that it works without scripts.
#[component]
pub fn SearchForm(
    /// The current search text.
    search: String,
) -> impl IntoView {
    view! {
        <form class="mb-4 flex flex-wrap gap-2" method="get" action="/people" role="search">
            <div class="search">
                <Icon glyph=Glyph::Search />
                <input
                    class="input"
                    type="search"
                    name="q"
                    aria-label=t!("admin.people.search_field")
                    placeholder=t!("admin.people.search_field")
                    autocomplete="off"
                    maxlength=limits::MAX_SEARCH_CHARS
                    value=search
                />
            </div>
            <button class="btn btn-line min-h-11" type="submit">
                {t!("admin.people.search")}
            </button>
        </form>
    }
    .into_any()
}
