//! Macros for texts. The keys are literals, so that the tests find them.

/// The text with this key in the language of the page: `t!("chat.send")` is a `&'static str`,
/// `t!("chat.chosen", count = 3, name = name)` a `String` in which `{count}` and `{name}` are replaced by these values.
/// `t!(in texts, "mail.subject")` uses other [`Texts`](crate::i18n::Texts) than those of the page.
#[macro_export]
macro_rules! t {
    (in $texts:expr, $key:literal) => { $texts.text(const { $crate::i18n::Key::named($key) }) };
    (in $texts:expr, $key:literal, $($name:ident = $value:expr),+ $(,)?) => {
        $texts.format(const { $crate::i18n::Key::named($key) }, &[$((stringify!($name), &$value)),+])
    };
    ($key:literal) => { $crate::i18n::text(const { $crate::i18n::Key::named($key) }) };
    ($key:literal, $($name:ident = $value:expr),+ $(,)?) => {
        $crate::i18n::format(const { $crate::i18n::Key::named($key) }, &[$((stringify!($name), &$value)),+])
    };
}

/// A text with elements in it, as a view: `rich!("auth.agree", terms = |content| view! { <a href="/terms">{content}</a>
/// })` for `I agree to the <terms>terms</terms>.` The closure receives the content between its tags, which is empty for
/// `<name/>`.
#[macro_export]
macro_rules! rich {
    ($key:literal, $($name:ident = $view:expr),+ $(,)?) => {
        $crate::i18n::current().rich(const { $crate::i18n::Key::named($key) }, &[
            $((stringify!($name), &|content: &'static str| {
                let view: fn(_) -> _ = |view| leptos::prelude::IntoAny::into_any(view);
                view($view(content))
            })),+
        ])
    };
}

/// The key of a text that is looked up later, by [`Texts::text`](crate::i18n::Texts::text).
#[macro_export]
macro_rules! key {
    ($key:literal) => {
        const { $crate::i18n::Key::named($key) }
    };
}

/// The code of an error with its values: `reason!("too_long", most = 80)`. The text has the key `error.too_long`.
#[macro_export]
macro_rules! reason {
    ($code:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::i18n::Reason::new($code)$(.with(stringify!($name), &$value))*
    };
}
