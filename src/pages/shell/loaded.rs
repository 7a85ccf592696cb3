//! Suspended parts of pages, which wait for their data.

use leptos::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    error_page::{ErrorPage, ErrorView},
    guard::RedirectToSignIn,
    page_resource::PageResource,
};
use crate::domain::AppError;

/// Renders `view` once it is loaded; in the browser again whenever the data changes.
///
/// The server renders it once, including everything inside. `Suspense` finds resources by calling the closures of a
/// view that it then discards, so everything that the inner pages load would be loaded twice.
#[cfg(feature = "ssr")]
pub fn loaded<F>(view: impl Fn() -> F) -> Suspend<AnyView>
where
    F: Future<Output = AnyView> + Send + 'static,
{
    let view = view();
    Suspend::new(async move { view.await.resolve().await })
}

/// Renders `view` once it is loaded, and again whenever the data changes.
#[cfg(not(feature = "ssr"))]
pub fn loaded<F>(view: impl Fn() -> F) -> impl Fn() -> Suspend<AnyView>
where
    F: Future<Output = AnyView> + Send + 'static,
{
    move || Suspend::new(view())
}

/// Renders the loaded data of a page inside the frame; an error message if loading failed.
#[component]
pub fn Loaded<T, V>(
    /// The data.
    data: PageResource<T>,
    /// Renders the data.
    view: V,
) -> impl IntoView
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    V: Fn(T) -> AnyView + Clone + Send + Sync + 'static,
{
    view! {
        <Transition>
            {loaded(move || {
                let view = view.clone();
                async move {
                    match data.await {
                        Ok(data) => view(data),
                        Err(AppError::Unauthenticated) => view! { <RedirectToSignIn /> }.into_any(),
                        Err(error) => {
                            view! { <ErrorView error on_retry=Callback::new(move |()| data.refetch()) /> }.into_any()
                        }
                    }
                }
            })}
        </Transition>
    }
    .into_any()
}

/// Like [`Loaded`], for a page outside the frame.
#[component]
pub fn LoadedStandalone<T, V>(
    /// The data.
    data: PageResource<T>,
    /// Renders the data.
    view: V,
) -> impl IntoView
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    V: Fn(T) -> AnyView + Clone + Send + Sync + 'static,
{
    view! {
        <Suspense>
            {loaded(move || {
                let view = view.clone();
                async move {
                    match data.await {
                        Ok(data) => view(data),
                        Err(error) => {
                            view! { <ErrorPage error on_retry=Callback::new(move |()| data.refetch()) /> }.into_any()
                        }
                    }
                }
            })}
        </Suspense>
    }
    .into_any()
}
