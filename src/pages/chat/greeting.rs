use leptos::prelude::*;

use crate::{
    components::ReaderClock,
    i18n::{self, Key},
    pages::shell::ReaderTime,
};

/// The heading of a new chat: a greeting by the time of day.
#[component]
pub fn Greeting(
    /// The person's name.
    name: String,
) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    let greeting = Memo::new(move |_| greeting(clock.with(ReaderClock::hour)));
    let name = first_name(&name).to_owned();
    view! {
        <h1 class="greeting">
            {move || {
                let name = name.clone();
                i18n::current().rich(greeting.get(), &[("name", &|_| view! { <bdi>{name.clone()}</bdi> }.into_any())])
            }}
        </h1>
    }
    .into_any()
}

/// The greeting at this hour.
fn greeting(hour: i64) -> Key {
    match hour {
        5..12 => key!("chat.new.morning"),
        12..18 => key!("chat.new.afternoon"),
        _ => key!("chat.new.evening"),
    }
}

/// The first word of a name.
fn first_name(name: &str) -> &str {
    name.split_whitespace().next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greeting_follows_the_hour() {
        for (hours, expected) in [
            (5..12, key!("chat.new.morning")),
            (12..18, key!("chat.new.afternoon")),
            (18..24, key!("chat.new.evening")),
            (0..5, key!("chat.new.evening")),
        ] {
            assert!(hours.clone().all(|hour| greeting(hour) == expected), "{hours:?}");
        }
    }

    #[test]
    fn people_are_greeted_by_their_first_name() {
        for (name, first) in
            [("Nora Winter", "Nora"), ("Nora", "Nora"), ("王小明", "王小明"), ("  Nora\u{3000}W", "Nora"), ("", "")]
        {
            assert_eq!(first_name(name), first);
        }
    }
}
