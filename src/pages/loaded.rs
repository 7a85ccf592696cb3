//! Parts of pages that wait for what is loaded.

use leptos::prelude::*;

/// Shows what `view` makes once it is loaded, and in the browser anew whenever that changes.
///
/// The server makes it once, with everything in it. `Suspense` looks for what must be waited for by calling the closures
/// of a view that it then throws away: all that the pages within load would be loaded twice.
#[cfg(feature = "ssr")]
pub fn loaded<F>(view: impl Fn() -> F) -> Suspend<AnyView>
where
    F: Future<Output = AnyView> + Send + 'static,
{
    let view = view();
    Suspend::new(async move { view.await.resolve().await })
}

/// Shows what `view` makes once it is loaded, and anew whenever that changes.
#[cfg(not(feature = "ssr"))]
pub fn loaded<F>(view: impl Fn() -> F) -> impl Fn() -> Suspend<AnyView>
where
    F: Future<Output = AnyView> + Send + 'static,
{
    move || Suspend::new(view())
}
