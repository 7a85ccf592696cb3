use leptos::prelude::*;

use crate::domain::CurrentUser;

/// Somebody's picture, or the first letter of their name.
#[component]
pub fn Avatar(
    /// Who.
    #[prop(into)]
    user: Signal<CurrentUser>,
    /// The version of the picture; 0 where there is none.
    #[prop(into)]
    picture: Signal<i64>,
    /// Whether it stands by itself.
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
