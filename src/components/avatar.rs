use leptos::prelude::*;

use crate::domain::{CurrentUser, PersonSummary, UserId};

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
    view! {
        <span
            class="avatar"
            data-initial=move || user.with(|user| initial(&user.name))
            data-large=large.then_some("")
        >
            {move || image(user.with(|user| user.id), picture.get())}
        </span>
    }
    .into_any()
}

/// The picture of somebody in a list, or the first letter of their name.
pub fn person_avatar(person: &PersonSummary, large: bool) -> AnyView {
    view! {
        <span class="avatar" data-initial=initial(&person.name) data-large=large.then_some("")>
            {image(person.id, person.picture)}
        </span>
    }
    .into_any()
}

fn initial(name: &str) -> String {
    name.chars().next().map(|c| c.to_uppercase().collect()).unwrap_or_default()
}

fn image(user: UserId, version: i64) -> Option<AnyView> {
    let src = format!("/people/{user}/picture?v={version}");
    (version != 0).then(|| view! { <img src=src alt="" loading="lazy" /> }.into_any())
}
