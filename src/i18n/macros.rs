//! How the code names texts. The keys are literals, so that the tests find them.

/// The text with this key in the reader's language: `t!("chat.send")` is a `&'static str`,
/// `t!("chat.chosen", count = 3, name = name)` a `String` with these values in the places of `{count}` and `{name}`.
/// `t!(in texts, "mail.subject")` takes other [`Texts`](crate::i18n::Texts) than the page's.
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

/// A text with elements in it, as a view: `rich!("auth.agree", terms = |words| view! { <a href="/terms">{words}</a> })`
/// for `I agree to the <terms>terms</terms>.` A closure gets what stands between its tags; `<name/>` has nothing between.
#[macro_export]
macro_rules! rich {
    ($key:literal, $($name:ident = $view:expr),+ $(,)?) => {
        $crate::i18n::current().rich(const { $crate::i18n::Key::named($key) }, &[
            $((stringify!($name), &|words: &'static str| {
                let view: fn(_) -> _ = |view| leptos::prelude::IntoAny::into_any(view);
                view($view(words))
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

/// The code of an error with its values: `reason!("too_long", most = 80)`. Its text has the key `error.too_long`.
#[macro_export]
macro_rules! reason {
    ($code:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::i18n::Reason::new($code)$(.with(stringify!($name), &$value))*
    };
}
