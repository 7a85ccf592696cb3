//! Parts of pages that wait for what is loaded.

use leptos::prelude::*;

use super::{
    fault::{Alone, Faulty},
    guard::ToSignIn,
};
use crate::domain::AppError;

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

/// What a page of a person who is signed in shows of what it loads; in place of what could not be loaded, why.
#[component]
pub fn Loaded<T, V>(
    /// What is loaded.
    data: Resource<Result<T, AppError>>,
    /// Shows it.
    view: V,
) -> impl IntoView
where
    T: Clone + Send + Sync + 'static,
    V: Fn(T) -> AnyView + Clone + Send + Sync + 'static,
{
    view! {
        <Transition>
            {loaded(move || {
                let view = view.clone();
                async move {
                    match data.await {
                        Ok(data) => view(data),
                        Err(AppError::Unauthenticated) => view! { <ToSignIn /> }.into_any(),
                        Err(error) => view! { <Faulty error /> }.into_any(),
                    }
                }
            })}
        </Transition>
    }
    .into_any()
}

/// The same for a page that stands alone.
#[component]
pub fn LoadedAlone<T, V>(
    /// What is loaded.
    data: Resource<Result<T, AppError>>,
    /// Shows it.
    view: V,
) -> impl IntoView
where
    T: Clone + Send + Sync + 'static,
    V: Fn(T) -> AnyView + Clone + Send + Sync + 'static,
{
    view! {
        <Suspense>
            {loaded(move || {
                let view = view.clone();
                async move {
                    match data.await {
                        Ok(data) => view(data),
                        Err(error) => view! { <Alone><Faulty error /></Alone> }.into_any(),
                    }
                }
            })}
        </Suspense>
    }
    .into_any()
}
