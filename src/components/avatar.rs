use leptos::prelude::*;

use crate::domain::CurrentUser;

/// A user's picture, or the first letter of their name.
#[component]
pub fn Avatar(
    /// The user.
    #[prop(into)]
    user: Signal<CurrentUser>,
    /// The version of the picture; 0 if there is none.
    #[prop(into)]
    picture: Signal<i64>,
    /// Whether to use the large size.
    #[prop(optional)]
    large: bool,
) -> impl IntoView {
    let initial = move || -> String {
        user.with(|user| user.name.chars().next().map(|c| c.to_uppercase().collect()).unwrap_or_default())
    };
    let source = move || match picture.get() {
        0 => None,
        version => Some(format!("/people/{}/picture?v={version}", user.with(|user| user.id))),
    };
    view! {
        <span class="avatar" data-initial=initial data-large=large.then_some("")>
            {move || source().map(|src| view! { <img src=src alt="" /> })}
        </span>
    }
    .into_any()
}
